/**
 * Loaded into every process of a bot under test (`node --import`): on SIGUSR2 it collects garbage and appends what the process
 * holds, as one line of JSON, to `BENCH_PROBE_DIR/<pid>.jsonl`.
 */
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Held } from "./figures.ts";

const directory = process.env["BENCH_PROBE_DIR"];

function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function held(): Held {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const threads = /^Threads:\s+(\d+)$/m.exec(readFileSync("/proc/self/status", "utf8"));
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim();
  return {
    pid: process.pid,
    atMs: Date.now(),
    rss,
    heapUsed,
    external: external + arrayBuffers,
    handles: process.getActiveResourcesInfo().length,
    descriptors: readdirSync("/proc/self/fd").length,
    threads: Number(threads?.[1] ?? 0),
    children: children === "" ? 0 : children.split(" ").length,
  };
}

if (directory !== undefined) {
  const collect = collector();
  process.on("SIGUSR2", () => {
    collect();
    // What finalizers and weak references let go is collected by the second.
    setTimeout(() => {
      collect();
      appendFileSync(join(directory, `${process.pid}.jsonl`), `${JSON.stringify(held())}\n`);
    }, 100);
  });
}
