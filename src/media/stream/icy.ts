import { cutText } from "../../base/cut-text.ts";
import { oneLine } from "../../base/messages/catalogue.ts";

/*
 * ICY, as SHOUTcast began it and Icecast answers to `Icy-MetaData: 1`: after every `icy-metaint` bytes of sound comes one
 * byte n and then 16·n bytes of text, filled up with zeros: StreamTitle='Artist - Title';StreamUrl='…';
 */

/** What one chunk of an ICY body held. */
export interface IcyPart {
  /** Views of the chunk, in order. */
  sound: Uint8Array[];
  /** Text blocks that ended in it and were not empty. */
  texts: Uint8Array[];
}

/** Takes the sound and the text of an ICY body apart, wherever its chunks were cut. */
export class IcyDeinterleaver {
  readonly #interval: number;
  /** Bytes of sound until the next length byte. */
  #left: number;
  /** The text block that is being read; null within sound. */
  #text: { bytes: Uint8Array; filled: number } | null = null;

  /** @param interval `icy-metaint`: bytes of sound between two texts */
  constructor(interval: number) {
    this.#interval = interval;
    this.#left = interval;
  }

  push(chunk: Uint8Array): IcyPart {
    const part: IcyPart = { sound: [], texts: [] };
    let at = 0;
    while (at < chunk.length) {
      if (this.#text) at += this.#read(this.#text, chunk.subarray(at), part);
      else if (this.#left > 0) {
        const sound = chunk.subarray(at, at + this.#left);
        part.sound.push(sound);
        this.#left -= sound.length;
        at += sound.length;
      } else {
        this.#left = this.#interval;
        const length = (chunk[at] ?? 0) * 16;
        at++;
        if (length > 0) this.#text = { bytes: new Uint8Array(length), filled: 0 };
      }
    }
    return part;
  }

  #read(text: { bytes: Uint8Array; filled: number }, rest: Uint8Array, part: IcyPart): number {
    const piece = rest.subarray(0, text.bytes.length - text.filled);
    text.bytes.set(piece, text.filled);
    text.filled += piece.length;
    if (text.filled === text.bytes.length) {
      part.texts.push(text.bytes);
      this.#text = null;
    }
    return piece.length;
  }
}

/** `icy-metaint` of a server's headers; null where it sends no texts, or says nonsense. */
export function icyInterval(headers: Readonly<Record<string, string>>): number | null {
  const text = (headers["icy-metaint"] ?? "").trim();
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : null;
}

/** What a text block says is on: one line; null: nothing is; undefined: it does not say. */
export function icyTitle(block: Uint8Array): string | null | undefined {
  const text = decoded(block);
  // Titles have apostrophes: one ends where the next field begins, or the block does.
  const match = /StreamTitle='(.*?)'(?:;\s*(?:Stream[A-Za-z]+=|$)|$)/s.exec(text);
  return match ? titleLine(match[1] ?? "") : undefined;
}

const MAX_TITLE = 200;

/** A stranger's title as it is shown: one line without control characters, cut; null when nothing is left of it. */
export function titleLine(text: string): string | null {
  // Cut first as well: nobody needs to clean a book.
  const line = oneLine(cutText(oneLine(text.slice(0, 4096)), MAX_TITLE));
  return /[\p{L}\p{N}]/u.test(line) ? line : null;
}

/** The text is UTF-8 from servers of today, and Latin-1 from those of yesterday. */
function decoded(block: Uint8Array): string {
  const end = block.indexOf(0);
  const bytes = end === -1 ? block : block.subarray(0, end);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).trimEnd();
  } catch {
    return new TextDecoder("windows-1252").decode(bytes).trimEnd();
  }
}

const TITLE_EVERY_MS = 2_000;

/** Lets a title through when it is another one, and no more than one in two seconds: the last that came. */
export class TitleGate {
  #shown: string | null = null;
  #wanted: string | null = null;
  #atMs = Number.NEGATIVE_INFINITY;

  /** The stream says this now. */
  offer(title: string | null): void {
    this.#wanted = title;
  }

  /** What is to be shown from now on; undefined: what is shown. Ask again and again. */
  due(nowMs: number): string | null | undefined {
    if (this.#wanted === this.#shown || nowMs - this.#atMs < TITLE_EVERY_MS) return undefined;
    this.#shown = this.#wanted;
    this.#atMs = nowMs;
    return this.#shown;
  }
}
