// What a process with probe.ts in it holds, after a forced collection.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../test/support/stage.ts";
import type { Held } from "./figures.ts";

/** Environment that loads the probe into a process and all Node processes below it. */
export function probeEnv(directory: string): Record<string, string> {
  const probe = new URL("./probe.ts", import.meta.url).href;
  return { NODE_OPTIONS: `--import=${probe}`, BENCH_PROBE_DIR: directory };
}

/** Asks one process; null when it does not answer within 5 s. */
export async function askHeld(directory: string, pid: number): Promise<Held | null> {
  const lines = (): string[] => {
    try {
      return readFileSync(join(directory, `${pid}.jsonl`), "utf8")
        .trim()
        .split("\n");
    } catch {
      return [];
    }
  };
  const before = lines().length;
  process.kill(pid, "SIGUSR2");
  for (const deadline = Date.now() + 5000; Date.now() < deadline;) {
    await sleep(50);
    const now = lines();
    if (now.length > before) return JSON.parse(now.at(-1) ?? "null") as Held;
  }
  return null;
}
