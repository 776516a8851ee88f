import type { Clock, Timer } from "../base/clock.ts";
import type { BotError } from "../base/errors.ts";

/** The track whose first sound somebody waits for: at most one at a time. */
export class Starting {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  #current: { id: string; resolve: () => void; reject: (error: BotError) => void } | null = null;

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** Resolves when the track sounds, or after the patience; rejects when it fails before. */
  async sound(id: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer: Timer = this.#clock.timer(this.#patienceMs, resolve);
    const current = { id, resolve, reject };
    this.#current = current;
    try {
      await promise;
    } finally {
      timer.cancel();
      if (this.#current === current) this.#current = null;
    }
  }

  isWaitedFor(id: string): boolean {
    return this.#current?.id === id;
  }

  sounded(id: string): void {
    if (this.isWaitedFor(id)) this.#current?.resolve();
  }

  /** What is waited for will not come. */
  fail(error: BotError): void {
    this.#current?.reject(error);
  }
}
