import { fail, ok, type Check, type Finding } from "../check.ts";
import { runEngineJob } from "../engine-job.ts";

export const engine: Check = {
  id: "engine",
  about: "the WebRTC library loads on this machine (in a process of its own), and the Opus encoder works",
  limitMs: 20_000,
  async run({ signal }): Promise<Finding[]> {
    const result = await runEngineJob({ kind: "load" }, signal);
    const todo =
      "Its native part does not fit this machine: run npm ci again here (glibc 2.28 or newer, amd64 or arm64).";
    if (result.kind === "died") return [fail(`the engine does not load: ${result.why}`, todo)];
    if (result.kind !== "load") return [fail("the engine said something unknown", todo)];
    return [
      ok(`${result.engine} loads in ${Math.round(result.tookMs)} ms`),
      result.opusProblem === null
        ? ok("the Opus encoder works")
        : fail(`the Opus encoder does not work: ${result.opusProblem}`, "Run npm ci again on this machine."),
    ];
  },
};
