import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { createEngine } from "../../../src/media/engine/wrtc/index.ts";
import { connectOverLossyWay } from "../engine-behaviour.ts";
import { describePcmEngine } from "../engine-pcm.ts";

describePcmEngine("wrtc", () => createEngine({ clock: systemClock, log: silentLog }), connectOverLossyWay);
