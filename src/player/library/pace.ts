import { sleep } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";

/** Of a core, for work that nobody waits for. */
export const SHARE = 0.2;
/** Work between two rests, in ms. */
const SLICE_MS = 20;
const LONGEST_REST_MS = 2_000;

/** Rests between slices of work, so that it takes no more than its share of a core; `hurry` while somebody waits. */
export class Pace {
  readonly #clock: Clock;
  readonly #usedMs: () => number;
  #markMs: number;
  #hurried = false;

  /** @param usedMs what the work has used, in ms; default the time that passes, which is an upper bound */
  constructor(clock: Clock, usedMs: () => number = () => clock.now()) {
    this.#clock = clock;
    this.#usedMs = usedMs;
    this.#markMs = usedMs();
  }

  hurry(): void {
    this.#hurried = true;
  }

  /** To be called between any two small steps. */
  async rest(signal?: AbortSignal): Promise<void> {
    const workedMs = this.#usedMs() - this.#markMs;
    if (workedMs < SLICE_MS) return;
    // Those who wait for a listing get it soon, and everybody else their turn in between.
    const restMs = this.#hurried ? 0 : Math.min(LONGEST_REST_MS, workedMs * (1 / SHARE - 1));
    if (restMs === 0) await new Promise((resolve) => setImmediate(resolve));
    else await sleep(this.#clock, restMs, signal);
    this.#markMs = this.#usedMs();
  }
}
