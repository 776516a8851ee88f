import { BotError } from "./errors.ts";
import type { Clock } from "./clock.ts";

/**
 * Resolves like `work`, or rejects with `timeout` after `ms` milliseconds. The work itself goes on: whoever started it
 * owns its cancellation.
 */
export function withTimeout<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(ms, () =>
      reject(new BotError("timeout", `${what} took over ${ms} ms`, { retryable: true })),
    );
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}

/** Resolves after `ms` milliseconds; rejects with `cancelled` when `signal` aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new BotError("cancelled", "cancelled"));
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(new BotError("cancelled", "cancelled"));
    };
    const timer = clock.timer(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Runs asynchronous jobs one after the other, in the order given; a failed one does not stop the next. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(job: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(job);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Resolves when everything queued so far has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
