import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { createEngine } from "../../../src/media/engine/wrtc/index.ts";
import { describeHostile } from "../engine-hostile-behaviour.ts";

describeHostile("wrtc", () => createEngine({ clock: systemClock, log: silentLog }), {
  stricter: ["a user fragment with a colon", "a static payload type"],
});
