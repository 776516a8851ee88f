import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { GuardedFetch } from "../fetch/guarded-fetch.ts";
import type { Engine } from "./engine/engine.ts";
import type { PlaneEvent } from "./messages.ts";

/** What everything in a plane shares. */
export interface PlaneContext {
  engine: Engine;
  clock: Clock;
  log: Log;
  emit: (event: PlaneEvent) => void;
  /** The only way to the network for what people ask for. */
  guard: GuardedFetch;
  /** The program to run. @throws BotError `ffmpeg_missing` */
  ffmpeg: () => Promise<string>;
  /** Whether that program has the filter `rubberband`. @throws BotError `ffmpeg_missing` */
  rubberband: () => Promise<boolean>;
}
