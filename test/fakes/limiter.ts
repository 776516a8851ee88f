/**
 * Synapse's limit on events of one user over all rooms, by the letter of `synapse/api/ratelimiting.py` (1.143): a leaky
 * bucket as a meter. `count` actions were taken since the bucket was last empty at `startMs`; what is denied costs
 * nothing, is told the time until one action fits (whole ms, rounded down), and its answer is held back for 0.5 s.
 */
export class SynapseLimiter {
  static readonly PAUSE_MS = 500;
  readonly #perSecond: number;
  readonly #burst: number;
  #count = 0;
  #startMs = 0;

  /** Defaults: `rc_message` of Synapse. */
  constructor(perSecond = 0.2, burst = 10) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** One event at `nowMs`. */
  take(nowMs: number): { taken: true } | { taken: false; retryAfterMs: number } {
    let performed = this.#count - ((nowMs - this.#startMs) / 1000) * this.#perSecond;
    if (performed < 0) {
      performed = 0;
      this.#count = 0;
      this.#startMs = nowMs;
    }
    if (performed > this.#burst - 1) {
      const allowedMs = this.#startMs + ((this.#count - this.#burst + 1) / this.#perSecond) * 1000;
      return { taken: false, retryAfterMs: Math.floor(Math.max(0, allowedMs - nowMs)) };
    }
    this.#count += 1;
    return { taken: true };
  }
}
