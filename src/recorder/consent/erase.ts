import { open, readdir, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { retireNumber } from "../../media/tracks/place.ts";
import { TrackReader } from "../../media/tracks/reader.ts";
import type { JournalEntry } from "../journal.ts";

/** Folders of a recording in which everything is made from the tracks, and is made anew when it is needed. */
const MADE = ["export", "parts"];

/**
 * Deletes what a recording's folder has of one person: their tracks, also in copies that a repair has left, and everything
 * that was made of all tracks. An empty file `….erased` keeps the number of a track from being used again. Nobody may be
 * writing their tracks or exporting meanwhile.
 * @param entries the recording's journal so far
 * @returns their tracks that are gone, relative to the folder @throws what the file system said
 */
export async function eraseVoice(
  directory: string,
  entries: readonly JournalEntry[],
  userId: string,
): Promise<string[]> {
  const ownerOf = fileOwners(entries);
  const theirs: string[] = [];
  for (const path of await trackFiles(directory)) {
    if (ownerOf(basename(path), await speakerOf(path)).includes(userId)) theirs.push(path);
  }
  if (theirs.length === 0) return [];
  // First, so that it is not missed when this is interrupted: a track that is left says that there is more to do.
  for (const folder of MADE) await rm(join(directory, folder), { recursive: true, force: true });
  for (const path of theirs) {
    await retireNumber(path);
    await rm(path, { force: true });
  }
  await syncFolder(directory);
  return theirs.map((path) => relative(directory, path));
}

/** The keys that one person had during a recording and nobody else. */
export function ownKeys(entries: readonly JournalEntry[], userId: string): string[] {
  const shared = new Map<string, boolean>();
  for (const entry of entries) {
    if (entry.kind !== "joined") continue;
    const isTheirs = entry.userId === userId;
    shared.set(entry.key, (shared.get(entry.key) ?? true) && isTheirs);
  }
  return [...shared].filter(([, onlyTheirs]) => onlyTheirs).map(([key]) => key);
}

/**
 * Whose voice a file is. A file has one owner: who had its key when it was opened. Where the journal does not tell that,
 * everybody who ever had the key counts: rather too much is deleted than too little.
 */
export function fileOwners(
  entries: readonly JournalEntry[],
): (file: string, speaker: string | null) => readonly string[] {
  const now = new Map<string, string>();
  const ever = new Map<string, Set<string>>();
  const opened = new Map<string, { speaker: string; userId: string | null }>();
  for (const entry of entries) {
    if (entry.kind === "joined") {
      now.set(entry.key, entry.userId);
      const had = ever.get(entry.key) ?? new Set();
      ever.set(entry.key, had.add(entry.userId));
    } else if (entry.kind === "track" && entry.what === "voice") {
      opened.set(entry.file, { speaker: entry.speaker, userId: now.get(entry.speaker) ?? null });
    }
  }
  return (file, speaker) => {
    const known = opened.get(file);
    if (known?.userId) return [known.userId];
    const key = speaker ?? known?.speaker;
    if (key === undefined) return [];
    // A key that nobody is known to have had says itself whose it is, if it is one of ours: <device>@<user>:<server>.
    const user = /@[^@]+:[^@]+$/.exec(key)?.[0];
    return [...(ever.get(key) ?? (user === undefined ? [] : [user]))];
  };
}

async function trackFiles(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile() && /^voice-\d+\.mvt(\.part)?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** By the file's header; null when that cannot be read. */
async function speakerOf(path: string): Promise<string | null> {
  try {
    const reader = await TrackReader.open(path);
    const { speaker } = reader.header;
    await reader.close();
    return speaker;
  } catch {
    return null;
  }
}

/** So that what was deleted is so after a power failure, too. */
async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
