/**
 * Time as everything in this project sees it: passed in, in milliseconds, monotonic where durations count.
 */
export interface Timer {
  /** Idempotent. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds. On one machine all processes of the bot share its origin (it restarts at boot). */
  now(): number;
  /** Milliseconds since the Unix epoch; may jump. Only for what people and other machines read. */
  wall(): number;
  /** Calls `run` once after `delayMs` (≥ 0). The owner cancels it when it closes. */
  timer(delayMs: number, run: () => void): Timer;
}
