import { constants, setPriority } from "node:os";

/** Gives a process of ours the lowest priority: nobody who listens may notice it. */
export function stepBack(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended, or it is not allowed here: it works all the same.
  }
}
