import { crc32 } from "node:zlib";

/**
 * The framing of every append-only file of a recording (docs/RECORDING-FORMAT.md): a 12 byte file header, then records
 * that carry their own length and checksum, so that a torn tail is recognised. All numbers are little endian.
 */
export const FILE_MAGIC = Uint8Array.of(0x89, 0x4d, 0x56, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
export const FORMAT_VERSION = 1;
export const FILE_HEADER_BYTES = 12;
/** Length, checksum, type. */
export const RECORD_HEADER_BYTES = 9;
/** Longest payload of a record; a greater length is damage. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** What a file holds; the number stands in its header. */
export const FILE_KINDS = { track: 1, journal: 2 } as const;
export type FileKind = keyof typeof FILE_KINDS;

/** One record: `type` 0 to 255, by the file's kind. */
export interface RawRecord {
  type: number;
  payload: Uint8Array;
  /** Of the record's first byte in the file. */
  offset: number;
}

/** The first 12 bytes of a file. */
export function encodeFileHeader(kind: FileKind): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  bytes.set(FILE_MAGIC);
  const view = new DataView(bytes.buffer);
  view.setUint16(8, FORMAT_VERSION, true);
  view.setUint16(10, FILE_KINDS[kind], true);
  return bytes;
}

/** Why a file's first 12 bytes are not those of `kind`; null when they are. */
export function checkFileHeader(bytes: Uint8Array, kind: FileKind): string | null {
  if (bytes.length < FILE_HEADER_BYTES) return "it is shorter than its header";
  if (!FILE_MAGIC.every((byte, i) => bytes[i] === byte)) return "it is no file of a recording";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(8, true);
  if (version !== FORMAT_VERSION) return `it has format version ${version}, known is ${FORMAT_VERSION}`;
  return view.getUint16(10, true) === FILE_KINDS[kind] ? null : `it is no ${kind}`;
}

/** A record with its length and checksum in front. @throws RangeError when the payload is too long. */
export function encodeRecord(type: number, payload: Uint8Array): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER_BYTES + payload.length);
  record.set(payload, RECORD_HEADER_BYTES);
  sealRecord(record, type);
  return record;
}

/** As `encodeRecord` for a payload that is already in place behind the 9 bytes of `record`, where `view` begins. */
export function sealRecord(
  record: Uint8Array,
  type: number,
  view = new DataView(record.buffer, record.byteOffset, record.byteLength),
): Uint8Array {
  const length = record.length - RECORD_HEADER_BYTES;
  if (length > MAX_PAYLOAD_BYTES) throw new RangeError(`a record of ${length} bytes is too long`);
  view.setUint32(0, length, true);
  record[8] = type;
  view.setUint32(4, crc32(record.subarray(8)), true);
  return record;
}

/**
 * The record at `at` in `bytes`, `"short"` when more bytes are needed to tell, `"damaged"` when it is none. The payload
 * is a view into `bytes`.
 */
export function decodeRecord(
  bytes: Uint8Array,
  at: number,
): { type: number; payload: Uint8Array; next: number } | "short" | "damaged" {
  if (bytes.length - at < RECORD_HEADER_BYTES) return "short";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(at, true);
  if (length > MAX_PAYLOAD_BYTES) return "damaged";
  const next = at + RECORD_HEADER_BYTES + length;
  if (bytes.length < next) return "short";
  if (crc32(bytes.subarray(at + 8, next)) !== view.getUint32(at + 4, true)) return "damaged";
  return { type: bytes[at + 8]!, payload: bytes.subarray(at + RECORD_HEADER_BYTES, next), next };
}
