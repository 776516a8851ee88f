import { constants, setPriority } from "node:os";

/** Gives a process of ours a lower priority, or the lowest: nobody who listens may notice it. */
export function stepBack(pid: number | undefined, priority: number = constants.priority.PRIORITY_LOW): void {
  try {
    if (pid !== undefined) setPriority(pid, priority);
  } catch {
    // It has ended, or it is not allowed here: it works all the same.
  }
}
