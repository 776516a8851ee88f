import { basename, extname } from "node:path";

export type NameMatch =
  | { kind: "one"; path: string }
  | { kind: "many"; count: number; nearest: string[] }
  | { kind: "none"; nearest: string[] };

const MAX_SHOWN = 5;

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
  const words = folded.split(" ");
  const steps: ((path: string) => boolean)[] = [
    (path) => basename(path) === query,
    (path) => stem(path) === query,
    (path) => fold(basename(path)) === folded,
    (path) => fold(stem(path)) === folded || fold(path) === folded,
    (path) => hasWords(fold(stem(path)), words),
    (path) => hasWords(fold(path), words),
    (path) => words.every((word) => fold(path).includes(word)),
  ];
  for (const step of steps) {
    const hits = paths.filter(step);
    if (hits.length === 1 && hits[0] !== undefined) return { kind: "one", path: hits[0] };
    if (hits.length > 1) return { kind: "many", count: hits.length, nearest: shortest(hits) };
  }
  return { kind: "none", nearest: nearest(folded, paths) };
}

const stem = (path: string): string => basename(path, extname(path));

function hasWords(name: string, words: readonly string[]): boolean {
  const has = new Set(name.split(" "));
  return words.every((word) => has.has(word));
}

const shortest = (paths: readonly string[]): string[] =>
  [...paths].sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, MAX_SHOWN);

/** Names that share the most pairs of letters with the query (Dice coefficient ≥ 0.4): typing errors. */
function nearest(folded: string, paths: readonly string[]): string[] {
  const wanted = pairs(folded);
  return paths
    .map((path) => ({ path, score: dice(wanted, pairs(fold(stem(path)))) }))
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
