import { createDecipheriv } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import { inSlices } from "../../base/slices.ts";
import { MAX_PLAYLIST_BYTES, parseHls } from "./hls-playlist.ts";
import type { ByteRange, HlsMaster, HlsMedia, HlsResource, HlsSegment } from "./hls-playlist.ts";
import type { StreamFetch } from "./stream-fetch.ts";

/** A segment of pictures with sound has some megabytes; one that is played and one ahead are in memory as a whole. */
const MAX_SEGMENT_BYTES = 16_000_000;
const KEY_BYTES = 16;
const IDLE_MS = 7_000;
const PLAYLIST_MS = 10_000;
const SEGMENT_MS = 30_000;
const MIN_BYTES_PER_SECOND = 250;

/** Playlists, segments and keys of one HLS stream, each fetched whole within its bounds. */
export class HlsFetch {
  readonly #fetch: StreamFetch;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #key: { url: string; bytes: Uint8Array } | null = null;
  #map: { of: string; bytes: Uint8Array } | null = null;

  constructor(fetch: StreamFetch, clock: Clock, signal: AbortSignal) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** @throws BotError `media_unsupported`, those of GuardedFetch.open */
  async playlist(url: string): Promise<{ playlist: HlsMaster | HlsMedia; url: string }> {
    const { bytes, url: from } = await this.#whole(url, null, MAX_PLAYLIST_BYTES, PLAYLIST_MS);
    const steps = parseHls(new TextDecoder().decode(bytes), from);
    return { playlist: await inSlices(this.#clock, steps), url: from };
  }

  /** Of a segment, as a decoder takes it. @throws BotError */
  async segment(segment: HlsSegment): Promise<Uint8Array> {
    const { bytes } = await this.#whole(segment.url, segment.range, MAX_SEGMENT_BYTES, SEGMENT_MS);
    return withoutTags(segment.key ? await this.#decrypted(bytes, segment) : bytes);
  }

  /** What a decoder needs before the segments that name it; kept while it is the same. @throws BotError */
  async map({ url, range }: HlsResource): Promise<Uint8Array> {
    const of = mapName({ url, range });
    if (this.#map?.of !== of) {
      const { bytes } = await this.#whole(url, range, MAX_PLAYLIST_BYTES, PLAYLIST_MS);
      this.#map = { of, bytes };
    }
    return this.#map.bytes;
  }

  async #decrypted(bytes: Uint8Array, { key, sequence }: HlsSegment): Promise<Uint8Array> {
    if (!key) return bytes;
    if (this.#key?.url !== key.url) {
      const fetched = await this.#whole(key.url, null, KEY_BYTES, PLAYLIST_MS);
      if (fetched.bytes.length !== KEY_BYTES) throw broken("a key of another length");
      this.#key = { url: key.url, bytes: fetched.bytes };
    }
    const decipher = createDecipheriv("aes-128-cbc", this.#key.bytes, key.iv ?? sequenceIv(sequence));
    try {
      return Buffer.concat([decipher.update(bytes), decipher.final()]);
    } catch (error) {
      throw broken("it cannot be decrypted", error);
    }
  }

  async #whole(
    url: string,
    range: ByteRange | null,
    maxBytes: number,
    totalMs: number,
  ): Promise<{ bytes: Uint8Array; url: string }> {
    const limits = { idleMs: IDLE_MS, totalMs, minBytesPerSecond: MIN_BYTES_PER_SECOND };
    // A server that knows no ranges sends everything: so much more than was asked for is allowed to come.
    const most = range ? Math.min(maxBytes, range.offset + range.length) : maxBytes;
    const headers = range ? { range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {};
    if (range && range.length > maxBytes) throw broken("a part of it is too large");
    const answer = await this.#fetch.open(url, {
      ...limits,
      // That server's whole is cut off here, at the end of what was asked for.
      maxBytes: range ? null : maxBytes,
      signal: this.#signal,
      headers,
    });
    const pieces: Uint8Array[] = [];
    let total = 0;
    try {
      const wanted = range && answer.status === 206 ? range.length : most;
      for await (const piece of answer.body) {
        const kept = range ? piece.subarray(0, wanted - total) : piece;
        pieces.push(kept);
        total += kept.length;
        if (range && total >= wanted) break;
      }
    } finally {
      answer.close();
    }
    const bytes = Buffer.concat(pieces);
    const part = range && answer.status !== 206 ? bytes.subarray(range.offset) : bytes;
    if (range && part.length < range.length) throw broken("a part of it is not there");
    return { bytes: part, url: answer.url };
  }
}

export const mapName = ({ url, range }: HlsResource): string =>
  `${url} ${range ? `${range.length}@${range.offset}` : ""}`;

/** The sequence number, big-endian: RFC 8216 section 5.2. */
function sequenceIv(sequence: number): Uint8Array {
  const iv = Buffer.alloc(16);
  iv.writeBigUInt64BE(BigInt(sequence), 8);
  return iv;
}

/** Packed audio has an ID3 tag with its time before each segment, which would be one in the middle of the sound. */
function withoutTags(bytes: Uint8Array): Uint8Array {
  let rest = bytes;
  while (rest.length >= 10 && rest[0] === 0x49 && rest[1] === 0x44 && rest[2] === 0x33) {
    const [a = 0, b = 0, c = 0, d = 0] = rest.subarray(6, 10);
    rest = rest.subarray(10 + ((a & 127) << 21) + ((b & 127) << 14) + ((c & 127) << 7) + (d & 127));
  }
  return rest;
}

function broken(message: string, cause?: unknown): BotError {
  return new BotError("fetch_failed", message, { retryable: true, say: { key: "stream.broken" }, cause });
}
