import { MAX_ITEMS } from "./item.ts";

/** Lists within one another: a playlist of playlists is read, a playlist of those is not. */
const MAX_DEPTH = 2;
/** For everything that hangs on one playlist. */
const PATIENCE_MS = 60_000;

/** Where something stands in playlists, and what all of them together may still cost. */
export class Within {
  /** In how many playlists. */
  readonly depth: number;
  readonly #shared: { entries: number; readonly untilMs: number };

  private constructor(depth: number, shared: { entries: number; readonly untilMs: number }) {
    this.depth = depth;
    this.#shared = shared;
  }

  /** In none so far. @param nowMs of the clock */
  static nothing(nowMs: number): Within {
    return new Within(0, { entries: MAX_ITEMS, untilMs: nowMs + PATIENCE_MS });
  }

  /** In one more; null when that is too deep. */
  inner(): Within | null {
    return this.depth < MAX_DEPTH ? new Within(this.depth + 1, this.#shared) : null;
  }

  /** Whether another entry may be looked at; if so it counts. */
  take(): boolean {
    if (this.#shared.entries <= 0) return false;
    this.#shared.entries--;
    return true;
  }

  /** Ms, 0 when the time is over. */
  patienceMs(nowMs: number): number {
    return Math.max(0, this.#shared.untilMs - nowMs);
  }
}
