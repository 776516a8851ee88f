import type { Steps } from "../../src/base/slices.ts";

/** What comes of work in steps, without a rest in between. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** In how many steps it is done, however it ends. */
export function stepsOf(steps: Steps<unknown>): number {
  let count = 1;
  try {
    while (steps.next().done !== true) count++;
  } catch {
    // What is refused was looked at as well.
  }
  return count;
}
