import { closeSync, openSync } from "node:fs";
import { writeWhole } from "../write-whole.ts";

/** Of a plain WAV file, whose sizes are of 32 bits. */
const LIMIT = 0xffff_ffff;
/** RIFF, room for ds64, fmt, and data's own head. */
export const WAV_HEADER_BYTES = 12 + 36 + 24 + 8;
const BYTES_PER_VALUE = 2;

/**
 * The head of a WAV file of 16 bit PCM at 48 kHz. Above 4 GB it is an RF64 file (EBU Tech 3306); below, the place for its sizes is
 * filled by a chunk that readers skip.
 * @param frames samples for each channel
 */
export function wavHeader(frames: number, channels: 1 | 2): Uint8Array {
  const bytes = Buffer.alloc(WAV_HEADER_BYTES);
  const dataBytes = frames * channels * BYTES_PER_VALUE;
  const riffBytes = WAV_HEADER_BYTES - 8 + dataBytes;
  const large = riffBytes > LIMIT;
  bytes.write(large ? "RF64" : "RIFF", 0, "latin1");
  bytes.writeUInt32LE(large ? LIMIT : riffBytes, 4);
  bytes.write("WAVE", 8, "latin1");
  bytes.write(large ? "ds64" : "JUNK", 12, "latin1");
  bytes.writeUInt32LE(28, 16);
  if (large) {
    bytes.writeBigUInt64LE(BigInt(riffBytes), 20);
    bytes.writeBigUInt64LE(BigInt(dataBytes), 28);
    bytes.writeBigUInt64LE(BigInt(frames), 36);
  }
  bytes.write("fmt ", 48, "latin1");
  bytes.writeUInt32LE(16, 52);
  bytes.writeUInt16LE(1, 56); // PCM
  bytes.writeUInt16LE(channels, 58);
  bytes.writeUInt32LE(48_000, 60);
  bytes.writeUInt32LE(48_000 * channels * BYTES_PER_VALUE, 64);
  bytes.writeUInt16LE(channels * BYTES_PER_VALUE, 68);
  bytes.writeUInt16LE(BYTES_PER_VALUE * 8, 70);
  bytes.write("data", 72, "latin1");
  bytes.writeUInt32LE(large ? LIMIT : dataBytes, 76);
  return bytes;
}

/** Writes a WAV file of a length that is known. Synchronous: it lives in a process of its own. */
export class WavWriter {
  readonly #file: number;
  #at = WAV_HEADER_BYTES;

  constructor(path: string, { frames, channels }: { frames: number; channels: 1 | 2 }) {
    this.#file = openSync(path, "w", 0o640);
    writeWhole(this.#file, wavHeader(frames, channels), 0);
  }

  /** Interleaved 16 bit samples. */
  write(pcm: Int16Array): void {
    const { buffer, byteOffset, byteLength } = pcm;
    this.#at += writeWhole(this.#file, new Uint8Array(buffer, byteOffset, byteLength), this.#at);
  }

  close(): void {
    closeSync(this.#file);
  }
}
