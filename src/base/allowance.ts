/** So much a second, and `burst` at once (a token bucket). Starts full. Pure: times are passed in. */
export class Allowance {
  readonly #perMs: number;
  readonly #burst: number;
  #left: number;
  #atMs = -Infinity;

  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#left = burst;
  }

  /** Takes `amount` if it is there. @param nowMs monotonic */
  take(nowMs: number, amount = 1): boolean {
    this.#refill(nowMs);
    if (this.#left < amount) return false;
    this.#left -= amount;
    return true;
  }

  /** Takes `amount` even if it is not there: then nothing is, until that much has come. */
  spend(nowMs: number, amount: number): void {
    this.#refill(nowMs);
    this.#left -= amount;
  }

  /** Whether nothing is missing: as good as a new one. */
  full(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#left >= this.#burst;
  }

  #refill(nowMs: number): void {
    // A time before the last one adds nothing.
    if (nowMs <= this.#atMs) return;
    this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
