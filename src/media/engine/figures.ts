import type { ConnectionStats } from "./engine.ts";
import type { ReportBlock } from "./rtcp.ts";

/** How far back "recently" goes. */
export const RECENT_MS = 10_000;
/** Reports come every few seconds; one in such a time is kept to compare with. */
const SPACING_MS = 1000;
const MAX_KEPT = 16;

/** What was counted until a moment. */
export interface Counts {
  sent: number;
  received: number;
  missed: number;
}

/** Counters of the last seconds, to tell what happened lately from what happened in all. Pure: times are passed in. */
export class RecentCounts {
  readonly #kept: (Counts & { atMs: number })[] = [];

  /** Called about once a second. */
  take(nowMs: number, counts: Counts): void {
    this.#kept.push({ ...counts, atMs: nowMs });
    while (this.#kept.length > MAX_KEPT) this.#kept.shift();
  }

  /** What was counted since ten seconds ago, or since the beginning when that is nearer. */
  since(nowMs: number, counts: Counts): Counts {
    const before = this.#kept.findLast(({ atMs }) => nowMs - atMs >= RECENT_MS);
    const base = before ?? { sent: 0, received: 0, missed: 0 };
    // A stream that begins anew counts from zero, and late packets are missed no more.
    return {
      sent: Math.max(0, counts.sent - base.sent),
      received: Math.max(0, counts.received - base.received),
      missed: Math.max(0, counts.missed - base.missed),
    };
  }
}

/** Of packets that were due those that did not come; null when none were. */
export function missedShare({ received, missed }: Counts): number | null {
  return received + missed === 0 ? null : missed / (received + missed);
}

interface Heard {
  atMs: number;
  /** Packets that were due at the other side since the first one that was sent there, and of them the lost ones. */
  due: number;
  lost: number;
}

/** What the other side's reports say of the loss of our stream (RFC 3550 section 6.4.1). Pure: times are passed in. */
export class LossReports {
  #kept: Heard[] = [];
  #latest: Heard | null = null;

  /** @param first the number of the first packet that went there. */
  take(block: Pick<ReportBlock, "highestSequence" | "cumulativeLost">, first: number, nowMs: number): void {
    // Numbers wrap at 16 bits; they count the turns from the first packet that they saw, which may be after one.
    const seen = (block.highestSequence - first + 1) | 0;
    const due = seen < -0x8000 ? seen + 0x1_0000 : seen;
    const lost = block.cumulativeLost;
    // It contradicts itself, or is about something else.
    if (due < 0 || lost > due) return;
    this.#latest = { atMs: nowMs, due, lost: Math.max(0, lost) };
    const last = this.#kept.at(-1);
    if (!last || nowMs - last.atMs >= SPACING_MS) this.#kept = [...this.#kept, this.#latest].slice(-MAX_KEPT);
  }

  get reportedAtMs(): number | null {
    return this.#latest?.atMs ?? null;
  }

  /** Since the first packet. */
  inAll(): number | null {
    return this.#latest === null ? null : share(this.#latest);
  }

  /** Between the newest report and the one before the last ten seconds; null when it is older than those itself. */
  recently(nowMs: number): number | null {
    const latest = this.#latest;
    if (latest === null || nowMs - latest.atMs >= RECENT_MS) return null;
    const before = this.#kept.findLast(({ atMs }) => nowMs - atMs >= RECENT_MS);
    return share({ due: latest.due - (before?.due ?? 0), lost: latest.lost - (before?.lost ?? 0) });
  }
}

function share({ due, lost }: { due: number; lost: number }): number | null {
  return due <= 0 ? null : Math.min(1, Math.max(0, lost / due));
}

/** Whether a relay is in the way; null as long as there is none. */
export function isRelayed(way: ConnectionStats["way"]): boolean | null {
  return way && (way.local === "relay" || way.remote === "relay");
}
