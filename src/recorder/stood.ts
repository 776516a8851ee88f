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
    switch (entry.kind) {
      case "joined": {
        const { key, userId, name } = entry;
        present.set(key, { key, userId, name });
        users.set(key, userId);
        break;
      }
      case "left":
        present.delete(entry.key);
        break;
      case "notice":
        roomTold ||= entry.userId === null;
        // What the room was told is for all who were there then.
        if (entry.userId === null) for (const { userId } of present.values()) noticed.add(userId);
        else noticed.add(entry.userId);
        break;
      case "track":
        tracks.add(`${entry.what} ${entry.speaker}`);
        break;
      case "warned":
        warned.add(`${entry.what} ${users.get(entry.key) ?? entry.key}`);
        break;
      case "note":
        notes++;
        break;
      case "paused":
        pausedAtMs ??= entry.atMs;
        break;
      case "unpaused":
        if (pausedAtMs !== null) pausedMs += entry.atMs - pausedAtMs;
        pausedAtMs = null;
        break;
      case "gap":
        gapAtMs ??= entry.atMs;
        break;
      case "resumed":
        gapAtMs = null;
        break;
    }
  }
  const { title, byName, automatic } = start;
  return {
    ...{ title, byName, automatic, roomTold, present, noticed, tracks, warned },
    ...{ notes, pausedMs, pausedAtMs, gapAtMs },
  };
}
