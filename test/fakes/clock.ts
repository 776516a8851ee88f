import type { Clock, Timer } from "../../src/base/clock.ts";

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number;
  readonly #wallOffsetMs: number;
  readonly #timers = new Set<{ atMs: number; run: () => void }>();

  constructor(startMs = 1000, wallMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
    this.#wallOffsetMs = wallMs - startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wall(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  timer(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`, running due timers in their order at their times. What they await runs later: see `advance`. */
  tick(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#nextTimer();
      if (next === null || next.atMs > endMs) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = endMs;
  }

  /** As `tick`, and lets everything that promises have to do happen before each timer and at the end. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#nextTimer();
      if (next === null || next.atMs > endMs) break;
      this.tick(next.atMs - this.#nowMs);
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }

  #nextTimer(): { atMs: number; run: () => void } | null {
    let next: { atMs: number; run: () => void } | null = null;
    for (const timer of this.#timers) if (next === null || timer.atMs < next.atMs) next = timer;
    return next;
  }
}

/** Lets pending promise callbacks run; no real time passes. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
