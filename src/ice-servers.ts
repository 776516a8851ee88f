import type { Clock, Timer } from "./base/clock.ts";
import { messageOf } from "./base/errors.ts";
import type { Log } from "./base/log.ts";
import type { Homeserver } from "./matrix/homeserver.ts";
import { readTurnServers } from "./matrix/turn.ts";
import type { IceSettings } from "./media/plane.ts";

export interface IceServersDeps {
  homeserver: Homeserver;
  allowPrivate: IceSettings["allowPrivate"];
  clock: Clock;
  log: Log;
  /** There are new credentials. */
  onRenewed: () => void;
}

/** Renewed at this share of their life. */
const RENEW_AT = 0.8;
const RETRY_MS = 60_000;
const FIRST_ANSWER_MS = 1_000;
const MAX_TIMER_MS = 24 * 3_600_000;

/** The TURN servers that the homeserver offers, kept fresh. */
export class IceServers {
  readonly #deps: IceServersDeps;
  readonly #closing = new AbortController();
  #servers: IceSettings["servers"] = [];
  #timer: Timer | null = null;

  constructor(deps: IceServersDeps) {
    this.#deps = deps;
  }

  settings(): IceSettings {
    return { servers: this.#servers, allowPrivate: this.#deps.allowPrivate };
  }

  /** Resolves when the homeserver has answered, or after a second: most have no TURN, and a slow one must not hold us. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      const limit = this.#deps.clock.timer(FIRST_ANSWER_MS, resolve);
      void this.#read().finally(() => {
        limit.cancel();
        resolve();
      });
    });
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
  }

  async #read(): Promise<void> {
    const { homeserver, log, onRenewed } = this.#deps;
    let nextMs = RETRY_MS;
    try {
      const { servers, ttlMs } = await readTurnServers(homeserver, this.#closing.signal);
      nextMs = ttlMs * RENEW_AT;
      if (servers.length > 0 || this.#servers.length > 0) {
        this.#servers = servers;
        onRenewed();
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      log.warn("turn_unavailable", { reason: messageOf(error) });
    }
    this.#timer = this.#deps.clock.timer(Math.min(nextMs, MAX_TIMER_MS), () => void this.#read());
  }
}
