import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { createEngine } from "../../../src/media/engine/wrtc/index.ts";
import { connectOverLossyWay } from "../engine-behaviour.ts";
import { describeHostile } from "../engine-hostile.ts";
import { describePcmEngine } from "../engine-pcm.ts";

describePcmEngine("wrtc", () => createEngine({ clock: systemClock, log: silentLog }), connectOverLossyWay);
describeHostile("wrtc", () => createEngine({ clock: systemClock, log: silentLog }), {
  stricter: ["a user fragment with a colon", "a static payload type"],
});
