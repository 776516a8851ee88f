import { fork } from "node:child_process";
import { z } from "zod";
import { ENGINE_POLICIES, type EnginePolicy } from "../media/engine-choice.ts";
import { iceSettingsSchema } from "../media/messages.ts";

/** What a child of its own does with the engine: native code never runs where it could take the check down with it. */
export const jobSchema = z.discriminatedUnion("kind", [
  /** Loads the library and encodes a little. */
  z.object({ kind: z.literal("load") }),
  /** Gathers candidates and looks for a relayed one. */
  z.object({ kind: z.literal("relay"), ice: iceSettingsSchema }),
  /** Connects to itself and sends sound. */
  z.object({ kind: z.literal("connect"), ice: iceSettingsSchema }),
]);
export type Job = z.infer<typeof jobSchema>;

/** A job, and whose it is. */
export const orderSchema = z.object({ engine: z.enum(ENGINE_POLICIES), job: jobSchema });

const resultSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("load"),
    engine: z.string(),
    tookMs: z.number(),
    opusProblem: z.string().nullable(),
  }),
  /** `address` of the relay; null: there was none. */
  z.object({ kind: z.literal("relay"), address: z.string().nullable() }),
  z.object({
    kind: z.literal("connect"),
    /** Why it did not connect; null: it did. */
    problem: z.string().nullable(),
    connectMs: z.number(),
    sent: z.number(),
    heard: z.number(),
  }),
  z.object({ kind: z.literal("died"), why: z.string() }),
]);
export type JobResult = z.infer<typeof resultSchema>;

const LIMIT_MS = 12_000;
const MAX_WORDS = 300;

/** Runs one job in a child. Never rejects: a crash, a hang and an abort are results as well. */
export function runEngineJob(engine: EnginePolicy, job: Job, signal: AbortSignal): Promise<JobResult> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ kind: "died", why: "cancelled" });
    // The child is the sibling of this file, compiled or as source.
    const file = new URL(
      import.meta.url.endsWith(".ts") ? "./engine-child.ts" : "./engine-child.js",
      import.meta.url,
    );
    const child = fork(file, [JSON.stringify({ engine, job })], {
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VOICEBOT_"))),
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let words = "";
    let result: JobResult | null = null;
    const end = (outcome: JobResult): void => {
      result ??= outcome;
      child.kill("SIGKILL");
    };
    const onAbort = (): void => end({ kind: "died", why: "cancelled" });
    const limit = setTimeout(() => end({ kind: "died", why: `no result after ${LIMIT_MS} ms` }), LIMIT_MS);
    signal.addEventListener("abort", onAbort, { once: true });
    child.stderr?.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString("utf8")).slice(-4_000);
    });
    child.on("message", (raw) => {
      const message = resultSchema.safeParse(raw);
      end(message.success ? message.data : { kind: "died", why: "it said something unknown" });
    });
    child.once("error", (error) => end({ kind: "died", why: error.message }));
    child.once("close", (code, killedBy) => {
      clearTimeout(limit);
      signal.removeEventListener("abort", onAbort);
      const said = words
        .split("\n")
        .findLast((line) => /error/i.test(line))
        ?.trim()
        .slice(0, MAX_WORDS);
      resolve(result ?? { kind: "died", why: said ?? `its process ended (${killedBy ?? code})` });
    });
  });
}
