import { silentLog } from "../../src/base/log.ts";
import { GuardedFetch } from "../../src/fetch/guarded-fetch.ts";
import { PUBLIC_HTTPS } from "../../src/fetch/url.ts";
import type { PlaneContext } from "../../src/media/context.ts";
import { CaptureEngine } from "./capture-engine.ts";
import { FakeClock } from "./clock.ts";

/** What everything in a plane shares, for a part that is tested alone: an engine for PCM, a clock that stands still. */
export function aPlaneContext(context: Partial<PlaneContext> = {}): PlaneContext {
  return {
    ...{ engine: new CaptureEngine(), clock: new FakeClock(), log: silentLog, emit() {} },
    guard: new GuardedFetch({ policy: PUBLIC_HTTPS, clock: new FakeClock() }),
    ffmpeg: () => Promise.reject(new Error("there is none")),
    rubberband: () => Promise.resolve(false),
    ...context,
  };
}
