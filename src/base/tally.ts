/** What is counted, each by a label: see docs/METRICS.md. */
export type Counted =
  /** Events that the homeserver has taken, by the priority they went with. */
  | "event_sent"
  /** Answers of 429, all under one label. */
  | "rate_limited"
  /** What came in and was not used, by reason. */
  | "drop"
  /** Tracks by how they ended. */
  | "track"
  /** Files of recordings: sent, or kept because they could not be. */
  | "file"
  /** Commands of people, by name. */
  | "command"
  /** Media children that ended without having been asked to, all under one label. */
  | "child_failed"
  /** Lines of the log, by event. */
  | "log";

const MAX_LABELS = 200;
/** Stands for all labels beyond the bound. */
const OTHER = "other";

/** Counts what happens for as long as the process lives. Bounded: it can be kept whether or not anybody asks. */
export class Tally {
  readonly #counts = new Map<Counted, Map<string, number>>();

  count(what: Counted, label: string, by = 1): void {
    let labels = this.#counts.get(what);
    if (!labels) this.#counts.set(what, (labels = new Map()));
    const key = labels.has(label) || labels.size < MAX_LABELS ? label : OTHER;
    labels.set(key, (labels.get(key) ?? 0) + by);
  }

  of(what: Counted): ReadonlyMap<string, number> {
    return this.#counts.get(what) ?? new Map();
  }

  total(what: Counted, label?: string): number {
    if (label !== undefined) return this.of(what).get(label) ?? 0;
    return [...this.of(what).values()].reduce((sum, count) => sum + count, 0);
  }
}
