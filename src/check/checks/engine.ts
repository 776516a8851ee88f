import type { EnginePolicy } from "../../config/config.ts";
import { ENGINE_NAMES } from "../../media/engine-choice.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";
import { need } from "../context.ts";
import { runEngineJob, type JobResult } from "../engine-job.ts";

const TODO =
  "Its native part does not fit this machine: run npm ci again here (glibc 2.28 or newer, amd64 or arm64).";

interface Tried {
  name: string;
  result: JobResult;
}

export const engine: Check = {
  id: "engine",
  about: "which of the WebRTC libraries load on this machine, and whether the Opus encoder works",
  limitMs: 20_000,
  async run(context): Promise<Finding[]> {
    const policy = need(context, "engine");
    const tried: Tried[] = await Promise.all(
      ENGINE_NAMES.map(async (name) => ({
        name,
        result: await runEngineJob(name, { kind: "load" }, context.signal),
      })),
    );
    return [...judgeLibraries(policy, tried), ...judgeOpus(tried)];
  },
};

/** What it means that these load, and those do not. */
export function judgeLibraries(policy: EnginePolicy, tried: readonly Tried[]): Finding[] {
  const used = tried.find(({ name, result }) => loads(result) && (policy === "auto" || policy === name));
  return tried.map(({ name, result }, index): Finding => {
    if (result.kind === "load") {
      const use = name === used?.name ? ", and is used" : "";
      return ok(`${name} loads in ${Math.round(result.tookMs)} ms${use}`);
    }
    const what = `${name} does not load: ${result.kind === "died" ? result.why : "it said something unknown"}`;
    if (policy === name) return fail(what, `${TODO} Or set VOICEBOT_ENGINE=auto.`);
    if (policy === "auto" && !used) return fail(what, TODO);
    if (policy === "auto" && index === 0) return warn(`${what}; ${used?.name} is used instead`, TODO);
    return { verdict: "skip", what: `${what} (it is not needed)` };
  });
}

function judgeOpus(tried: readonly Tried[]): Finding[] {
  const loaded = tried.flatMap(({ result }) => (result.kind === "load" ? [result] : []))[0];
  if (!loaded) return [];
  return [
    loaded.opusProblem === null
      ? ok("the Opus encoder works")
      : fail(`the Opus encoder does not work: ${loaded.opusProblem}`, "Run npm ci again on this machine."),
  ];
}

function loads(result: JobResult): boolean {
  return result.kind === "load";
}
