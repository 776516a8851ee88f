import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";

const TICK_MS = 1000;

/** The connections of an engine, each of which is called about once a second. */
export class Connections<C extends { tick(nowMs: number): void; close(): void }> {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #all = new Set<C>();
  #timer: Timer | null = null;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  add(connection: C): void {
    this.#all.add(connection);
    this.#timer ??= this.#clock.timer(TICK_MS, () => this.#tick());
  }

  delete(connection: C): void {
    this.#all.delete(connection);
  }

  /** Closes them all; no more are added. */
  close(): void {
    this.#timer?.cancel();
    for (const connection of this.#all) connection.close();
  }

  #tick(): void {
    const now = this.#clock.now();
    for (const connection of this.#all) {
      try {
        connection.tick(now);
      } catch (error) {
        this.#log.error("engine_error", { what: "tick", error });
      }
    }
    // Not a word when nobody is there.
    this.#timer = this.#all.size > 0 ? this.#clock.timer(TICK_MS, () => this.#tick()) : null;
  }
}
