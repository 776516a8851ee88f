import { distanceWithin, letters, mayBeWithin } from "./distance.ts";

/** How a word of a query was found in a name; the lower the better. */
export const EXACT = 0;
export const PREFIX = 1;
export const PART = 2;
export const TYPO = 3;
export const MISSING = 4;

export interface WordHit {
  readonly quality: number;
  /** `id << FIELD_BITS | fields` each. */
  readonly postings: readonly number[];
}

/** Fields of a file that a word stands in, as bits. */
export const FIELD = { stem: 1, title: 2, artist: 4, other: 8 } as const;
export const FIELD_BITS = 4;

/** Fewer letters than this are looked for only as the beginning of a word, or as the whole of it. */
const MIN_PART = 3;
const MIN_PREFIX = 2;
/** A typing error needs this many letters, a second one that many. */
const MIN_TYPO = 4;
const MIN_TWO_TYPOS = 7;

/** All words of all names, each once, and where they stand. Grows only: whoever owns it makes a new one in time. */
export class Words {
  readonly #ids = new Map<string, number>();
  readonly #words: string[] = [];
  readonly #letters: number[] = [];
  readonly #postings: number[][] = [];

  add(word: string, id: number, fields: number): void {
    const posting = (id << FIELD_BITS) | fields;
    const known = this.#ids.get(word);
    if (known !== undefined) {
      this.#postings[known]?.push(posting);
      return;
    }
    this.#ids.set(word, this.#words.length);
    this.#words.push(word);
    this.#letters.push(letters(word));
    this.#postings.push([posting]);
  }

  /** Where a word stands: whole, as a beginning or a part, and where nothing has it whole, with typing errors. */
  find(word: string): WordHit[] {
    const hits: WordHit[] = [];
    const exact = this.#ids.get(word);
    const typos = exact !== undefined || word.length < MIN_TYPO ? 0 : word.length < MIN_TWO_TYPOS ? 1 : 2;
    const mask = letters(word);
    for (let i = 0; i < this.#words.length; i++) {
      const other = this.#words[i] ?? "";
      const postings = this.#postings[i] ?? [];
      if (i === exact) hits.push({ quality: EXACT, postings });
      else if (other.length > word.length && word.length >= MIN_PREFIX && other.startsWith(word))
        hits.push({ quality: PREFIX, postings });
      else if (other.length > word.length && word.length >= MIN_PART && other.includes(word))
        hits.push({ quality: PART, postings });
      else if (
        typos > 0 &&
        Math.abs(other.length - word.length) <= typos &&
        mayBeWithin(mask, this.#letters[i] ?? 0, typos) &&
        distanceWithin(word, other, typos)
      )
        hits.push({ quality: TYPO, postings });
    }
    return hits.sort((a, b) => a.quality - b.quality);
  }

  /** Where words stand that are a part of `text`, as in "firstlight". */
  within(text: string): (readonly number[])[] {
    return this.#postings.filter((_, i) => {
      const word = this.#words[i] ?? "";
      return word.length >= MIN_PART && text.includes(word);
    });
  }
}
