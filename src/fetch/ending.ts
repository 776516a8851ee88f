import type { Clock, Timer } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";

/** What ends one fetch: its owner, its time, or itself; whoever comes first says why. Owns the timer and the signal. */
export class Ending {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #owner: AbortSignal;
  readonly #onOwner = (): void => this.fail(new BotError("cancelled", "cancelled"));
  readonly #timer: Timer | null;
  #error: BotError | null = null;

  /** @param late why, when `totalMs` are over; null: no such bound */
  constructor(clock: Clock, owner: AbortSignal, totalMs: number | null, late: () => BotError) {
    this.#clock = clock;
    this.#owner = owner;
    this.#timer = totalMs === null ? null : clock.timer(totalMs, () => this.fail(late()));
    if (owner.aborted) this.#onOwner();
    else owner.addEventListener("abort", this.#onOwner, { once: true });
  }

  /** Aborts when it ends, for whatever reason: what belongs to the fetch ends with it. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why it ended; null while it goes on, and when it ended well. */
  get error(): BotError | null {
    return this.#error;
  }

  fail(error: BotError): void {
    if (this.signal.aborted) return;
    this.#error = error;
    this.close();
  }

  /** Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#owner.removeEventListener("abort", this.#onOwner);
    this.#controller.abort();
  }

  /** As `work`, which ends with this; fails all of it when it takes over `ms`. */
  async within<T>(ms: number, late: () => BotError, work: Promise<T>): Promise<T> {
    const timer = this.#clock.timer(ms, () => this.fail(late()));
    const { promise, reject } = Promise.withResolvers<never>();
    const onEnd = (): void => reject(this.#error ?? new BotError("cancelled", "closed"));
    if (this.signal.aborted) onEnd();
    this.signal.addEventListener("abort", onEnd, { once: true });
    try {
      return await Promise.race([work, promise]);
    } finally {
      timer.cancel();
      this.signal.removeEventListener("abort", onEnd);
      // Whichever of the two lost may still fail, which nobody asks any more.
      promise.catch(() => undefined);
      work.catch(() => undefined);
    }
  }
}
