import type { JournalEntry, ReadJournal } from "../../journal.ts";
import type { Timeline } from "../align/timeline.ts";

/** Something that happened at an instant of the exported sound, ms of the timeline. */
export type Mark =
  | { kind: "note"; atMs: number; text: string; userId: string; name: string }
  | { kind: "joined"; atMs: number; userId: string; name: string }
  | { kind: "left"; atMs: number; userId: string; name: string }
  /** Nothing was recorded; the exports are silent there. */
  | { kind: "gap"; atMs: number; toMs: number; reason: string }
  /** So much time was cut out here. */
  | { kind: "paused"; atMs: number; lengthMs: number }
  /** Somebody had their track removed. Nothing else is said about them. */
  | { kind: "removed"; atMs: number };

/**
 * What an export tells of a recording's course, in order. @param hidden people of whom nothing is to be told but that a track was
 * removed
 */
export function marksOf(
  { entries }: Pick<ReadJournal, "entries">,
  timeline: Timeline,
  hidden: ReadonlySet<string>,
): Mark[] {
  const marks: Mark[] = [];
  const people = new Map<string, { userId: string; name: string }>();
  let gap: (JournalEntry & { kind: "gap" }) | null = null;
  const endGap = (toMs: number): void => {
    if (gap) marks.push({ kind: "gap", atMs: timeline.entryMs(gap), toMs, reason: gap.reason });
    gap = null;
  };
  for (const entry of entries) {
    const atMs = timeline.entryMs(entry);
    if (entry.kind === "note" && !hidden.has(entry.byUserId))
      marks.push({ kind: "note", atMs, text: entry.text, userId: entry.byUserId, name: entry.byName });
    if (entry.kind === "erased") marks.push({ kind: "removed", atMs });
    if (entry.kind === "gap") gap ??= entry;
    if (entry.kind === "resumed") endGap(atMs);
    if (entry.kind !== "joined" && entry.kind !== "left") continue;
    const before = people.get(entry.key);
    if (entry.kind === "joined") people.set(entry.key, { userId: entry.userId, name: entry.name });
    else people.delete(entry.key);
    const person = entry.kind === "joined" ? people.get(entry.key) : before;
    // A new name is no arrival.
    const news = entry.kind === "left" || before?.userId !== entry.userId;
    if (person && news && !hidden.has(person.userId)) marks.push({ kind: entry.kind, atMs, ...person });
  }
  endGap(timeline.totalSamples / 48);
  for (const { fromMs, toMs } of timeline.cuts)
    marks.push({ kind: "paused", atMs: timeline.samplesAt(fromMs) / 48, lengthMs: toMs - fromMs });
  return marks.sort((a, b) => a.atMs - b.atMs);
}

/** Whose track was removed and who has none since: nothing of them belongs into an export. The same for who refused from the start. */
export function hiddenPeople(
  { entries }: Pick<ReadJournal, "entries">,
  withTrack: ReadonlySet<string>,
): Set<string> {
  const hidden = new Set<string>();
  for (const entry of entries) {
    if (entry.kind === "erased" || (entry.kind === "consent" && !entry.agreed)) hidden.add(entry.userId);
    if (entry.kind === "consent" && entry.agreed) hidden.delete(entry.userId);
  }
  return new Set([...hidden].filter((userId) => !withTrack.has(userId)));
}
