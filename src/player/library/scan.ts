import { lstat, opendir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { isPlaylistName } from "../playlist/item.ts";
import { confinedFile, isAudioName } from "../resolver/confine.ts";
import type { Stamp } from "./entry.ts";
import type { Pace } from "./pace.ts";

const MAX_DEPTH = 12;

/** What one folder has in it, by names; hidden ones, links to folders and links that lead outside left out. */
export interface Listing {
  readonly files: ReadonlyMap<string, Stamp>;
  readonly playlists: readonly string[];
  readonly folders: readonly string[];
}

/** In one folder; more nobody tells apart. */
const MAX_PLAYLISTS = 1_000;

/** Null when there is none. */
export const realFolder = (root: string): Promise<string | null> => realpath(root).catch(() => null);

/**
 * @param root a real path
 * @param folder below it, "" for itself
 * @param limit of files
 * @returns null when it cannot be read (any more)
 */
export async function listFolder(
  root: string,
  folder: string,
  { limit, pace, signal }: { limit: number; pace: Pace; signal: AbortSignal },
): Promise<Listing | null> {
  const segments = folder === "" ? [] : folder.split("/");
  const files = new Map<string, Stamp>();
  const folders: string[] = [];
  const playlists: string[] = [];
  try {
    // A folder that has become a link is none any more.
    if ((await realpath(join(root, ...segments))) !== join(root, ...segments)) return null;
    for await (const entry of await opendir(join(root, ...segments))) {
      await pace.rest(signal);
      const { name } = entry;
      if (name.startsWith(".")) continue;
      if (entry.isDirectory()) {
        if (segments.length + 1 < MAX_DEPTH) folders.push(name);
      } else if (isAudioName(name) && files.size < limit && (entry.isFile() || entry.isSymbolicLink())) {
        const found = await stampOf(root, [...segments, name], entry.isSymbolicLink());
        if (found) files.set(name, found);
      } else if (isPlaylistName(name) && entry.isFile() && playlists.length < MAX_PLAYLISTS) {
        playlists.push(name);
      }
    }
  } catch {
    return signal.aborted ? { files, playlists, folders } : null;
  }
  return { files, playlists, folders };
}

async function stampOf(root: string, segments: readonly string[], isLink: boolean): Promise<Stamp | null> {
  try {
    const target = isLink ? await confinedFile(root, segments) : null;
    if (isLink && target === null) return null;
    const { size, mtimeMs } = target === null ? await lstat(join(root, ...segments)) : await stat(target);
    return { size, mtimeMs: Math.round(mtimeMs) };
  } catch {
    return null; // Gone meanwhile.
  }
}
