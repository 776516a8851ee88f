import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { createEngine } from "../../src/media/engine/libdatachannel/index.ts";
import { describeHostile } from "./engine-hostile-behaviour.ts";

describeHostile("libdatachannel", () => createEngine({ clock: systemClock, log: silentLog }));
