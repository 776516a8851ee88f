import { open, type FileHandle } from "node:fs/promises";
import { decodeEntry, ENTRY } from "../journal.ts";
import { decodeTrackRecord } from "../../media/tracks/format.ts";
import {
  checkFileHeader,
  decodeRecord,
  FILE_HEADER_BYTES,
  FILE_MAGIC,
  FORMAT_VERSION,
  MAX_PAYLOAD_BYTES,
  type FileKind,
} from "../../media/tracks/framing.ts";

/** Whether a file says of itself what it should. */
export type FileHead =
  | { state: "right" }
  /** Its records can be looked for all the same. */
  | { state: "damaged"; why: string }
  /** Nothing in it is to be believed by this program. */
  | { state: "newer"; version: number };

/** Why there is no record at a place: the file ends in it; only zeros; a length that cannot be; a wrong checksum. */
export type HoleReason = "short" | "zeros" | "length" | "checksum";

export type Scanned =
  | { what: "record"; type: number; payload: Uint8Array; from: number; to: number }
  /** Bytes in which no record is; behind them is one, or the end of the file. */
  | { what: "hole"; from: number; to: number; why: HoleReason };

const CHUNK_BYTES = 256 * 1024;
/** Longest record of a track that is looked for behind damage: strangers choose what is in packets, and checking takes time. */
const MAX_TRACK_PAYLOAD = 4_096;

/**
 * Reads a file of a recording beyond where readers stop: behind damage it looks for the next record that is whole and says
 * what such files say. For verifying and repairing only; what strangers wrote into a packet could look like a record there,
 * and says no more than what they could have sent.
 */
export class FileScan {
  readonly head: FileHead;
  readonly #handle: FileHandle;
  readonly #kind: FileKind;

  private constructor(handle: FileHandle, kind: FileKind, head: FileHead) {
    this.#handle = handle;
    this.#kind = kind;
    this.head = head;
  }

  /** @throws errors of the file system */
  static async open(path: string, kind: FileKind): Promise<FileScan> {
    const handle = await open(path, "r");
    try {
      const head = new Uint8Array(FILE_HEADER_BYTES);
      const { bytesRead } = await handle.read(head, 0, FILE_HEADER_BYTES, 0);
      return new FileScan(handle, kind, judgeHead(head.subarray(0, bytesRead), kind));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Everything in the file, in order, once; closes it. Payloads are only valid until the next one is asked for. */
  async *scan(): AsyncGenerator<Scanned, void, undefined> {
    const { state } = this.head;
    if (state === "newer") {
      await this.close();
      return;
    }
    const window = new Window(this.#handle);
    let at = state === "right" ? FILE_HEADER_BYTES : 0;
    let hole: { from: number; why: HoleReason; zeros: boolean } | null =
      state === "right" ? null : { from: 0, why: "checksum", zeros: true };
    try {
      for (;;) {
        const found = await this.#recordAt(window, at, hole !== null);
        if (typeof found === "object" || found === "end") {
          if (hole !== null && at > hole.from)
            yield { what: "hole", from: hole.from, to: at, why: hole.zeros ? "zeros" : hole.why };
          hole = null;
          if (found === "end") return;
          const to = at + found.bytes;
          yield { what: "record", type: found.type, payload: found.payload, from: at, to };
          at = to;
          continue;
        }
        hole ??= { from: at, why: found, zeros: true };
        if (window.byte(at) !== 0) hole.zeros = false;
        at++;
      }
    } finally {
      await this.close();
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    // A closed handle of Node has -1.
    if (this.#handle.fd >= 0) await this.#handle.close();
  }

  /** @param searching behind damage: only what is surely a record of such a file counts */
  async #recordAt(
    window: Window,
    at: number,
    searching: boolean,
  ): Promise<{ type: number; payload: Uint8Array; bytes: number } | HoleReason | "end"> {
    for (;;) {
      const bytes = window.from(at);
      if (searching && bytes.length >= 4 && !this.#mayBegin(bytes)) return "checksum";
      const record = decodeRecord(bytes, 0);
      if (record === "short") {
        if (await window.more(at)) continue;
        return bytes.length === 0 ? "end" : "short";
      }
      if (record === "damaged") return lengthOf(bytes) > MAX_PAYLOAD_BYTES ? "length" : "checksum";
      if (searching && !this.#makesSense(record.type, record.payload)) return "checksum";
      return { type: record.type, payload: record.payload, bytes: record.next };
    }
  }

  /** By its length, before any checksum is computed. */
  #mayBegin(bytes: Uint8Array): boolean {
    const length = lengthOf(bytes);
    return length > 0 && length <= (this.#kind === "track" ? MAX_TRACK_PAYLOAD : MAX_PAYLOAD_BYTES);
  }

  #makesSense(type: number, payload: Uint8Array): boolean {
    if (this.#kind === "journal") return type === ENTRY && decodeEntry(payload) !== null;
    return typeof decodeTrackRecord(type, payload) === "object";
  }
}

/** The part of a file that is being looked at. */
class Window {
  readonly #handle: FileHandle;
  #base = 0;
  #ended = false;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** What is there of the file from a place on. */
  from(at: number): Uint8Array {
    return this.#bytes.subarray(Math.max(0, at - this.#base));
  }

  byte(at: number): number {
    return this.#bytes[at - this.#base] ?? 0;
  }

  /** Reads on, and drops what is before `at`; false at the end of the file. */
  async more(at: number): Promise<boolean> {
    if (this.#ended) return false;
    const rest = this.from(at);
    const next = new Uint8Array(rest.length + CHUNK_BYTES);
    next.set(rest);
    this.#base = at;
    const { bytesRead } = await this.#handle.read(next, rest.length, CHUNK_BYTES, at + rest.length);
    this.#bytes = next.subarray(0, rest.length + bytesRead);
    this.#ended = bytesRead === 0;
    return bytesRead > 0;
  }
}

function judgeHead(bytes: Uint8Array, kind: FileKind): FileHead {
  const why = checkFileHeader(bytes, kind);
  if (why === null) return { state: "right" };
  const ours = bytes.length === FILE_HEADER_BYTES && FILE_MAGIC.every((byte, index) => bytes[index] === byte);
  const version = ours ? new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true) : 0;
  return version > FORMAT_VERSION ? { state: "newer", version } : { state: "damaged", why };
}

const lengthOf = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
