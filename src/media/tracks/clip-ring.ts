import { rm } from "node:fs/promises";
import path from "node:path";
import type { Clock, Timer } from "../../base/clock.ts";
import type { ReceivedOpus, SenderClock } from "../engine/engine.ts";
import { AppendFile } from "./append-file.ts";
import {
  encodeEnd,
  encodeEpoch,
  encodeHeader,
  encodePath,
  encodeSenderClock,
  PacketEncoder,
} from "./format.ts";
import { RECORD_HEADER_BYTES } from "./framing.ts";
import { nextNumbers, readBootId, trackName } from "./place.ts";

export interface ClipRingOptions {
  engine: { name: string; hasClock: boolean };
  clock: Clock;
  /** What is known of the ways to the speakers, in ms. */
  roundTrips?: () => Iterable<readonly [speaker: string, ms: number]>;
  /** Of all voices together, in bytes; beyond it the longest gives its oldest second. */
  maxBytes?: number;
}

export interface ClipFile {
  speaker: string;
  file: string;
  what: "voice";
  hasClock?: false;
}

const CHUNK_MS = 1_000;
const PATH_EVERY_MS = 5_000;
/** A second of a voice takes about 6 kB. */
const FIRST_CHUNK_BYTES = 8 * 1024;
/** What somebody sends in a second beyond this is a flood: the rest of that second is left out. */
const MAX_CHUNK_BYTES = 64 * 1024;
/** Twenty voices of two minutes take a third of it. */
const MAX_BYTES = 48 * 1024 * 1024;
/** Memory that is used again: what is given away once a second and voice leaves holes that the system never gets back. */
const MAX_SPARE = 64;

/** Whole records of a track file, in order, that were made within one second. */
interface Chunk {
  fromMs: number;
  bytes: Uint8Array;
  used: number;
}

interface Voice {
  chunks: Chunk[];
  /** Of the newest packet. */
  ssrc: number | null;
}

/**
 * The last seconds of the voices on a list, in memory alone, as the records that a track file would have. Bounded by time
 * and by bytes. What leaves it is overwritten.
 */
export class ClipRing {
  readonly #options: ClipRingOptions;
  readonly #packets = new PacketEncoder();
  readonly #voices = new Map<string, Voice>();
  #speakers: ReadonlySet<string> = new Set();
  #keepMs = 0;
  #bytes = 0;
  #spare: Uint8Array[] = [];
  #timer: Timer | null = null;
  #pathDueMs = 0;

  constructor(options: ClipRingOptions) {
    this.#options = options;
  }

  /** Bytes in memory for it now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps `seconds` of these from now on, and forgets all others at once; none with 0 seconds. */
  keep(speakers: readonly string[], seconds: number): void {
    this.#speakers = new Set(seconds > 0 ? speakers : []);
    this.#keepMs = seconds * 1000;
    for (const speaker of this.#voices.keys()) if (!this.#speakers.has(speaker)) this.#forget(speaker);
    this.#prune();
  }

  keeps(speaker: string): boolean {
    return this.#speakers.has(speaker);
  }

  packet(speaker: string, packet: ReceivedOpus): void {
    if (!this.#speakers.has(speaker)) return;
    const voice = this.#voice(speaker);
    voice.ssrc = packet.ssrc;
    this.#add(voice, packet.arrivalMs, this.#packets.encode(packet));
  }

  senderClock(speaker: string, clock: SenderClock): void {
    const voice = this.#voices.get(speaker);
    if (voice) this.#add(voice, clock.arrivalMs, encodeSenderClock(clock));
  }

  /**
   * Writes the last seconds as new files below `directory`. Who drops off the list meanwhile has none in the end.
   * @throws what the system said; then there are no files
   */
  async write(recording: string, directory: string, seconds: number): Promise<ClipFile[]> {
    const sinceMs = this.#options.clock.now() - Math.min(seconds * 1000, this.#keepMs);
    const taken = [...this.#voices].flatMap(([speaker, voice]) => {
      const records = recordsSince(voice.chunks, sinceMs);
      return records.length > 0 ? [{ speaker, voice, records }] : [];
    });
    let { voice: next } = await nextNumbers(directory);
    const files: { file: ClipFile; voice: Voice }[] = [];
    const lost = (speaker: string, voice: Voice): boolean => this.#voices.get(speaker) !== voice;
    const remove = (name: string): Promise<void> => rm(path.join(directory, name), { force: true });
    try {
      for (const { speaker, voice, records } of taken) {
        if (lost(speaker, voice)) continue;
        const file = this.#describe(speaker, trackName("voice", next++));
        files.push({ file, voice });
        await this.#writeFile(path.join(directory, file.file), recording, speaker, records);
      }
    } catch (error) {
      await Promise.allSettled(files.map(({ file }) => remove(file.file)));
      throw error;
    }
    for (const { file, voice } of files) if (lost(file.speaker, voice)) await remove(file.file);
    return files.filter(({ file, voice }) => !lost(file.speaker, voice)).map(({ file }) => file);
  }

  /** Forgets everything. Idempotent. */
  close(): void {
    this.keep([], 0);
    this.#spare = [];
  }

  #describe(speaker: string, file: string): ClipFile {
    const { hasClock } = this.#options.engine;
    return { speaker, file, what: "voice", ...(hasClock ? {} : { hasClock }) };
  }

  async #writeFile(to: string, recording: string, speaker: string, records: Uint8Array[]): Promise<void> {
    const { engine, clock } = this.#options;
    const { name, hasClock } = engine;
    const file = await AppendFile.create(to, "track");
    try {
      const what = { what: "voice", codec: "opus", clockRate: 48_000 } as const;
      file.append(encodeHeader({ recording, speaker, ...what, engine: name, hasClock }));
      const pair = { monotonicMs: clock.now(), wallMs: clock.wall() };
      file.append(encodeEpoch({ ...pair, bootId: readBootId() }));
      for (const record of [...records, encodeEnd(clock.now())]) {
        if (file.append(record)) continue;
        await file.flush();
        file.append(record);
      }
    } finally {
      await file.close();
    }
  }

  #voice(speaker: string): Voice {
    let voice = this.#voices.get(speaker);
    if (!voice) {
      voice = { chunks: [], ssrc: null };
      this.#voices.set(speaker, voice);
      this.#arm();
    }
    return voice;
  }

  #add(voice: Voice, atMs: number, record: Uint8Array): void {
    let chunk = voice.chunks.at(-1);
    if (!chunk || atMs >= chunk.fromMs + CHUNK_MS) {
      chunk = { fromMs: atMs, bytes: this.#spare.pop() ?? new Uint8Array(FIRST_CHUNK_BYTES), used: 0 };
      voice.chunks.push(chunk);
      this.#bytes += chunk.bytes.length;
    }
    const needed = chunk.used + record.length;
    if (needed > MAX_CHUNK_BYTES) return;
    if (needed > chunk.bytes.length) {
      const larger = new Uint8Array(Math.min(MAX_CHUNK_BYTES, Math.max(needed, chunk.bytes.length * 2)));
      larger.set(chunk.bytes.subarray(0, chunk.used));
      this.#bytes += larger.length - chunk.bytes.length;
      this.#release(chunk.bytes);
      chunk.bytes = larger;
    }
    chunk.bytes.set(record, chunk.used);
    chunk.used = needed;
    while (this.#bytes > (this.#options.maxBytes ?? MAX_BYTES)) this.#dropLongest();
  }

  #arm(): void {
    this.#timer ??= this.#options.clock.timer(CHUNK_MS, () => {
      this.#timer = null;
      this.#notePaths();
      this.#prune();
    });
  }

  #notePaths(): void {
    const atMs = this.#options.clock.now();
    if (atMs < this.#pathDueMs) return;
    this.#pathDueMs = atMs + PATH_EVERY_MS;
    for (const [speaker, roundTripMs] of this.#options.roundTrips?.() ?? []) {
      const voice = this.#voices.get(speaker);
      if (voice && voice.ssrc !== null)
        this.#add(voice, atMs, encodePath({ atMs, ssrc: voice.ssrc, roundTripMs }));
    }
  }

  /** Forgets what is too old, also of those who have fallen silent. */
  #prune(): void {
    const beforeMs = this.#options.clock.now() - this.#keepMs - CHUNK_MS;
    for (const [speaker, { chunks }] of this.#voices) {
      while (chunks[0] && chunks[0].fromMs < beforeMs) this.#drop(chunks);
      if (chunks.length === 0) this.#voices.delete(speaker);
    }
    if (this.#voices.size > 0) this.#arm();
    else {
      this.#timer?.cancel();
      this.#timer = null;
    }
  }

  #dropLongest(): void {
    let longest: Chunk[] = [];
    for (const { chunks } of this.#voices.values()) if (chunks.length > longest.length) longest = chunks;
    this.#drop(longest);
  }

  #forget(speaker: string): void {
    const chunks = this.#voices.get(speaker)?.chunks ?? [];
    while (chunks.length > 0) this.#drop(chunks);
    this.#voices.delete(speaker);
  }

  #drop(chunks: Chunk[]): void {
    const chunk = chunks.shift();
    if (!chunk) return;
    this.#bytes -= chunk.bytes.length;
    this.#release(chunk.bytes);
  }

  #release(bytes: Uint8Array): void {
    bytes.fill(0);
    if (bytes.length === FIRST_CHUNK_BYTES && this.#spare.length < MAX_SPARE) this.#spare.push(bytes);
  }
}

/** Copies of the records from `sinceMs` on: the ring's memory may be overwritten while they are written. */
function recordsSince(chunks: readonly Chunk[], sinceMs: number): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (const { bytes, used } of chunks) {
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < used;) {
      const next = at + RECORD_HEADER_BYTES + view.getUint32(at, true);
      // All three types that are kept begin with their time.
      if (view.getFloat64(at + RECORD_HEADER_BYTES, true) >= sinceMs) records.push(bytes.slice(at, next));
      at = next;
    }
  }
  return records;
}
