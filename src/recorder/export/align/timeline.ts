import type { JournalEntry, ReadJournal } from "../../journal.ts";
import { SAMPLES_PER_MS } from "../opus.ts";

/** A stretch of time, ms since the recording's start, paused time included. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What only happens while something is recorded: the last of them is the end of a recording that was cut off. */
const LIVE: ReadonlySet<JournalEntry["kind"]> = new Set([
  ...(["joined", "left", "notice", "track", "paused", "unpaused", "note"] as const),
  ...(["level", "warned", "gap", "resumed", "alive"] as const),
]);
const SHORTEST = 960;
/** A monotonic clock is not set back: where it is, the machine was started again. */
const BACK_MS = 1_000;

/**
 * When each entry was, ms since the recording's start. After a restart of the machine, when monotonic times begin anew, by the wall
 * clock.
 */
export function entryTimes({
  start,
  entries,
}: Pick<ReadJournal, "start" | "entries">): Map<JournalEntry, number> {
  const times = new Map<JournalEntry, number>();
  let lastMs = -Infinity;
  let rebooted = false;
  for (const entry of entries) {
    rebooted ||= entry.atMs < lastMs - BACK_MS;
    lastMs = entry.atMs;
    times.set(entry, rebooted ? entry.wallMs - start.wallMs : entry.atMs - start.atMs);
  }
  return times;
}

/** The time that exports have: from the start to the stop, paused time cut out. Gaps stay. */
export class Timeline {
  readonly totalSamples: number;
  /** Paused time, in order, none of it twice. */
  readonly cuts: readonly Stretch[];
  readonly #times: Map<JournalEntry, number>;

  /** @param lastMs of what was heard last, since the start: the end of a recording without a stop */
  constructor(journal: Pick<ReadJournal, "start" | "entries">, lastMs: number) {
    this.#times = entryTimes(journal);
    const stop = journal.entries.findLast(({ kind }) => kind === "stop");
    const live = journal.entries.filter(({ kind }) => LIVE.has(kind));
    const endMs = stop
      ? this.#at(stop)
      : Math.max(0, lastMs, ...live.slice(-1).map((entry) => this.#at(entry)));
    this.cuts = this.#pauses(journal.entries, endMs);
    this.totalSamples = Math.max(SHORTEST, Math.round(this.samplesAt(endMs)));
  }

  /** Samples of the timeline, fractions of one included, at a time since the start. In paused time it stands. */
  samplesAt(sinceStartMs: number): number {
    let cutMs = 0;
    for (const { fromMs, toMs } of this.cuts) {
      if (sinceStartMs <= fromMs) break;
      cutMs += Math.min(sinceStartMs, toMs) - fromMs;
    }
    return (sinceStartMs - cutMs) * SAMPLES_PER_MS;
  }

  /** Where an entry of the journal belongs, ms of the timeline: never outside of it. */
  entryMs(entry: JournalEntry): number {
    const samples = Math.min(Math.max(0, this.samplesAt(this.#at(entry))), this.totalSamples);
    return samples / SAMPLES_PER_MS;
  }

  isPaused(sinceStartMs: number): boolean {
    return this.cuts.some(({ fromMs, toMs }) => sinceStartMs >= fromMs && sinceStartMs < toMs);
  }

  #at(entry: JournalEntry): number {
    return this.#times.get(entry) ?? 0;
  }

  #pauses(entries: readonly JournalEntry[], endMs: number): Stretch[] {
    const cuts: Stretch[] = [];
    let fromMs: number | null = null;
    for (const entry of entries) {
      if (entry.kind === "paused") fromMs ??= this.#at(entry);
      if (entry.kind !== "unpaused" || fromMs === null) continue;
      const toMs = Math.min(this.#at(entry), endMs);
      if (toMs > fromMs) cuts.push({ fromMs, toMs });
      fromMs = null;
    }
    if (fromMs !== null && endMs > fromMs) cuts.push({ fromMs, toMs: endMs });
    return cuts;
  }
}
