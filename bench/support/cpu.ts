// CPU time of processes as the kernel counts it: other load on the machine stretches the wall's time, this one hardly.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { childrenOf } from "../../test/support/bot.ts";

const HERTZ = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** ms that a process has computed so far, in user and system mode; with `reaped` also its children that have ended. */
export function cpuMs(pid: number, reaped = false): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Fields are counted behind the name, which may hold anything: state is the third.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
  return ((user + system + (reaped ? childUser + childSystem : 0)) * 1000) / HERTZ;
}

/** What processes did, and what the programs did that they started (ffmpeg), in ms. */
export interface Work {
  readonly own: number;
  readonly programs: number;
}

export function workOf(pids: readonly number[]): Work {
  let [own, programs] = [0, 0];
  for (const pid of pids) {
    own += cpuMs(pid);
    programs += cpuMs(pid, true) - cpuMs(pid);
    for (const child of childrenOf(pid)) programs += ended(() => cpuMs(child));
  }
  return { own, programs };
}

/** One that ends while we look is counted as reaped the next time. */
function ended(read: () => number): number {
  try {
    return read();
  } catch {
    return 0;
  }
}
