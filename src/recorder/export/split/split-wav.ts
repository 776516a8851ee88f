import { open, stat } from "node:fs/promises";
import { BotError } from "../../../base/errors.ts";
import { ByteSource } from "./byte-source.ts";
import type { PartFile, SplitOptions } from "./parts.ts";

/** Sizes in a RIFF file have 32 bits. */
const MAX_RIFF_BYTES = 4_000_000_000;
const COPY_BYTES = 256 * 1024;
const UNKNOWN = 0xffffffff;

interface Wave {
  /** The format chunk, without its head. */
  format: Buffer;
  /** Bytes of one instant of all channels, and instants in a second. */
  block: number;
  rate: number;
  dataAt: number;
  dataBytes: number;
}

/** Cuts between samples; each part is a WAV file of its own (RIFF, also where the whole is RF64). */
export async function splitWav(path: string, options: SplitOptions): Promise<PartFile[]> {
  const source = await ByteSource.open(path);
  try {
    const { format, block, rate, dataAt, dataBytes } = await readWave(source, (await stat(path)).size);
    const headBytes = 12 + 8 + format.length + (format.length & 1) + 8;
    const room = Math.min(options.maxBytes, MAX_RIFF_BYTES) - headBytes - 1;
    const partBlocks = Math.floor(room / block);
    if (partBlocks < 1) throw new BotError("media_too_large", "not even one sample fits");
    const blocks = Math.floor(dataBytes / block);
    source.seek(dataAt);
    const done: PartFile[] = [];
    for (let from = 0; from < blocks; from += partBlocks) {
      const count = Math.min(partBlocks, blocks - from);
      const partPath = options.path(done.length);
      const bytes = await writePart(source, partPath, format, count * block, options.onBytes);
      done.push({ path: partPath, bytes, durationMs: (count / rate) * 1000 });
    }
    return done;
  } finally {
    await source.close();
  }
}

async function writePart(
  source: ByteSource,
  path: string,
  format: Buffer,
  dataBytes: number,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const padded = format.length & 1 ? Buffer.concat([format, Buffer.alloc(1)]) : format;
  const odd = dataBytes & 1;
  const head = Buffer.alloc(12 + 8 + padded.length + 8);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(head.length - 8 + dataBytes + odd, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(format.length, 16);
  padded.copy(head, 20);
  head.write("data", 20 + padded.length, "latin1");
  head.writeUInt32LE(dataBytes, 24 + padded.length);
  const file = await open(path, "wx", 0o640);
  try {
    await file.writeFile(head);
    for (let left = dataBytes; left > 0;) {
      const piece = (await source.peek(Math.min(left, COPY_BYTES))).subarray(0, left);
      if (piece.length === 0) throw new BotError("recording_damaged", "the WAV file is cut off");
      await file.writeFile(piece);
      left -= piece.length;
      source.skip(piece.length);
      onBytes(source.position);
    }
    if (odd) await file.writeFile(Buffer.alloc(1));
    return head.length + dataBytes + odd;
  } finally {
    await file.close();
  }
}

/** RIFF and RF64 (EBU Tech 3306). @throws BotError `recording_damaged` */
async function readWave(source: ByteSource, size: number): Promise<Wave> {
  const start = await source.peek(12);
  const kind = start.toString("latin1", 0, 4);
  if (!["RIFF", "RF64"].includes(kind) || start.toString("latin1", 8, 12) !== "WAVE") throw damaged();
  let format: Buffer | null = null;
  let longData: number | null = null;
  for (let at = 12; at + 8 <= size;) {
    source.seek(at);
    const chunk = await source.peek(8);
    if (chunk.length < 8) break;
    const id = chunk.toString("latin1", 0, 4);
    const length = chunk.readUInt32LE(4);
    if (id === "ds64") longData = Number((await source.peek(8 + 16)).readBigUInt64LE(16));
    if (id === "fmt ") format = Buffer.from((await source.peek(8 + length)).subarray(8, 8 + length));
    if (id === "data") {
      const said = length === UNKNOWN && longData !== null ? longData : length;
      return waveOf(format, at + 8, Math.min(said, size - at - 8));
    }
    at += 8 + length + (length & 1);
  }
  throw damaged();
}

function waveOf(format: Buffer | null, dataAt: number, dataBytes: number): Wave {
  if (format === null || format.length < 16) throw damaged();
  const rate = format.readUInt32LE(4);
  const block = format.readUInt16LE(12);
  if (rate === 0 || block === 0) throw damaged();
  return { format, rate, block, dataAt, dataBytes };
}

const damaged = (): BotError => new BotError("recording_damaged", "not a WAV file");
