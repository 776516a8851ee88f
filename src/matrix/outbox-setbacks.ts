import type { BotError } from "../base/errors.ts";
import { backoffMs, HomeserverError, isTokenRejected, retryDelayMs } from "./homeserver.ts";
import type { Entry } from "./outbox-entry.ts";

/** What becomes of an event that the homeserver did not take. */
export type Verdict =
  /** Nothing will be taken any more. */
  | { readonly kind: "token_rejected" }
  /** It will not be taken. */
  | { readonly kind: "final" }
  /** A limit: nothing is sent for this time. */
  | { readonly kind: "limited"; readonly delayMs: number }
  /** The homeserver is not well: nothing is sent for this time, or until it answers. */
  | { readonly kind: "paused"; readonly delayMs: number };

/** Refusals of one event while others are taken. */
const MAX_REFUSALS = 8;
/** How long an event is refused before it is given up although nothing else was taken either. */
const MAX_REFUSED_MS = 150_000;
const PAUSE_MS = 500;
const MAX_PAUSE_MS = 8_000;
/** A homeserver that asks us to wait for no time at all, again and again, is not asked more often than this. */
const LIMIT_PAUSE_MS = 250;
const MAX_LIMIT_PAUSE_MS = 5_000;

/** Counts what went wrong since an event was last taken, and judges by it. */
export class Setbacks {
  readonly #random: () => number;
  #failures = 0;
  #limits = 0;
  #lastMs = -Infinity;
  #takenMs = -Infinity;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The homeserver took an event. */
  taken(nowMs: number): void {
    this.#takenMs = nowMs;
    this.answered();
  }

  /** It answers again, whatever it says. */
  answered(): void {
    this.#failures = 0;
    this.#limits = 0;
  }

  /** An attempt that began at `startedMs` failed now. */
  judge(entry: Entry, error: BotError, startedMs: number, nowMs: number): Verdict {
    if (isTokenRejected(error)) return { kind: "token_rejected" };
    // Of several that fail together the first counts.
    const isNews = startedMs >= this.#lastMs;
    this.#lastMs = nowMs;
    if (error instanceof HomeserverError && error.status === 429) {
      const floorMs =
        this.#limits === 0 ? 0 : this.#backoff(this.#limits, LIMIT_PAUSE_MS, MAX_LIMIT_PAUSE_MS);
      if (isNews) this.#limits += 1;
      return { kind: "limited", delayMs: retryDelayMs(error, floorMs) };
    }
    if (!error.retryable || this.#isGivenUp(entry, error, nowMs)) return { kind: "final" };
    if (isNews) this.#failures += 1;
    return { kind: "paused", delayMs: this.#backoff(Math.max(1, this.#failures), PAUSE_MS, MAX_PAUSE_MS) };
  }

  /**
   * An event that always fails must not hold up the others for ever; but one that met an outage is worth as much when
   * that is over. While nobody of the homeserver answers (nothing, or a gateway without it) only its life bounds it.
   */
  #isGivenUp(entry: Entry, error: BotError, nowMs: number): boolean {
    if (!(error instanceof HomeserverError) || [502, 503, 504].includes(error.status)) return false;
    entry.refusals += 1;
    entry.refusedMs ??= nowMs;
    if (entry.refusals < MAX_REFUSALS) return false;
    return this.#takenMs >= entry.refusedMs || nowMs - entry.refusedMs >= MAX_REFUSED_MS;
  }

  #backoff(attempt: number, baseMs: number, maxMs: number): number {
    return backoffMs(attempt, baseMs, maxMs, this.#random);
  }
}
