import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { EngineModule } from "./engine-module.ts";
import type { Engine } from "./engine/engine.ts";

/** The libraries that there are, the preferred one first; each is the name of a folder of engine/. */
export const ENGINE_NAMES = ["libdatachannel", "wrtc"] as const;
type EngineName = (typeof ENGINE_NAMES)[number];

/** `auto`: the first of them that loads. */
export const ENGINE_POLICIES = ["auto", ...ENGINE_NAMES] as const;
export type EnginePolicy = (typeof ENGINE_POLICIES)[number];

/** The engine modules to try, in this order; each is the sibling of this file, compiled or as source. */
export function enginesFor(policy: EnginePolicy): URL[] {
  const names: readonly EngineName[] = policy === "auto" ? ENGINE_NAMES : [policy];
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return names.map((name) => new URL(`./engine/${name}/index.${extension}`, import.meta.url));
}

/** The engine of the first module that loads here. @throws what the last one said when none does */
export async function loadEngine(
  modules: readonly string[],
  { clock, log }: { clock: Clock; log: Log },
): Promise<Engine> {
  let problem: unknown = new Error("no engine is named");
  for (const module of modules) {
    try {
      return await ((await import(module)) as EngineModule).createEngine({ clock, log });
    } catch (error) {
      problem = error;
      log.warn("engine_unusable", { module: nameOf(module), reason: firstLine(messageOf(error)) });
    }
  }
  throw problem;
}

function nameOf(module: string): string {
  return module.split("/").at(-2) ?? module;
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").slice(0, 300);
}
