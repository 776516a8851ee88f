import { BotError } from "../../../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { crc16, frameHead, MAX_HEAD_BYTES, type FrameHead } from "./flac-frame.ts";

export interface FlacHead {
  streamInfo: Buffer;
  /** The Vorbis comments (tags) as they are; null: none. */
  comments: Buffer | null;
  /** Samples in a second. */
  rate: number;
  /** Frames are numbered by their first sample instead of one by one. */
  variable: boolean;
}

export interface FlacFrame {
  head: FrameHead;
  bytes: Buffer;
  samples: number;
}

const MAX_BLOCK_BYTES = 1 << 24;
/** Of a frame: 65,535 samples of 8 channels of 32 bits, uncompressed. */
const MAX_FRAME_BYTES = 2_200_000;
const READ_BYTES = 128 * 1024;

/** @throws BotError `recording_damaged` */
export async function readFlacHead(source: ByteSource): Promise<FlacHead> {
  if ((await source.peek(4)).toString("latin1", 0, 4) !== "fLaC") throw damaged("no FLAC file");
  source.skip(4);
  let streamInfo: Buffer | null = null;
  let comments: Buffer | null = null;
  for (let last = false; !last;) {
    const head = await source.peek(4);
    if (head.length < 4) throw damaged("no frames");
    const type = (head[0] ?? 0) & 0x7f;
    last = ((head[0] ?? 0) & 0x80) !== 0;
    const length = head.readUIntBE(1, 3);
    if (length > MAX_BLOCK_BYTES) throw damaged("a block is too long");
    const block = (await source.peek(4 + length)).subarray(4, 4 + length);
    if (type === 0) streamInfo = Buffer.from(block);
    if (type === 4) comments = Buffer.from(block);
    source.skip(4 + length);
  }
  const rate = (streamInfo?.readUIntBE(10, 3) ?? 0) >> 4;
  if (streamInfo?.length !== 34 || rate === 0) throw damaged("no STREAMINFO");
  const first = await source.peek(2);
  return { streamInfo, comments, rate, variable: ((first[1] ?? 0) & 1) !== 0 };
}

/**
 * The frames in order. Where one ends is not written anywhere: it is where the next head begins that has the next number and
 * up to which the checksum is right.
 */
export async function* flacFrames(
  source: ByteSource,
  { variable }: FlacHead,
): AsyncGenerator<FlacFrame, void, undefined> {
  for (;;) {
    let buffer = await source.peek(MAX_HEAD_BYTES);
    if (buffer.length === 0) return;
    const head = frameHead(buffer, 0);
    if (head === null) throw damaged("no frame");
    const next = head.number + (variable ? head.samples : 1);
    let end: number | null = null;
    let crc = 0;
    let summed = 0;
    for (let at = head.headBytes; end === null; at++) {
      if (at + MAX_HEAD_BYTES > buffer.length) {
        const longer = await source.peek(buffer.length + READ_BYTES);
        const grew = longer.length > buffer.length;
        buffer = longer;
        if (!grew && at >= buffer.length) {
          end = buffer.length;
          break;
        }
      }
      if (at > MAX_FRAME_BYTES) throw damaged("a frame does not end");
      if (buffer[at] !== 0xff || ((buffer[at + 1] ?? 0) & 0xfe) !== 0xf8) continue;
      if (frameHead(buffer, at)?.number !== next) continue;
      crc = crc16(buffer, summed, at - 2, crc);
      summed = at - 2;
      if (buffer.readUInt16BE(at - 2) === crc) end = at;
    }
    const bytes = Buffer.from(buffer.subarray(0, end));
    yield { head, bytes, samples: head.samples };
    source.skip(end);
  }
}

const damaged = (what: string): BotError =>
  new BotError("recording_damaged", `not a whole FLAC file: ${what}`);
