import type { Clock } from "./clock.ts";

/** Work that stops between any two of its small steps, and ends with what came of it. */
export type Steps<T> = Generator<void, T, void>;

/** Between two packets of a track that are due there are 20 ms. */
const SLICE_MS = 5;

/**
 * Runs work whose amount strangers choose: whatever else is due in this process has its turn every 5 ms.
 * @throws what the work throws
 */
export async function inSlices<T>(clock: Pick<Clock, "now">, steps: Steps<T>): Promise<T> {
  let sinceMs = clock.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.now() - sinceMs < SLICE_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sinceMs = clock.now();
  }
}
