import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Tally } from "../base/tally.ts";

const LOG_EVERY_MS = 60_000;
const MAX_REASONS = 50;

/** Counts what came in and was not used, by reason, and logs each reason at most once a minute. */
export class DropCounter {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tally: Tally | undefined;
  readonly #reasons = new Map<string, { count: number; loggedMs: number }>();

  constructor(clock: Clock, log: Log, tally?: Tally) {
    this.#clock = clock;
    this.#log = log;
    this.#tally = tally;
  }

  count(reason: string): void {
    this.#tally?.count("drop", reason);
    const nowMs = this.#clock.now();
    const entry = this.#reasons.get(reason);
    if (!entry && this.#reasons.size >= MAX_REASONS) return;
    const count = (entry?.count ?? 0) + 1;
    const due = !entry || nowMs - entry.loggedMs >= LOG_EVERY_MS;
    this.#reasons.set(reason, { count, loggedMs: due ? nowMs : entry.loggedMs });
    if (due) this.#log.info("signal_dropped", { reason, count });
  }
}
