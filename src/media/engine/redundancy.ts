import { MAX_DEPTH } from "./red.ts";

/** By depth - 1: from this loss on, in two reports running, one more packet is carried along. */
const RAISE_AT = [0.02, 0.08] as const;
/** Under this share of what raised it, for so long, one less. */
const LOWER_BELOW = 0.5;
const CALM_MS = 30_000;
/** What is reported covers so long: after a step it tells about the new depth alone, and only then is there another. */
const WINDOW_MS = 10_000;
/** It is our own traffic that does not fit through when, after there was more of it, this much more is lost. */
const WORSE = { factor: 1.5, plus: 0.05 } as const;
/** Later than this after a step, more loss has another cause. */
const BLAME_MS = 25_000;
const RETRY_MS = 60_000;
const MAX_RETRY_MS = 600_000;

/**
 * How many earlier packets each packet to one listener carries, by that listener's reports alone: what somebody says of
 * their loss costs bandwidth to them and the sound of nobody else. One step a report. Pure: times are passed in.
 */
export class Redundancy {
  #depth = 0;
  #reportedAtMs: number | null = null;
  /** The report before lost enough for the next step. */
  #warned = false;
  #calmSinceMs: number | null = null;
  /** The last step up. */
  #raised: { atMs: number; loss: number } | null = null;
  #retryMs = RETRY_MS;
  #notBeforeMs = 0;

  /** 0 to `MAX_DEPTH`. */
  get depth(): number {
    return this.#depth;
  }

  /** @param loss share of the last ten seconds' packets; null when they report nothing. */
  take(nowMs: number, reportedAtMs: number | null, loss: number | null): void {
    if (reportedAtMs === null || reportedAtMs === this.#reportedAtMs) return;
    this.#reportedAtMs = reportedAtMs;
    if (loss === null) return;
    if (this.#congested(nowMs, loss)) {
      this.#depth--;
      this.#raised = null;
      this.#warned = false;
      this.#notBeforeMs = nowMs + this.#retryMs;
      this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
      return;
    }
    this.#raise(nowMs, loss);
    this.#lower(nowMs, loss);
  }

  #congested(nowMs: number, loss: number): boolean {
    if (!this.#raised || this.#depth === 0) return false;
    const sinceMs = nowMs - this.#raised.atMs;
    if (sinceMs < WINDOW_MS || sinceMs > BLAME_MS) return false;
    return loss > this.#raised.loss * WORSE.factor + WORSE.plus;
  }

  #raise(nowMs: number, loss: number): void {
    const threshold = this.#depth < MAX_DEPTH ? RAISE_AT[this.#depth] : undefined;
    const enough = threshold !== undefined && loss >= threshold;
    const waits = nowMs < this.#notBeforeMs || (this.#raised && nowMs - this.#raised.atMs < WINDOW_MS);
    if (enough && this.#warned && !waits) {
      this.#depth++;
      this.#raised = { atMs: nowMs, loss };
      this.#calmSinceMs = null;
      this.#warned = false;
    } else this.#warned = enough;
  }

  #lower(nowMs: number, loss: number): void {
    const raisedAt = this.#depth === 0 ? undefined : RAISE_AT[this.#depth - 1];
    if (raisedAt === undefined || loss >= raisedAt * LOWER_BELOW) {
      this.#calmSinceMs = null;
      return;
    }
    this.#calmSinceMs ??= nowMs;
    if (nowMs - this.#calmSinceMs < CALM_MS) return;
    this.#depth--;
    this.#calmSinceMs = null;
    this.#raised = null;
    this.#retryMs = RETRY_MS;
  }
}
