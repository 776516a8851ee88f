import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Tally } from "../base/tally.ts";

const LOG_EVERY_MS = 60_000;

/** Tells operators about the homeserver's rate limit: that it bites, at most once a minute, and what to do, once. */
export class LimitNews {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tally: Tally | undefined;
  #lastMs = -Infinity;
  #explained = false;

  constructor(clock: Clock, log: Log, tally?: Tally) {
    this.#clock = clock;
    this.#log = log;
    this.#tally = tally;
  }

  limited(retryAfterMs: number, waiting: number): void {
    this.#tally?.count("rate_limited", "429");
    const nowMs = this.#clock.now();
    if (nowMs - this.#lastMs >= LOG_EVERY_MS) {
      this.#lastMs = nowMs;
      this.#log.info("rate_limited", { retryAfterMs, waiting });
    }
    if (this.#explained) return;
    this.#explained = true;
    this.#log.warn("budget_degraded", {
      reason:
        "the homeserver limits how many events this account may send; the membership is refreshed less often, replies wait",
      hint: "an administrator can lift it: POST /_synapse/admin/v1/users/{userId}/override_ratelimit",
    });
  }
}
