import { clockTime } from "../../base/duration.ts";
import { oneLine } from "../../base/messages/catalogue.ts";
import { folderOf, NEAR_TIER, stemOf, type Catalogue } from "../library/catalogue.ts";
import type { Entry } from "../library/entry.ts";
import { fold } from "../library/fold.ts";

export type NameMatch =
  | { kind: "one"; entry: Entry }
  | { kind: "many"; count: number; nearest: Entry[] }
  | { kind: "none"; nearest: Entry[] };

const MAX_SHOWN = 5;

/**
 * Which file a person means by `query`: the one of that name (with or without its ending), else that name or title aside
 * from case and accents, else the only one with all the words in its name or title, else with its artist, its album or
 * its path. What is only near is offered. Pure.
 */
export function matchNames(query: string, catalogue: Catalogue): NameMatch {
  const { hits, count } = catalogue.search(query, MAX_SHOWN);
  const [best] = hits;
  if (!best || best.tier >= NEAR_TIER) return { kind: "none", nearest: hits.map(({ entry }) => entry) };
  if (count === 1) return { kind: "one", entry: best.entry };
  const same = hits.filter(({ tier }) => tier === best.tier);
  return { kind: "many", count, nearest: same.map(({ entry }) => entry) };
}

/**
 * Folders that a person means by `query`: the one of that path, else of that name aside from case and accents, else all
 * with these words in their path. Sorted.
 */
export function matchFolders(query: string, catalogue: Catalogue): string[] {
  const folders = new Set<string>();
  for (const { path } of catalogue.entries())
    for (let folder = folderOf(path); folder !== "" && !folders.has(folder); folder = folderOf(folder))
      folders.add(folder);
  if (folders.has(query)) return [query];
  const folded = fold(query);
  if (folded === "") return [];
  const words = folded.split(" ");
  const steps: ((folder: string) => boolean)[] = [
    (folder) => fold(folder) === folded,
    (folder) => fold(folder.slice(folder.lastIndexOf("/") + 1)) === folded,
    (folder) => {
      const has = new Set(fold(folder).split(" "));
      return words.every((word) => has.has(word));
    },
  ];
  for (const step of steps) {
    const found = [...folders].filter(step);
    if (found.length > 0) return found.sort();
  }
  return [];
}

const byName = new Intl.Collator("en", { numeric: true });

/**
 * The files of a folder and of those below it, in the order of their names ("2" before "10"), the first `limit`: to sort
 * 50,000 of them would hold up everything else for 0.4 s.
 */
export function filesOf(folder: string, catalogue: Catalogue, limit: number): Entry[] {
  const below = `${folder}/`;
  const first: Entry[] = [];
  for (const entry of catalogue.entries()) {
    if (!entry.path.startsWith(below)) continue;
    const last = first.length < limit ? undefined : first.at(-1);
    if (last && byName.compare(entry.path, last.path) >= 0) continue;
    first.splice(placeIn(first, entry), 0, entry);
    if (first.length > limit) first.pop();
  }
  return first;
}

/** Behind those of the same name. */
function placeIn(sorted: readonly Entry[], { path }: Entry): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (byName.compare(sorted[middle]?.path ?? "", path) <= 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

export const titleOf = ({ path, tags }: Entry): string => tags?.title ?? stemOf(path);

/** "Artist – Title (3:21)", or the name of the file; one line, whatever a file is called. */
export function labelOf(entry: Entry): string {
  const { artist = null, durationMs = null } = entry.tags ?? {};
  const name = oneLine(artist === null ? titleOf(entry) : `${artist} – ${titleOf(entry)}`);
  return durationMs === null ? name : `${name} (${clockTime(durationMs)})`;
}
