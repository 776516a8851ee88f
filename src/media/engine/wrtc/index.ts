import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { Engine } from "../engine.ts";
import { WrtcEngine } from "./engine.ts";

/**
 * The engine module that a media child loads. Importing this file loads the native library, which is only safe in a process
 * that ends with `process.exit`: never in the control process, and not in Jest.
 */
export function createEngine(options: { clock: Clock; log: Log }): Engine {
  return new WrtcEngine(options);
}
