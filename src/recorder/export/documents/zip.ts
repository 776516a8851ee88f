import { closeSync, openSync, readSync, statSync } from "node:fs";
import { crc32 } from "node:zlib";
import { writeWhole } from "../write-whole.ts";

/** Beyond them a value stands in the ZIP64 fields (APPNOTE.TXT 4.4.1.4). */
const LIMIT_32 = 0xffff_ffff;
const LIMIT_16 = 0xffff;
const VERSION = 20;
const VERSION_64 = 45;
/** Made on Unix, for the mode below. */
const MADE_BY_UNIX = 3 << 8;
const REGULAR_FILE = 0o100644;
/** Names are UTF-8 (4.4.4, bit 11). */
const UTF8 = 1 << 11;
const CHUNK = 1024 * 1024;

export interface ZipSource {
  /** As it is called in the archive. */
  name: string;
  path: string;
}

export interface ZipOptions {
  /** Of all files, wall clock. */
  timeMs: number;
  onBytes: (bytes: number) => Promise<void> | void;
  /** Sizes and places from here on are written as ZIP64. */
  zip64From?: number;
}

type Is64 = (value: number) => boolean;

interface Entry {
  name: Uint8Array;
  size: number;
  crc: number;
  offset: number;
}

/**
 * Puts files into a zip as they are (sound does not get smaller), one after the other, in constant memory. Sizes and checksums stand in
 * front of each file and not behind it, so that programs can unpack it while they receive it; ZIP64 where 4 GB are not
 * enough. Synchronous between the pieces that `onBytes` is told.
 */
export async function writeZip(
  path: string,
  sources: readonly ZipSource[],
  { timeMs, onBytes, zip64From = LIMIT_32 }: ZipOptions,
): Promise<void> {
  const is64: Is64 = (value) => value >= zip64From;
  const output = openSync(path, "w", 0o640);
  try {
    const time = dosTime(timeMs);
    const entries: Entry[] = [];
    const buffer = new Uint8Array(CHUNK);
    let at = 0;
    for (const { name, path: from } of sources) {
      const { size } = statSync(from);
      const entry: Entry = { name: new TextEncoder().encode(name), size, crc: 0, offset: at };
      entries.push(entry);
      at += writeWhole(output, localHeader(entry, time, is64), at);
      const input = openSync(from, "r");
      try {
        let left = size;
        while (left > 0) {
          const read = readSync(input, buffer, 0, Math.min(CHUNK, left), null);
          if (read === 0) throw new Error(`${from} became shorter while it was read`);
          const piece = buffer.subarray(0, read);
          entry.crc = crc32(piece, entry.crc);
          at += writeWhole(output, piece, at);
          left -= read;
          await onBytes(read);
        }
      } finally {
        closeSync(input);
      }
      writeWhole(output, localHeader(entry, time, is64), entry.offset);
    }
    writeWhole(output, directory(entries, time, at, is64), at);
  } finally {
    closeSync(output);
  }
}

/** 4.3.7. */
function localHeader({ name, size, crc }: Entry, time: number, is64: Is64): Uint8Array {
  const large = is64(size);
  const extra = large ? zip64Extra([size, size]) : Buffer.alloc(0);
  const bytes = Buffer.alloc(30);
  bytes.writeUInt32LE(0x04034b50, 0);
  bytes.writeUInt16LE(large ? VERSION_64 : VERSION, 4);
  bytes.writeUInt16LE(UTF8, 6);
  bytes.writeUInt32LE(time, 10);
  bytes.writeUInt32LE(crc, 14);
  bytes.writeUInt32LE(large ? LIMIT_32 : size, 18);
  bytes.writeUInt32LE(large ? LIMIT_32 : size, 22);
  bytes.writeUInt16LE(name.length, 26);
  bytes.writeUInt16LE(extra.length, 28);
  return Buffer.concat([bytes, name, extra]);
}

/** The central directory and its end (4.3.12 to 4.3.16), for files whose headers begin at their `offset`. */
function directory(entries: readonly Entry[], time: number, at: number, is64: Is64): Uint8Array {
  const headers = entries.map((entry) => centralHeader(entry, time, is64));
  const size = headers.reduce((sum, { length }) => sum + length, 0);
  const large = entries.length >= LIMIT_16 || is64(at) || is64(size);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(entries.length, LIMIT_16), 8);
  end.writeUInt16LE(Math.min(entries.length, LIMIT_16), 10);
  end.writeUInt32LE(large ? LIMIT_32 : size, 12);
  end.writeUInt32LE(large ? LIMIT_32 : at, 16);
  return Buffer.concat([...headers, ...(large ? [end64(entries.length, size, at)] : []), end]);
}

function centralHeader({ name, size, crc, offset }: Entry, time: number, is64: Is64): Uint8Array {
  const large = [...(is64(size) ? [size, size] : []), ...(is64(offset) ? [offset] : [])];
  const extra = large.length > 0 ? zip64Extra(large) : Buffer.alloc(0);
  const version = large.length > 0 ? VERSION_64 : VERSION;
  const bytes = Buffer.alloc(46);
  bytes.writeUInt32LE(0x02014b50, 0);
  bytes.writeUInt16LE(MADE_BY_UNIX | version, 4);
  bytes.writeUInt16LE(version, 6);
  bytes.writeUInt16LE(UTF8, 8);
  bytes.writeUInt32LE(time, 12);
  bytes.writeUInt32LE(crc, 16);
  bytes.writeUInt32LE(is64(size) ? LIMIT_32 : size, 20);
  bytes.writeUInt32LE(is64(size) ? LIMIT_32 : size, 24);
  bytes.writeUInt16LE(name.length, 28);
  bytes.writeUInt16LE(extra.length, 30);
  bytes.writeUInt32LE((REGULAR_FILE << 16) >>> 0, 38);
  bytes.writeUInt32LE(is64(offset) ? LIMIT_32 : offset, 42);
  return Buffer.concat([bytes, name, extra]);
}

/** The record and the locator of a large archive's end, as one. */
function end64(count: number, size: number, at: number): Uint8Array {
  const bytes = Buffer.alloc(56 + 20);
  bytes.writeUInt32LE(0x06064b50, 0);
  bytes.writeBigUInt64LE(44n, 4);
  bytes.writeUInt16LE(MADE_BY_UNIX | VERSION_64, 12);
  bytes.writeUInt16LE(VERSION_64, 14);
  bytes.writeBigUInt64LE(BigInt(count), 24);
  bytes.writeBigUInt64LE(BigInt(count), 32);
  bytes.writeBigUInt64LE(BigInt(size), 40);
  bytes.writeBigUInt64LE(BigInt(at), 48);
  bytes.writeUInt32LE(0x07064b50, 56);
  bytes.writeBigUInt64LE(BigInt(at + size), 64);
  bytes.writeUInt32LE(1, 72);
  return bytes;
}

/** 4.5.3: the values that do not fit, in their order. */
function zip64Extra(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 8 * values.length);
  bytes.writeUInt16LE(1, 0);
  bytes.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return bytes;
}

/** Time in its low half, date in its high one (UTC); nothing before 1980. */
function dosTime(timeMs: number): number {
  const date = new Date(timeMs);
  const year = Math.min(127, Math.max(0, date.getUTCFullYear() - 1980));
  const day = (year << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1);
  return ((day << 16) | time) >>> 0;
}
