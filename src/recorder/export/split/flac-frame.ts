// Frame headers of FLAC (RFC 9639 section 9.1), as far as cutting needs them.

const CRC8 = Uint8Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80 ? (value << 1) ^ 0x07 : value << 1;
  return value & 0xff;
});
const CRC16 = Uint16Array.from({ length: 256 }, (_, index) => {
  let value = index << 8;
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000 ? (value << 1) ^ 0x8005 : value << 1;
  return value & 0xffff;
});

function crc8(bytes: Uint8Array, end: number): number {
  let crc = 0;
  for (let at = 0; at < end; at++) crc = CRC8[crc ^ (bytes[at] ?? 0)] ?? 0;
  return crc;
}

/** Goes on with `crc` over the bytes from `from` to `to`. */
export function crc16(bytes: Uint8Array, from: number, to: number, crc = 0): number {
  for (let at = from; at < to; at++) {
    crc = (((crc << 8) & 0xffff) ^ (CRC16[((crc >> 8) ^ (bytes[at] ?? 0)) & 0xff] ?? 0)) & 0xffff;
  }
  return crc;
}

export interface FrameHead {
  /** Of the frame, or of its first sample where block sizes vary. */
  number: number;
  samples: number;
  /** Bytes of the coded number, and of the whole head with its checksum. */
  numberBytes: number;
  headBytes: number;
}

/** Longest head: 4 bytes, 7 of the number, 2 each of block size and rate, 1 of checksum. */
export const MAX_HEAD_BYTES = 16;

/** The head of a frame that begins at `at`; null when none does. */
export function frameHead(bytes: Uint8Array, at: number): FrameHead | null {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes.subarray(at, at + 4);
  if (first !== 0xff || (second & 0xfe) !== 0xf8 || (fourth & 1) !== 0) return null;
  const sizeCode = third >> 4;
  const rateCode = third & 0x0f;
  if (sizeCode === 0 || rateCode === 15) return null;
  const number = codedNumber(bytes, at + 4);
  if (number === null) return null;
  let end = at + 4 + number.bytes;
  let samples: number;
  if (sizeCode === 1) samples = 192;
  else if (sizeCode <= 5) samples = 576 << (sizeCode - 2);
  else if (sizeCode === 6) samples = (bytes[end++] ?? 0) + 1;
  else if (sizeCode === 7) {
    samples = ((bytes[end] ?? 0) << 8) + (bytes[end + 1] ?? 0) + 1;
    end += 2;
  } else samples = 256 << (sizeCode - 8);
  if (rateCode === 12) end += 1;
  if (rateCode === 13 || rateCode === 14) end += 2;
  const head = bytes.subarray(at, end);
  if (end >= bytes.length || crc8(head, head.length) !== bytes[end]) return null;
  return { number: number.value, samples, numberBytes: number.bytes, headBytes: end + 1 - at };
}

/** The frame's bytes with another number, at most as great, and new checksums. */
export function renumbered({ bytes, head }: { bytes: Uint8Array; head: FrameHead }, number: number): Buffer {
  const coded = encodedNumber(number);
  const rest = bytes.subarray(4 + head.numberBytes, head.headBytes - 1);
  const start = Buffer.concat([bytes.subarray(0, 4), coded, rest]);
  const all = Buffer.concat([
    start,
    Buffer.of(crc8(start, start.length)),
    bytes.subarray(head.headBytes, bytes.length - 2),
    Buffer.alloc(2),
  ]);
  all.writeUInt16BE(crc16(all, 0, all.length - 2), all.length - 2);
  return all;
}

/** As UTF-8, extended to 36 bits. */
function codedNumber(bytes: Uint8Array, at: number): { value: number; bytes: number } | null {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { value: first, bytes: 1 };
  const length = Math.clz32(~(first << 24) >>> 0);
  if (length < 2 || length > 7) return null;
  let value = first & (0x7f >> length);
  for (let index = 1; index < length; index++) {
    const next = bytes[at + index] ?? 0;
    if ((next & 0xc0) !== 0x80) return null;
    value = value * 64 + (next & 0x3f);
  }
  return { value, bytes: length };
}

function encodedNumber(value: number): Buffer {
  if (value < 0x80) return Buffer.of(value);
  let length = 2;
  while (value >= 2 ** (length * 5 + 1)) length++;
  const bytes = Buffer.alloc(length);
  let rest = value;
  for (let index = length - 1; index > 0; index--) {
    bytes[index] = 0x80 | (rest % 64);
    rest = Math.floor(rest / 64);
  }
  bytes[0] = ((0xff << (8 - length)) & 0xff) | rest;
  return bytes;
}
