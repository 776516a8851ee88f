import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { Engine } from "../engine.ts";
import { LibdatachannelEngine } from "./engine.ts";

/** The engine module that a media child loads. Importing this file loads the native library. */
export function createEngine(options: { clock: Clock; log: Log }): Engine {
  return new LibdatachannelEngine(options);
}
