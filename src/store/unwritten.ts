import type { Clock, Timer } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";

export interface UnwrittenOptions {
  /** Null: there is no such document any more. @throws what SQLite throws */
  write: (roomId: string, name: string, json: string | null) => void;
  clock: Clock;
  log: Log;
}

const RETRY_MS = 10_000;

/**
 * Documents that the disk does not take: it is full, or can only be read by now. The bot goes on with them as if they were
 * kept; they are written, oldest first, with whatever is written next, every ten seconds, and at the end. The operator is told
 * when it begins and when it is over.
 */
export class Unwritten {
  readonly #options: UnwrittenOptions;
  /** The newest of each document. */
  readonly #waiting = new Map<string, { roomId: string; name: string; json: string | null }>();
  #failing = false;
  #retry: Timer | null = null;

  constructor(options: UnwrittenOptions) {
    this.#options = options;
  }

  /** Undefined when it does not wait here: what is on the disk holds. */
  get(roomId: string, name: string): string | null | undefined {
    return this.#waiting.get(keyOf(roomId, name))?.json;
  }

  /** @returns whether it is on the disk */
  put(roomId: string, name: string, json: string | null): boolean {
    const key = keyOf(roomId, name);
    this.#waiting.delete(key);
    this.#waiting.set(key, { roomId, name, json });
    return this.flush();
  }

  /** Writes what waits, as far as the disk takes it. @returns whether nothing waits any more */
  flush(): boolean {
    for (const [key, { roomId, name, json }] of this.#waiting) {
      if (!this.attempt(() => this.#options.write(roomId, name, json))) break;
      this.#waiting.delete(key);
    }
    if (this.#waiting.size > 0) this.#retry ??= this.#options.clock.timer(RETRY_MS, () => this.#again());
    else if (this.#failing) {
      this.#failing = false;
      this.#options.log.info("store_written");
    }
    return this.#waiting.size === 0;
  }

  /** What may be lost when the disk does not take it. @returns whether it did @throws what SQLite has nothing to do with */
  attempt(write: () => unknown): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (typeof (error as { errcode?: unknown } | null)?.errcode !== "number") throw error;
      if (!this.#failing) this.#options.log.error("store_unwritten", { reason: messageOf(error) });
      this.#failing = true;
      return false;
    }
  }

  /** One last attempt. */
  close(): void {
    this.flush();
    this.#retry?.cancel();
    this.#retry = null;
  }

  #again(): void {
    this.#retry = null;
    this.flush();
  }
}

const keyOf = (roomId: string, name: string): string => JSON.stringify([roomId, name]);
