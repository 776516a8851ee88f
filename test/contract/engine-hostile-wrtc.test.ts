import { declareOutside } from "../support/outside/outside.ts";

await declareOutside(new URL("./outside/engine-hostile-wrtc.ts", import.meta.url), { atOnce: true });
