import { basename, dirname, extname } from "node:path";
import type { Entry } from "./entry.ts";
import { fold, foldedWords, hashOf } from "./fold.ts";
import { EXACT, FIELD, FIELD_BITS, MISSING, TYPO, Words } from "./words.ts";

/** A file that a query may mean. */
export interface Hit {
  readonly entry: Entry;
  /** 0 and 1: its name, or the name of the file, as it was written; the higher the further off. */
  readonly tier: number;
  /** Share of the query that it has, 0 to 1. */
  readonly share: number;
}

/** From this tier on something is missing or spelt otherwise: such a file is offered, not taken. */
export const NEAR_TIER = 8;
const PART_TIER = 7;

/** Of a query; nobody types more, and the name of a whole file is found by all of it. */
const MAX_WORDS = 12;
/** At least this share of a query's letters must be found in what is offered. */
const MIN_SHARE = 0.5;
const MAX_PAIRED = 2_000;
const MIN_DICE = 0.4;
/** Below this many files that are gone nobody needs to make room. */
const MIN_GONE = 2_000;
/** Names under which a file is found by their hashes: file, stem, path, title, artist and title. */
const NAMES = 5;
const ALL = FIELD.stem | FIELD.title;
const NAMED = FIELD.stem | FIELD.title | FIELD.artist;
const IN_NAMED = 1 << FIELD_BITS;

/**
 * All files of the media folder in memory, and what is found among them by a few words. No I/O; a query over 50,000
 * files takes some milliseconds.
 */
export class Catalogue {
  readonly #ids = new Map<string, number>();
  #entries: (Entry | null)[] = [];
  #hashes = new Int32Array(0);
  #words = new Words();
  /** Artists and albums stand in many files; one string does. */
  readonly #strings = new Map<string, string>();

  get size(): number {
    return this.#ids.size;
  }

  get(path: string): Entry | null {
    const id = this.#ids.get(path);
    return id === undefined ? null : (this.#entries[id] ?? null);
  }

  *entries(): Generator<Entry> {
    for (const entry of this.#entries) if (entry !== null) yield entry;
  }

  put(entry: Entry): void {
    const { tags } = entry;
    const kept = tags && { ...tags, artist: this.#shared(tags.artist), album: this.#shared(tags.album) };
    const id = this.#ids.get(entry.path);
    if (id !== undefined && this.#entries[id]?.tags === null) {
      // All files are first known without their tags: what is known of their names stays.
      this.#entries[id] = { ...entry, tags: kept };
      this.#noteTags(id, { ...entry, tags: kept });
    } else {
      this.remove(entry.path);
      this.#add({ ...entry, tags: kept });
    }
  }

  remove(path: string): void {
    const id = this.#ids.get(path);
    if (id === undefined) return;
    this.#ids.delete(path);
    this.#entries[id] = null;
    if (this.#entries.length - this.#ids.size > MIN_GONE + this.#ids.size / 2) this.#makeRoom();
  }

  /** The best `limit` for a query, the best first, and how many there are of their kind. */
  search(query: string, limit: number): { hits: Hit[]; count: number } {
    const folded = fold(query);
    if (folded === "") return { hits: [], count: 0 };
    const best = new Best(limit);
    const named = this.#named(query, folded);
    for (const hit of named) best.add(hit);
    const taken = new Set(named.map(({ entry }) => entry));
    this.#byWords(folded, (hit) => {
      if (!taken.has(hit.entry)) best.add(hit);
    });
    if (best.isEmpty) this.#byPairs(folded, best);
    return best.result();
  }

  #shared(text: string | null): string | null {
    if (text === null) return null;
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    this.#strings.set(text, text);
    return text;
  }

  #add(entry: Entry): void {
    const id = this.#entries.length;
    this.#entries.push(entry);
    this.#ids.set(entry.path, id);
    if (this.#hashes.length < (id + 1) * NAMES) {
      const more = new Int32Array(Math.max(256, this.#hashes.length * 2));
      more.set(this.#hashes);
      this.#hashes = more;
    }
    const [file, stem, path] = [basename(entry.path), stemOf(entry.path), entry.path].map(fold);
    this.#note(id, [
      [stem ?? "", FIELD.stem],
      [path ?? "", FIELD.other],
    ]);
    this.#hashes.set([file ?? "", stem ?? "", path ?? ""].map(hashOf), id * NAMES);
    this.#noteTags(id, entry);
  }

  #noteTags(id: number, { tags }: Entry): void {
    if (tags === null) return;
    const [title, artist, album] = [fold(tags.title ?? ""), fold(tags.artist ?? ""), fold(tags.album ?? "")];
    this.#note(id, [
      [title, FIELD.title],
      [artist, FIELD.artist],
      [album, FIELD.other],
    ]);
    this.#hashes.set([title, `${artist} ${title}`].map(hashOf), id * NAMES + 3);
  }

  #note(id: number, texts: readonly (readonly [folded: string, field: number])[]): void {
    const fields = new Map<string, number>();
    for (const [folded, field] of texts)
      for (const word of foldedWords(folded)) fields.set(word, (fields.get(word) ?? 0) | field);
    for (const [word, field] of fields) this.#words.add(word, id, field);
  }

  /** Numbers of files that are gone are never used again: after many of them all are numbered anew. */
  #makeRoom(): void {
    const entries = this.#entries.filter((entry) => entry !== null);
    this.#ids.clear();
    this.#strings.clear();
    this.#entries = [];
    this.#hashes = new Int32Array(0);
    this.#words = new Words();
    for (const entry of entries) this.#add(entry);
  }

  /** Files of that very name. */
  #named(query: string, folded: string): Hit[] {
    const hash = hashOf(folded);
    const hits: Hit[] = [];
    for (let id = 0; id < this.#entries.length; id++) {
      const at = id * NAMES;
      let found = false;
      for (let name = 0; name < NAMES; name++) if (this.#hashes[at + name] === hash) found = true;
      const entry = found ? this.#entries[id] : null;
      const tier = entry ? nameTier(entry, query, folded) : null;
      if (entry && tier !== null) hits.push({ entry, tier, share: 1 });
    }
    return hits;
  }

  #byWords(folded: string, found: (hit: Hit) => void): void {
    const words = foldedWords(folded).slice(0, MAX_WORDS);
    const count = this.#entries.length;
    const weight = words.reduce((sum, { length }) => sum + length, 0);
    const share = new Float32Array(count);
    const worst = new Uint8Array(count);
    const where = new Uint8Array(count).fill(0xff);
    for (const word of words) {
      const quality = new Uint8Array(count).fill(MISSING);
      const fields = new Uint8Array(count);
      for (const hit of this.#words.find(word)) {
        for (const posting of hit.postings) {
          const id = posting >>> FIELD_BITS;
          if (hit.quality < (quality[id] ?? 0)) quality[id] = hit.quality;
          if (hit.quality === quality[id]) fields[id] = (fields[id] ?? 0) | (posting & (IN_NAMED - 1));
        }
      }
      const part = word.length / weight;
      for (let id = 0; id < count; id++) {
        const q = quality[id] ?? MISSING;
        const field = fields[id] ?? 0;
        if (q > (worst[id] ?? 0)) worst[id] = q;
        where[id] = (where[id] ?? 0) & (field & NAMED ? field | IN_NAMED : field);
        // An ending that half of the folder has says little.
        const counts = q < MISSING && (field & NAMED || !isEnding(word));
        if (counts) share[id] = (share[id] ?? 0) + (part * (10 - q)) / 10;
      }
    }
    for (let id = 0; id < count; id++) {
      const entry = this.#entries[id];
      const tier = wordTier(worst[id] ?? MISSING, where[id] ?? 0);
      if (!entry || (tier > NEAR_TIER && (share[id] ?? 0) < MIN_SHARE)) continue;
      found({ entry, tier, share: share[id] ?? 0 });
    }
  }

  /** By pairs of letters (Dice's coefficient): words run together, or cut otherwise. */
  #byPairs(folded: string, best: Best): void {
    const wanted = pairs(folded);
    const ids = new Set<number>();
    for (const postings of this.#words.within(folded)) {
      for (const posting of postings) if (ids.size < MAX_PAIRED) ids.add(posting >>> FIELD_BITS);
    }
    for (const id of ids) {
      const entry = this.#entries[id];
      if (!entry) continue;
      const score = Math.max(
        dice(wanted, pairs(fold(stemOf(entry.path)))),
        dice(wanted, pairs(fold(entry.tags?.title ?? ""))),
      );
      if (score >= MIN_DICE) best.add({ entry, tier: NEAR_TIER + 2, share: score });
    }
  }
}

export const stemOf = (path: string): string => basename(path, extname(path));
export const folderOf = (path: string): string => (path.includes("/") ? dirname(path) : "");

/** The first that a person may mean by what they wrote; null when only the hash is the same. */
function nameTier({ path, tags }: Entry, query: string, folded: string): number | null {
  if (basename(path) === query) return 0;
  if (stemOf(path) === query) return 1;
  if (fold(basename(path)) === folded) return 2;
  const title = fold(tags?.title ?? "");
  const names = [fold(stemOf(path)), fold(path), title, `${fold(tags?.artist ?? "")} ${title}`.trim()];
  return names.includes(folded) ? 3 : null;
}

/** By the worst of the words, and the fields (bits) that each of them stands in. */
function wordTier(worst: number, where: number): number {
  if (worst === EXACT) return where & ALL ? 4 : where & IN_NAMED ? 5 : 6;
  if (worst < TYPO) return PART_TIER;
  return worst === TYPO ? NEAR_TIER : NEAR_TIER + 1;
}

const isEnding = (word: string): boolean => /^(mp3|flac|ogg|opus|wav|m4a|aac|wma)$/.test(word);

/** The best few of many: sorting them all would take longer than finding them. */
class Best {
  readonly #limit: number;
  readonly #hits: Hit[] = [];
  readonly #counts = new Map<number, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  add(hit: Hit): void {
    this.#counts.set(hit.tier, (this.#counts.get(hit.tier) ?? 0) + 1);
    const last = this.#hits.at(-1);
    if (this.#hits.length >= this.#limit && last && compare(hit, last) >= 0) return;
    let at = this.#hits.length;
    while (at > 0 && compare(hit, this.#hits[at - 1] ?? hit) < 0) at--;
    this.#hits.splice(at, 0, hit);
    if (this.#hits.length > this.#limit) this.#hits.pop();
  }

  result(): { hits: Hit[]; count: number } {
    return { hits: this.#hits, count: this.#counts.get(this.#hits[0]?.tier ?? -1) ?? 0 };
  }
}

function compare(a: Hit, b: Hit): number {
  if (a.tier !== b.tier) return a.tier - b.tier;
  if (a.tier >= PART_TIER && Math.abs(a.share - b.share) > 1e-3) return b.share - a.share;
  const [one, other] = [a.entry.path, b.entry.path];
  return one.length - other.length || (one < other ? -1 : 1);
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
