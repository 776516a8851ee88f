import type { Clock } from "../base/clock.ts";
import { BotError, toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { HomeserverError } from "./homeserver.ts";

const REMIND_MS = 600_000;

/** Tells operators that the homeserver is away or does not serve us: once, every ten minutes, and when it is over. */
export class OutageNews {
  readonly #clock: Clock;
  readonly #log: Log;
  #sinceMs: number | null = null;
  #toldMs = -Infinity;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** A request that everything depends on failed, for the `failures`th time in a row. */
  failed(error: unknown, failures: number, retryInMs: number): void {
    const nowMs = this.#clock.now();
    this.#sinceMs ??= nowMs;
    const answered = error instanceof HomeserverError || !(error instanceof BotError);
    const event = answered ? "sync_failed" : "homeserver_unreachable";
    const fields = { retryInMs, failures, error: toBotError(error) };
    if (nowMs - this.#toldMs < REMIND_MS) return this.#log.debug(event, fields);
    this.#toldMs = nowMs;
    const reason = answered
      ? "the homeserver, or a proxy before it, does not serve the bot"
      : "the homeserver does not answer";
    const hint = "calls go on meanwhile, and the bot comes back by itself; is the homeserver up?";
    this.#log.warn(event, { reason, hint, ...fields });
  }

  back(): void {
    if (this.#sinceMs === null) return;
    this.#log.info("homeserver_back", { awayMs: Math.round(this.#clock.now() - this.#sinceMs) });
    this.#sinceMs = null;
    this.#toldMs = -Infinity;
  }
}
