import { titleLine } from "./icy.ts";

/*
 * Ogg (RFC 3533) as stations send it: each track is a chain of its own, whose second packet has its comments (RFC 7845
 * section 5.2, Vorbis I section 5), TITLE and ARTIST among them. Pages are looked at as they pass.
 */

const PAGE_HEAD = 27;
/** Of comments; pictures in them come last, and nobody needs those. */
const MAX_COMMENTS = 65_536;
const MAX_FIELDS = 500;

/** What the first packet of a chain begins with, and what is before the comments in its second. */
const CODECS: readonly (readonly [mark: string, before: string])[] = [
  ["\x01vorbis", "\x03vorbis"],
  ["OpusHead", "OpusTags"],
  ["Speex   ", ""],
  // A block of FLAC's metadata: its type, three bytes of length.
  ["\x7fFLAC", "...."],
];

/** Its comments are still to come, or are coming. */
interface Chain {
  serial: number;
  before: string;
  comments: Uint8Array[];
  bytes: number;
}

/** What remains of the page that is being read. `segments`: its lacing values, from the next byte on. */
interface Page {
  segments: number[];
  /** The chain's comments are read from it. */
  isOfChain: boolean;
  isFirst: boolean;
}

/** Finds what is on in an Ogg stream, wherever its chunks were cut. Keeps 64 kB at most. */
export class OggTitles {
  #head = Buffer.alloc(0);
  #page: Page | null = null;
  #chain: Chain | null = null;
  /** Of the page's current segment. */
  #left = 0;

  /** What the chunk says is on, the last of it: one line; null: nothing is; undefined: it does not say. */
  push(chunk: Uint8Array): string | null | undefined {
    let title: string | null | undefined;
    let at = 0;
    while (at < chunk.length) {
      if (this.#page === null) at += this.#readHead(chunk.subarray(at));
      else {
        const piece = chunk.subarray(at, at + this.#left);
        this.#left -= piece.length;
        at += piece.length;
        const found = this.#take(this.#page, piece);
        if (found !== undefined) title = found;
      }
    }
    return title;
  }

  /** @returns how many bytes were taken */
  #readHead(rest: Uint8Array): number {
    const before = this.#head.length;
    const wanted = before < PAGE_HEAD ? PAGE_HEAD : PAGE_HEAD + (this.#head[26] ?? 0);
    const piece = rest.subarray(0, wanted - before);
    let head = Buffer.concat([this.#head, piece]);
    if (head.toString("latin1", 0, 4) !== "OggS".slice(0, Math.min(4, head.length))) {
      // Something is missing: the next page may begin anywhere.
      const next = head.indexOf(0x4f, 1);
      head = next < 0 ? Buffer.alloc(0) : head.subarray(next);
    } else if (head.length >= PAGE_HEAD && head.length === PAGE_HEAD + (head[26] ?? 0)) {
      this.#begin(head);
      head = Buffer.alloc(0);
    }
    this.#head = head;
    return piece.length;
  }

  #begin(head: Buffer): void {
    const [isFirst, serial] = [((head[5] ?? 0) & 2) !== 0, head.readUInt32LE(14)];
    if (isFirst) this.#chain = { serial, before: "", comments: [], bytes: 0 };
    const segments = [...head.subarray(PAGE_HEAD)];
    const isOfChain = this.#chain?.serial === serial;
    // Of what nobody looks into only the length counts.
    this.#page = isOfChain
      ? { segments, isOfChain, isFirst }
      : { segments: [segments.reduce((sum, length) => sum + length, 0)], isOfChain, isFirst };
    this.#nextSegment();
  }

  #nextSegment(): void {
    this.#left = this.#page?.segments[0] ?? 0;
    if (this.#page?.segments.length === 0) this.#page = null;
  }

  #take(page: Page, piece: Uint8Array): string | null | undefined {
    const chain = page.isOfChain ? this.#chain : null;
    if (chain && chain.bytes < MAX_COMMENTS) {
      chain.comments.push(piece.slice());
      chain.bytes += piece.length;
    }
    if (this.#left > 0) return undefined;
    const length = page.segments.shift() ?? 0;
    let title: string | null | undefined;
    if (chain && length < 255) title = this.#packet(chain, page.isFirst);
    this.#nextSegment();
    return title;
  }

  /** A packet of the chain is whole: its first says what it is, its second has the comments, the rest is sound. */
  #packet(chain: Chain, isFirst: boolean): string | null | undefined {
    const packet = Buffer.concat(chain.comments);
    if (isFirst) {
      const start = packet.toString("latin1", 0, 8);
      const codec = CODECS.find(([mark]) => start.startsWith(mark));
      this.#chain = codec ? { ...chain, before: codec[1], comments: [], bytes: 0 } : null;
      return undefined;
    }
    this.#chain = null;
    const isMarked = chain.before === "...." || packet.toString("latin1").startsWith(chain.before);
    return isMarked ? titleOf(packet.subarray(chain.before.length)) : undefined;
  }
}

/** Of Vorbis comments, as far as they are there: lengths in 32 bits, little-endian, each before its text. */
function titleOf(comments: Buffer): string | null {
  let at = 0;
  const number = (): number => {
    const value = at + 4 <= comments.length ? comments.readUInt32LE(at) : 0;
    at += 4;
    return value;
  };
  const vendor = number();
  at += vendor;
  const fields = new Map<string, string>();
  for (let left = Math.min(number(), MAX_FIELDS); left > 0 && at < comments.length; left--) {
    const length = number();
    const text = comments.toString("utf8", at, Math.min(at + length, at + 2_000));
    at += length;
    const equals = text.indexOf("=");
    const name = text.slice(0, Math.max(0, equals)).toUpperCase();
    if (at <= comments.length && !fields.has(name)) fields.set(name, text.slice(equals + 1));
  }
  const [artist = "", title = ""] = [fields.get("ARTIST"), fields.get("TITLE")];
  return titleLine(artist !== "" && title !== "" ? `${artist} - ${title}` : title || artist);
}
