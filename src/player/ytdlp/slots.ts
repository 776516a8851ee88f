import { BotError } from "../../base/errors.ts";

/** So many at once; the others wait, in their order. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with how to leave again (idempotent) when it is one's turn. @throws BotError `cancelled` */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new BotError("cancelled", "cancelled");
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(next), 1);
        reject(new BotError("cancelled", "cancelled"));
      };
      this.#waiting.push(next);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
