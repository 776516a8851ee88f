import { BotError } from "../../base/errors.ts";

interface Waiting {
  of: string | null;
  go: () => void;
}

/** So many at once, and of one person one of them: whoever has pages that take a minute leaves the rest to others. */
export class Slots {
  #free: number;
  readonly #inside = new Set<string>();
  /** In their order. */
  readonly #waiting: Waiting[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Resolves with how to leave again (idempotent) when it is one's turn.
   * @param of whose it is; null: nobody's, of which there may be several @throws BotError `cancelled`
   */
  async enter(signal: AbortSignal, of: string | null = null): Promise<() => void> {
    if (signal.aborted) throw new BotError("cancelled", "cancelled");
    if (this.#mayEnter(of)) this.#take(of);
    else await this.#turn(signal, of);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#free++;
      if (of !== null) this.#inside.delete(of);
      this.#next();
    };
  }

  #mayEnter(of: string | null): boolean {
    return this.#free > 0 && (of === null || !this.#inside.has(of));
  }

  #take(of: string | null): void {
    this.#free--;
    if (of !== null) this.#inside.add(of);
  }

  #next(): void {
    const index = this.#waiting.findIndex(({ of }) => this.#mayEnter(of));
    const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (!next) return;
    this.#take(next.of);
    next.go();
  }

  #turn(signal: AbortSignal, of: string | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        of,
        go: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(new BotError("cancelled", "cancelled"));
      };
      this.#waiting.push(waiting);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
