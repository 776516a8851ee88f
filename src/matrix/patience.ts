import type { Clock } from "../base/clock.ts";

/** After so long without a request that took too long, the next connection that hangs is given up soon again. */
const FORGET_MS = 600_000;

/**
 * How long an answer is waited for. A connection that hangs is to be given up soon; but a homeserver that takes half a
 * minute for everything would never get an answer to us if we were as quick with it. So each request that took too long
 * doubles the time for those that follow, within bounds.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #leastMs: number;
  readonly #mostMs: number;
  #ms: number;
  #tooShortAtMs = -Infinity;

  constructor(clock: Clock, leastMs: number, mostMs: number) {
    this.#clock = clock;
    this.#leastMs = leastMs;
    this.#mostMs = mostMs;
    this.#ms = leastMs;
  }

  /** For a request that is sent now. */
  get ms(): number {
    if (this.#clock.now() - this.#tooShortAtMs >= FORGET_MS) this.#ms = this.#leastMs;
    return this.#ms;
  }

  /** A request that waited for `waitedMs` got no answer. */
  tooShort(waitedMs: number): void {
    this.#tooShortAtMs = this.#clock.now();
    // Of several that were given up at the same time the first counts.
    if (waitedMs >= this.#ms) this.#ms = Math.min(this.#mostMs, this.#ms * 2);
  }
}
