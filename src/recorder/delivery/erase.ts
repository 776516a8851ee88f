import { eraseVoice } from "../consent/erase.ts";
import type { ExportedTrack, JournalFact, ReadJournal } from "../journal.ts";
import { progressOf } from "./progress-of.ts";

/** What was deleted of one person in recordings that are over. */
export interface ErasedInRoom {
  recordings: number;
  files: number;
  /** Files with their voice that were sent to the room before, and stay there until somebody removes them. */
  sent: number;
}

/** Deletes what one recording has of a person. @returns null when it has nothing @throws what the file system said */
export async function eraseFrom(
  { entries }: ReadJournal,
  directory: string,
  userId: string,
): Promise<{ fact: JournalFact; files: number; sent: number } | null> {
  const was = entries.some((entry) => entry.kind === "joined" && entry.userId === userId);
  const done = entries.some((entry) => entry.kind === "erased" && entry.userId === userId);
  if (!was && !done) return null;
  const files = await eraseVoice(directory, entries, userId);
  if (files.length === 0) return null;
  const { events, exported } = progressOf(entries);
  const has = ({ what, userId: owner }: ExportedTrack): boolean =>
    owner === userId || what === "mix" || what === "voices";
  const theirs = exported?.tracks.filter(has) ?? [];
  const sent = theirs.filter(({ file }) => events.has(file)).length;
  return { fact: { kind: "erased", userId, files }, files: files.length, sent };
}
