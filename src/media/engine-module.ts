import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Engine } from "./engine/engine.ts";

/** What the module of an engine exports. Native code is loaded by this call, never by a static import elsewhere. */
export interface EngineModule {
  createEngine(options: { clock: Clock; log: Log }): Engine | Promise<Engine>;
}
