// Listeners behind ways that lose packets, in a network of their own (root). What they heard, measured.
import { setTimeout as sleep } from "node:timers/promises";
import { Networks } from "../netns.ts";
import type { LossCase, LossFigures, Protection } from "./listener.ts";

export type LossResult = LossFigures & Pick<LossCase, "loss" | "protection">;

export interface LossTimes {
  /** Reports come every five seconds, and a step of redundancy takes two of them. */
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const TRACK = new URL("../../../audio/first-light.mp3", import.meta.url).pathname;
const MAIN = new URL("./main.ts", import.meta.url).pathname;
const START_MS = 60_000;

/** All of them at once, each with a channel, a media child and a browser's page of its own. @throws when one fails. */
export async function listenWithLoss(
  cases: readonly { loss: number; protection: Protection }[],
  times: LossTimes,
): Promise<LossResult[]> {
  const networks = Networks.create();
  try {
    // Both ends of each way are on one host; a cable gives it an address that is not its loopback.
    networks.cable({ host: "here", address: "10.9.0.1/24" }, { host: "end", address: "10.9.0.2/24" });
    const options = cases.map((each, i): LossCase => {
      return { ...each, ...times, firstPort: 40_000 + 100 * i, track: TRACK };
    });
    const proc = await networks.start("here", "listeners", process.execPath, [MAIN, JSON.stringify(options)]);
    const bound = new AbortController();
    const exit = await Promise.race([
      proc.exited,
      sleep(times.warmUpMs + times.measureMs + START_MS, null, { signal: bound.signal }).catch(() => null),
    ]).finally(() => bound.abort());
    const results = proc.jsonLines() as unknown as LossResult[];
    if (exit?.code !== 0 || results.length !== cases.length) throw new Error(`no figures: ${proc.output}`);
    return cases.map(({ loss, protection }) =>
      results.find((each) => each.loss === loss && each.protection === protection)!,
    );
  } finally {
    await networks.close();
  }
}
