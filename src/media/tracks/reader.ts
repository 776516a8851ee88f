import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { BotError, messageOf } from "../../base/errors.ts";
import { FILE_HEADER_BYTES, checkFileHeader, decodeRecord } from "./framing.ts";
import type { FileKind, RawRecord } from "./framing.ts";
import { decodeTrackRecord } from "./format.ts";
import type { TrackHeader, TrackRecord } from "./format.ts";

const CHUNK_BYTES = 256 * 1024;
/** Read at once when a file is opened: a journal is rarely longer, and there may be a thousand of them. */
const FIRST_BYTES = 64 * 1024;

/** How far a file could be believed. */
export interface FileEnd {
  /** Bytes up to the end of the last whole record. */
  validBytes: number;
  /** Bytes behind that, which a kill or a full disk left; 0 for a whole file. */
  tornBytes: number;
}

/** Reads any file of records in order, a chunk at a time, and stops where it cannot be believed any more. */
export class RecordReader {
  readonly #handle: FileHandle;
  #buffer: Uint8Array;
  /** Of `#buffer`'s first byte in the file. */
  #base = FILE_HEADER_BYTES;
  /** The end of the file was read. */
  #ended: boolean;
  #end: FileEnd | null = null;
  #closed = false;

  private constructor(handle: FileHandle, first: Uint8Array) {
    this.#handle = handle;
    this.#buffer = first.subarray(FILE_HEADER_BYTES);
    this.#ended = first.length < FIRST_BYTES;
  }

  /** @throws BotError `recording_damaged` when it cannot be opened or its header is not that of `kind`. */
  static async open(path: string, kind: FileKind): Promise<RecordReader> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, "r");
      const first = Buffer.allocUnsafeSlow(FIRST_BYTES);
      const { bytesRead } = await handle.read(first, 0, FIRST_BYTES, 0);
      const wrong = checkFileHeader(first.subarray(0, Math.min(bytesRead, FILE_HEADER_BYTES)), kind);
      if (wrong !== null) throw new Error(wrong);
      return new RecordReader(handle, new Uint8Array(first.buffer, 0, bytesRead));
    } catch (error) {
      await handle?.close();
      throw new BotError("recording_damaged", `cannot read ${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Known once `records()` was read to its end. */
  get end(): FileEnd | null {
    return this.#end;
  }

  /**
   * The records, once, in order. A payload is only valid until the next one is asked for. Closes the file when it ends
   * or is left early.
   */
  async *records(): AsyncGenerator<RawRecord, void, undefined> {
    try {
      let at = 0;
      for (;;) {
        const record = decodeRecord(this.#buffer, at);
        if (record === "short") {
          const more = await this.#readMore(at);
          at = 0;
          if (more) continue;
        }
        if (record === "short" || record === "damaged") {
          const validBytes = this.#base + at;
          // A file that is still being written is longer by now; what is behind a short record was not there.
          const size =
            record === "short" ? this.#base + this.#buffer.length : (await this.#handle.stat()).size;
          this.#end = { validBytes, tornBytes: size - validBytes };
          return;
        }
        yield { type: record.type, payload: record.payload, offset: this.#base + at };
        at = record.next;
      }
    } finally {
      await this.close();
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  /** Drops `consumed` bytes and reads on; false at the end of the file. */
  async #readMore(consumed: number): Promise<boolean> {
    if (this.#ended) {
      this.#buffer = this.#buffer.subarray(consumed);
      this.#base += consumed;
      return false;
    }
    const rest = this.#buffer.subarray(consumed);
    const next = new Uint8Array(rest.length + CHUNK_BYTES);
    next.set(rest);
    this.#base += consumed;
    const { bytesRead } = await this.#handle.read(next, rest.length, CHUNK_BYTES, this.#base + rest.length);
    this.#buffer = next.subarray(0, rest.length + bytesRead);
    this.#ended = bytesRead < CHUNK_BYTES;
    return bytesRead > 0;
  }
}

/** Reads a speaker's track file. */
export class TrackReader {
  readonly header: TrackHeader;
  readonly #reader: RecordReader;
  readonly #records: AsyncGenerator<RawRecord, void, undefined>;
  #closedInOrder = false;

  private constructor(
    header: TrackHeader,
    reader: RecordReader,
    records: AsyncGenerator<RawRecord, void, undefined>,
  ) {
    this.header = header;
    this.#reader = reader;
    this.#records = records;
  }

  /** @throws BotError `recording_damaged` when there is no readable header. */
  static async open(path: string): Promise<TrackReader> {
    const reader = await RecordReader.open(path, "track");
    const records = reader.records();
    const first = await records.next();
    const header = first.done ? "damaged" : decodeTrackRecord(first.value.type, first.value.payload);
    if (typeof header === "string" || header.type !== "header") {
      await reader.close();
      throw new BotError("recording_damaged", `${path} does not begin with a track header`);
    }
    const { type: _, ...fields } = header;
    return new TrackReader(fields, reader, records);
  }

  /** Where it stopped; known once `records()` was read to its end. */
  get end(): (FileEnd & { closedInOrder: boolean }) | null {
    return this.#reader.end && { ...this.#reader.end, closedInOrder: this.#closedInOrder };
  }

  /** Everything behind the header, in order of arrival. Packets' payloads are only valid until the next record. */
  async *records(): AsyncGenerator<TrackRecord, void, undefined> {
    try {
      for await (const raw of this.#records) {
        const record = decodeTrackRecord(raw.type, raw.payload);
        if (record === "unknown" || record === "damaged") continue;
        if (record.type === "end") this.#closedInOrder = true;
        yield record;
      }
    } finally {
      await this.close();
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#reader.close();
  }
}
