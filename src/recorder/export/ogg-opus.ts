import { closeSync, openSync } from "node:fs";
import { writeWhole } from "./write-whole.ts";

/** What a decoder drops at the start: the look-ahead of the encoders that made the packets (libopus at 48 kHz). */
export const PRE_SKIP = 312;

const CONTINUED = 1;
const FIRST = 2;
const LAST = 4;
const MAX_SEGMENTS = 255;
/** RFC 7845 section 4: pages should not exceed a second, so that seeking stays fine. */
const PAGE_SAMPLES = 48_000;
const WRITE_BYTES = 128 * 1024;

// The checksum of RFC 3533 section 6: polynomial 0x04c11db7, not reflected, starting from 0.
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

export function oggCrc(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) ^ CRC_TABLE[(crc >>> 24) ^ byte]!) >>> 0;
  return crc;
}

export interface OggOpusOptions {
  path: string;
  /** Tags of the file, e.g. TITLE. */
  tags: Readonly<Record<string, string>>;
  /** Any; different for streams that may be chained or multiplexed. */
  serial: number;
  /** Samples that a decoder drops at the start; default `PRE_SKIP`. */
  preSkip?: number;
}

/**
 * Writes Opus packets, as they are, into an Ogg file (RFC 3533, RFC 7845). Synchronous: it lives in a process of its own.
 */
export class OggOpusWriter {
  readonly #file: number;
  readonly #serial: number;
  readonly #preSkip: number;
  #sequence = 0;
  #lacing: number[] = [];
  #parts: Uint8Array[] = [];
  /** The page begins within a packet. */
  #continued = false;
  /** Samples of all packets, and where the page began. */
  #samples = 0;
  #pageFrom = 0;
  /** Samples at the end of the last packet that ends on this page; null when none does. */
  #granule: number | null = null;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #written = 0;

  constructor({ path, tags, serial, preSkip = PRE_SKIP }: OggOpusOptions) {
    this.#file = openSync(path, "wx", 0o640);
    this.#serial = serial >>> 0;
    this.#preSkip = preSkip;
    // Channels are known at the end; the page keeps its size.
    this.#writePage([19], [opusHead(2, preSkip)], 0, FIRST);
    for (const part of laced(opusTags(tags)))
      this.#writePage(part.lacing, [part.bytes], part.granule, part.flags);
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#written + this.#pendingBytes;
  }

  /** Appends a packet of `samples` at 48 kHz. */
  packet(bytes: Uint8Array, samples: number): void {
    // The page is closed before a packet, never after: the last one stays on the last page, where the end is trimmed.
    if (this.#samples - this.#pageFrom + samples > PAGE_SAMPLES) this.#flushPage(0);
    let at = 0;
    for (;;) {
      if (this.#lacing.length === MAX_SEGMENTS) {
        this.#flushPage(0);
        this.#continued = at > 0;
      }
      const size = Math.min(255, bytes.length - at);
      this.#lacing.push(size);
      this.#parts.push(bytes.slice(at, at + size));
      at += size;
      if (size < 255) break;
    }
    this.#samples += samples;
    this.#granule = this.#samples;
  }

  /**
   * Ends the file after `samples` of sound (without the pre-skip): what the last packet has beyond it is not heard.
   * @param channels 2 when any packet is stereo
   */
  finish({ samples, channels }: { samples: number; channels: 1 | 2 }): void {
    this.#granule = this.#preSkip + samples;
    this.#flushPage(LAST);
    this.#flush();
    const head = page({
      lacing: [19],
      parts: [opusHead(channels, this.#preSkip)],
      granule: 0,
      flags: FIRST,
      serial: this.#serial,
      sequence: 0,
    });
    writeWhole(this.#file, head, 0);
    closeSync(this.#file);
  }

  /** Gives up; the file is not whole. */
  abandon(): void {
    closeSync(this.#file);
  }

  #flushPage(flags: number): void {
    if (this.#lacing.length === 0 && flags === 0) return;
    this.#writePage(this.#lacing, this.#parts, this.#granule, flags | (this.#continued ? CONTINUED : 0));
    this.#lacing = [];
    this.#parts = [];
    this.#continued = false;
    this.#pageFrom = this.#samples;
    this.#granule = null;
  }

  #writePage(
    lacing: readonly number[],
    parts: readonly Uint8Array[],
    granule: number | null,
    flags: number,
  ): void {
    const bytes = page({ lacing, parts, granule, flags, serial: this.#serial, sequence: this.#sequence++ });
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= WRITE_BYTES) this.#flush();
  }

  #flush(): void {
    const all = Buffer.concat(this.#pending);
    this.#written += writeWhole(this.#file, all, this.#written);
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

interface Page {
  lacing: readonly number[];
  parts: readonly Uint8Array[];
  /** Null: no packet ends on the page. */
  granule: number | null;
  flags: number;
  serial: number;
  sequence: number;
}

/** RFC 3533 section 6. */
function page({ lacing, parts, granule, flags, serial, sequence }: Page): Uint8Array {
  const header = 27 + lacing.length;
  const bytes = new Uint8Array(header + parts.reduce((sum, part) => sum + part.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("OggS"));
  bytes[5] = flags;
  view.setBigInt64(6, granule === null ? -1n : BigInt(granule), true);
  view.setUint32(14, serial, true);
  view.setUint32(18, sequence, true);
  bytes[26] = lacing.length;
  bytes.set(lacing, 27);
  let at = header;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(22, oggCrc(bytes), true);
  return bytes;
}

/** A header packet over as many pages as it needs. */
function* laced(
  packet: Uint8Array,
): Generator<{ lacing: number[]; bytes: Uint8Array; granule: number | null; flags: number }> {
  const lacing = [...Array.from({ length: Math.floor(packet.length / 255) }, () => 255), packet.length % 255];
  for (let from = 0; from < lacing.length; from += MAX_SEGMENTS) {
    const some = lacing.slice(from, from + MAX_SEGMENTS);
    const start = from * 255;
    const ends = from + MAX_SEGMENTS >= lacing.length;
    const bytes = packet.subarray(start, start + some.reduce((sum, size) => sum + size, 0));
    yield { lacing: some, bytes, granule: ends ? 0 : null, flags: from === 0 ? 0 : CONTINUED };
  }
}

/** RFC 7845 section 5.1. */
function opusHead(channels: 1 | 2, preSkip: number): Uint8Array {
  const bytes = new Uint8Array(19);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("OpusHead"));
  bytes[8] = 1;
  bytes[9] = channels;
  view.setUint16(10, preSkip, true);
  view.setUint32(12, 48_000, true);
  return bytes;
}

/** RFC 7845 section 5.2. */
function opusTags(tags: Readonly<Record<string, string>>): Uint8Array {
  const encoder = new TextEncoder();
  const texts = ["matrix-voice-bot", ...Object.entries(tags).map(([name, value]) => `${name}=${value}`)].map(
    (text) => encoder.encode(text),
  );
  const [vendor, ...comments] = texts;
  const number = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
  const withLength = (text: Uint8Array): Uint8Array[] => [number(text.length), text];
  return Buffer.concat([
    encoder.encode("OpusTags"),
    ...withLength(vendor ?? new Uint8Array()),
    number(comments.length),
    ...comments.flatMap(withLength),
  ]);
}
