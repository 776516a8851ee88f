import { declareOutside } from "../support/outside/outside.ts";

await declareOutside(new URL("./outside/engine-wrtc.ts", import.meta.url), { atOnce: true });
