/** No RTP and no RTCP for this long makes a peer suspect; a browser sends a report every few seconds. */
export const SUSPECT_MS = 10_000;
/** RFC 3550 section 6.2: 5 s between reports, half to one and a half of it at random. */
const REPORT_MIN_MS = 2500;
const REPORT_SPREAD_MS = 5000;
const FIRST_REPORT_MS = 1000;

/** When a connected peer was heard, and when to send it a report. Pure: times and chance are passed in. */
export class Liveness {
  readonly #random: () => number;
  lastHeardAtMs: number | null = null;
  /** When the report before the present one was due: what it is about came later. */
  reportedAtMs = 0;
  #connectedAtMs = Infinity;
  #nextReportMs = Infinity;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  connected(nowMs: number): void {
    this.#connectedAtMs = nowMs;
    this.#nextReportMs = nowMs + FIRST_REPORT_MS;
  }

  heard(nowMs: number): void {
    this.lastHeardAtMs = nowMs;
  }

  suspect(nowMs: number): boolean {
    return nowMs - (this.lastHeardAtMs ?? this.#connectedAtMs) > SUSPECT_MS;
  }

  /** True once per interval. */
  reportDue(nowMs: number): boolean {
    if (nowMs < this.#nextReportMs) return false;
    this.#nextReportMs = nowMs + REPORT_MIN_MS + this.#random() * REPORT_SPREAD_MS;
    return true;
  }
}
