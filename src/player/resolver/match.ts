import { basename, extname } from "node:path";

export type NameMatch =
  | { kind: "one"; path: string }
  | { kind: "many"; count: number; nearest: string[] }
  | { kind: "none"; nearest: string[] };

const MAX_SHOWN = 5;
/** Of what was asked for; nobody types more. */
const MAX_WORDS = 30;

/** Case, accents and punctuation aside: "Für Élise_(live)" is "fur elise live". */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/**
 * Which of `paths` a person means by `query`: the file of that name (with or without its ending), else that name aside
 * from case and accents, else the only one with all the words in its name, else in its path. Pure.
 */
export function matchNames(query: string, paths: readonly string[]): NameMatch {
  const folded = fold(query);
  if (folded === "") return { kind: "none", nearest: [] };
  const words = [...new Set(folded.split(" "))].slice(0, MAX_WORDS);
  const names = namesOf(paths);
  const steps: ((name: Name) => boolean)[] = [
    ({ path }) => basename(path) === query,
    ({ path }) => stem(path) === query,
    ({ foldedFile }) => foldedFile === folded,
    ({ foldedStem, foldedPath }) => foldedStem === folded || foldedPath === folded,
    ({ foldedStem }) => hasWords(foldedStem, words),
    ({ foldedPath }) => hasWords(foldedPath, words),
    ({ foldedPath }) => words.every((word) => foldedPath.includes(word)),
  ];
  for (const step of steps) {
    const hits = names.filter(step).map(({ path }) => path);
    if (hits.length === 1 && hits[0] !== undefined) return { kind: "one", path: hits[0] };
    if (hits.length > 1) return { kind: "many", count: hits.length, nearest: shortest(hits) };
  }
  return { kind: "none", nearest: nearest(folded, names) };
}

interface Name {
  path: string;
  foldedPath: string;
  foldedFile: string;
  foldedStem: string;
}

/** Of a listing, as long as it is kept: folding twenty thousand names takes longer than looking for one. */
const known = new WeakMap<readonly string[], readonly Name[]>();

function namesOf(paths: readonly string[]): readonly Name[] {
  let names = known.get(paths);
  if (!names) {
    names = paths.map((path) => ({
      path,
      foldedPath: fold(path),
      foldedFile: fold(basename(path)),
      foldedStem: fold(stem(path)),
    }));
    known.set(paths, names);
  }
  return names;
}

const stem = (path: string): string => basename(path, extname(path));

function hasWords(name: string, words: readonly string[]): boolean {
  const has = new Set(name.split(" "));
  return words.every((word) => has.has(word));
}

const shortest = (paths: readonly string[]): string[] =>
  [...paths].sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, MAX_SHOWN);

/** Names that share the most pairs of letters with the query (Dice coefficient ≥ 0.4): typing errors. */
function nearest(folded: string, names: readonly Name[]): string[] {
  const wanted = pairs(folded);
  return names
    .map(({ path, foldedStem }) => ({ path, score: dice(wanted, pairs(foldedStem)) }))
    .filter(({ score }) => score >= 0.4)
    .sort((a, b) => b.score - a.score)
    .slice(0, MAX_SHOWN)
    .map(({ path }) => path);
}

function pairs(text: string): Set<string> {
  const found = new Set<string>();
  for (let i = 0; i + 1 < text.length; i++) found.add(text.slice(i, i + 2));
  return found;
}

function dice(a: Set<string>, b: Set<string>): number {
  if (a.size + b.size === 0) return 0;
  let shared = 0;
  for (const pair of a) if (b.has(pair)) shared++;
  return (2 * shared) / (a.size + b.size);
}
