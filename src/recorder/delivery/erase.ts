import type { Clock } from "../../base/clock.ts";
import { eraseVoice } from "../consent/erase.ts";
import type { Removed } from "../consent/removal.ts";
import { readJournal, type ExportedTrack, type JournalFact, type ReadJournal } from "../journal.ts";
import { appendTo } from "./append.ts";
import { progressOf } from "./progress-of.ts";
import type { WorkList } from "./work-list.ts";

export interface EraseDeps {
  work: Pick<WorkList, "has" | "abort" | "run">;
  directoryOf: (id: string) => string;
  clock: Clock;
  /** Exports and delivers a recording, when its turn comes. */
  finish: (id: string) => void;
  onErased: (id: string, read: ReadJournal) => Promise<void>;
}

/** Deletes what these recordings have of one person; what is being done with one begins anew. @throws what the disk says */
export async function eraseInAll(
  ids: readonly string[],
  userId: string,
  { work, directoryOf, clock, finish, onErased }: EraseDeps,
): Promise<Removed> {
  const all: Removed = { recordings: 0, files: 0, sent: 0 };
  for (const id of ids) {
    const directory = directoryOf(id);
    const isUnderWay = work.has(id);
    work.abort(id);
    const erasing = work.run(id, async () => {
      const read = await readJournal(directory).catch(() => null);
      const found = read === null ? null : await eraseFrom(read, directory, userId);
      if (found !== null) await appendTo(directory, clock, [found.fact]);
      return found;
    });
    // Behind the deleting, also when that fails.
    if (isUnderWay) finish(id);
    const erased = await erasing;
    if (erased === null) continue;
    all.recordings++;
    all.files += erased.files;
    all.sent += erased.sent;
    await onErased(id, await readJournal(directory));
  }
  return all;
}

/** Deletes what one recording has of a person. @returns null when it has nothing @throws what the file system said */
async function eraseFrom(
  { entries }: ReadJournal,
  directory: string,
  userId: string,
): Promise<{ fact: JournalFact; files: number; sent: number } | null> {
  const was = entries.some((entry) => entry.kind === "joined" && entry.userId === userId);
  const done = entries.some((entry) => entry.kind === "erased" && entry.userId === userId);
  // A journal that had to be made anew does not say who was there; the files' own keys may.
  const isRebuilt = entries.some((entry) => entry.kind === "repaired" && entry.rebuilt);
  if (!was && !done && !isRebuilt) return null;
  const files = await eraseVoice(directory, entries, userId);
  if (files.length === 0) return null;
  const { events, exported } = progressOf(entries);
  const has = ({ what, userId: owner }: ExportedTrack): boolean =>
    owner === userId || what === "mix" || what === "voices";
  const theirs = exported?.tracks.filter(has) ?? [];
  const sent = theirs.filter(({ file }) => events.has(file)).length;
  return { fact: { kind: "erased", userId, files }, files: files.length, sent };
}
