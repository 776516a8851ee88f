import type { Clock } from "./clock.ts";

/** CLOCK_MONOTONIC, which the control process and the media children share, so that times may cross between them. */
export const systemClock: Clock = {
  now: () => Number(process.hrtime.bigint()) / 1e6,
  wall: () => Date.now(),
  timer(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
