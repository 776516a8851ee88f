import type { JournalEntry, JournalStamp, ReadJournal } from "./journal.ts";
import type { ChannelPerson, PresenceBefore } from "./presence.ts";

/** How a recording stood when its journal ends: what a recorder needs to go on with it. */
export interface Stood extends PresenceBefore {
  title: string | null;
  byName: string;
  automatic: boolean;
  /** The room was told that it is recorded. */
  roomTold: boolean;
  /** `what speaker` of every voice and music that a file was opened for. */
  tracks: ReadonlySet<string>;
  /** `what userId` of what the room was told of somebody's sound. */
  warned: ReadonlySet<string>;
  notes: number;
  /** Of all pauses that are over. */
  pausedMs: number;
  /** Since when it is paused, in the journal's time; null: it is not. */
  pausedAtMs: number | null;
  /** Since when nothing is written although it should be, in the journal's time; null: it is. */
  gapAtMs: number | null;
}

/** After so long a recording that was interrupted does not go on any more: it is delivered as it is. */
export const GOES_ON_WITHIN_MS = 15 * 60_000;

/** Entries about what becomes of the files: they come when nothing is recorded any more. */
const AFTERWARDS: ReadonlySet<string> = new Set<JournalEntry["kind"]>([
  "stop",
  "exported",
  "sent",
  "kept",
  "delivered",
  "repaired",
]);

/** When the journal last said something while it was recorded. */
export function lastKnown({ start, entries }: Pick<ReadJournal, "start" | "entries">): JournalStamp {
  const last = entries.findLast(({ kind }) => !AFTERWARDS.has(kind)) ?? start;
  return { atMs: last.atMs, wallMs: last.wallMs };
}

/** Whether it was interrupted, not ended, and so short ago that it is to go on. A clock that jumped back says nothing. */
export function goesOn(read: Pick<ReadJournal, "start" | "entries">, wallMs: number): boolean {
  const isOver = read.start.what === "clip" || read.entries.some(({ kind }) => AFTERWARDS.has(kind));
  return !isOver && Math.abs(wallMs - lastKnown(read).wallMs) < GOES_ON_WITHIN_MS;
}

/** Reads from the journal how the recording stood. */
export function stoodAt({ start, entries }: Pick<ReadJournal, "start" | "entries">): Stood {
  const present = new Map<string, ChannelPerson>();
  const users = new Map<string, string>();
  const noticed = new Set<string>();
  const tracks = new Set<string>();
  const warned = new Set<string>();
  let roomTold = false;
  let notes = 0;
  let pausedMs = 0;
  let pausedAtMs: number | null = null;
  let gapAtMs: number | null = null;
  for (const entry of entries) {
    const { kind, atMs } = entry;
    if (kind === "joined") {
      const { key, userId, name } = entry;
      present.set(key, { key, userId, name });
      users.set(key, userId);
    } else if (kind === "left") present.delete(entry.key);
    else if (kind === "notice" && entry.userId !== null) noticed.add(entry.userId);
    else if (kind === "notice") {
      roomTold = true;
      // What the room was told is for all who were there then.
      for (const { userId } of present.values()) noticed.add(userId);
    } else if (kind === "track") tracks.add(`${entry.what} ${entry.speaker}`);
    else if (kind === "warned") warned.add(`${entry.what} ${users.get(entry.key) ?? entry.key}`);
    else if (kind === "note") notes++;
    else if (kind === "paused") pausedAtMs ??= atMs;
    else if (kind === "unpaused") {
      pausedMs += pausedAtMs === null ? 0 : atMs - pausedAtMs;
      pausedAtMs = null;
    } else if (kind === "gap") gapAtMs ??= atMs;
    else if (kind === "resumed") gapAtMs = null;
  }
  const { title, byName, automatic } = start;
  return {
    ...{ title, byName, automatic, roomTold, present, noticed, tracks, warned },
    ...{ notes, pausedMs, pausedAtMs, gapAtMs },
  };
}
