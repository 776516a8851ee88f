import type { Clock, Timer } from "./base/clock.ts";

export interface AloneTimerDeps {
  clock: Clock;
  limitMs: number;
  /** Asked on each `check` and once more at the end. */
  isAlone: () => boolean;
  onAlone: () => void;
}

/** Waits for the bot to have been alone in its channel for a while. `check` on every change of who is there. */
export class AloneTimer {
  readonly #deps: AloneTimerDeps;
  #timer: Timer | null = null;
  #closed = false;

  constructor(deps: AloneTimerDeps) {
    this.#deps = deps;
  }

  check(): void {
    if (this.#closed) return;
    if (!this.#deps.isAlone()) {
      this.#timer?.cancel();
      this.#timer = null;
      return;
    }
    this.#timer ??= this.#deps.clock.timer(this.#deps.limitMs, () => {
      this.#timer = null;
      if (!this.#closed && this.#deps.isAlone()) this.#deps.onAlone();
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }
}
