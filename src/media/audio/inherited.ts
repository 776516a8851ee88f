import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { devNull } from "node:os";

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Descriptors of this process that a program started by it would inherit (Linux; elsewhere none are known). The WebRTC
 * library opens its sockets so: a decoder of foreign files would have them, and hold their ports after we closed them.
 */
export function inheritable(): number[] {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .filter((descriptor) => descriptor > 2 && isInheritable(descriptor));
  } catch {
    return [];
  }
}

function isInheritable(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags !== undefined && (parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false; // the one that the list was read from
  }
}

/**
 * Calls `start` with the stdio list of a program that shall have `stdio` and nothing else of ours: in the place of every
 * other descriptor that it would inherit it gets an empty one.
 */
export function startWithOnly<S, T>(stdio: readonly S[], start: (stdio: (S | "ignore" | number)[]) => T): T {
  const others = inheritable().filter((descriptor) => descriptor >= stdio.length);
  if (others.length === 0) return start([...stdio]);
  const empty = openSync(devNull, "r");
  try {
    const all: (S | "ignore" | number)[] = [...stdio];
    while (all.length <= Math.max(...others)) all.push("ignore"); // which leaves those from 3 on alone
    for (const descriptor of others) all[descriptor] = empty;
    return start(all);
  } finally {
    closeSync(empty);
  }
}
