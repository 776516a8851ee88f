import type { Clock, Timer } from "../base/clock.ts";

export interface AloneTimerDeps {
  clock: Clock;
  limitMs: number;
  /** Asked on each `check` and once more at the end. */
  isAlone: () => boolean;
  /** Something goes on that nobody has to be there for; `check` when it is over. */
  isBusy: () => boolean;
  onAlone: () => void;
}

/**
 * Waits for the bot to have been alone in its channel for a while, and for what it still does there. `check` on every
 * change of who is there.
 *
 *   in company ⇄ alone ── limitMs, and not busy ──► told
 */
export class AloneTimer {
  readonly #deps: AloneTimerDeps;
  #alone: { sinceMs: number; timer: Timer } | null = null;
  #closed = false;

  constructor(deps: AloneTimerDeps) {
    this.#deps = deps;
  }

  check(): void {
    if (this.#closed) return;
    const { clock, limitMs, isAlone, isBusy, onAlone } = this.#deps;
    if (!isAlone()) return this.#forget();
    const nowMs = clock.now();
    this.#alone ??= { sinceMs: nowMs, timer: clock.timer(limitMs, () => this.check()) };
    if (nowMs - this.#alone.sinceMs < limitMs || isBusy()) return;
    this.#forget();
    onAlone();
  }

  close(): void {
    this.#closed = true;
    this.#forget();
  }

  #forget(): void {
    this.#alone?.timer.cancel();
    this.#alone = null;
  }
}
