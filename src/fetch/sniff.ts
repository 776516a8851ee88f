/** What the first bytes of a file are: sound in a container that we know, text of whatever kind, or neither. */
export type Sniffed = "audio" | "text" | "other";

/** How many first bytes tell; fewer when the file is shorter. */
export const SNIFF_BYTES = 16_384;

type Mark = { at: number; bytes: string };
const mark = (bytes: string, at = 0): Mark => ({ at, bytes });

/** Each line: marks that are all there (Latin-1). Containers as `AUDIO_FORMATS` of the decoder has them. */
const CONTAINERS: readonly (readonly Mark[])[] = [
  [mark("ID3")],
  [mark("fLaC")],
  [mark("OggS")],
  [mark("RIFF"), mark("WAVE", 8)],
  [mark("RF64"), mark("WAVE", 8)],
  [mark("riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb")],
  [mark("FORM"), mark("AIFF", 8)],
  [mark("FORM"), mark("AIFC", 8)],
  [mark("caff")],
  [mark(".snd")],
  // MP4 and its kin: the first box is one of these.
  ...["ftyp", "moov", "mdat", "free", "skip", "wide"].map((box) => [mark(box, 4)]),
  // Matroska, WebM.
  [mark("\x1a\x45\xdf\xa3")],
  // ASF, which WMA is in.
  [mark("\x30\x26\xb2\x75\x8e\x66\xcf\x11")],
  [mark("#!AMR")],
  [mark("MAC ")],
  [mark("wvpk")],
  [mark("TTA1")],
  [mark("tBaK")],
  [mark("MP+")],
  [mark("MPCK")],
  [mark("DSD ")],
  [mark("Creative Voice File\x1a")],
  [mark("\x0b\x77")],
];

/** Judges by the bytes alone: what a server calls it, and what it is named, are claims. Pure. */
export function sniff(start: Uint8Array): Sniffed {
  const head = Buffer.from(start.buffer, start.byteOffset, Math.min(start.length, SNIFF_BYTES));
  if (CONTAINERS.some((marks) => marks.every(({ at, bytes }) => isAt(head, at, bytes)))) return "audio";
  if (isText(head)) return "text";
  return framesIn(head) === null ? "other" : "audio";
}

function isAt(head: Buffer, at: number, bytes: string): boolean {
  return head.length >= at + bytes.length && head.toString("latin1", at, at + bytes.length) === bytes;
}

/** No control characters but blanks, and UTF-8 or Latin-1 with most of it ASCII. */
function isText(head: Buffer): boolean {
  if (head.length === 0) return false;
  let beyond = 0;
  for (const byte of head) {
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127) return false;
    if (byte > 127) beyond++;
  }
  return beyond * 2 <= head.length;
}

/**
 * Whether there are two frames of MPEG audio (layers 1 to 3) or ADTS after each other, the second where the first says;
 * and of which. Pure.
 */
export function framesIn(start: Uint8Array): "mp3" | "aac" | null {
  const head = Buffer.from(start.buffer, start.byteOffset, Math.min(start.length, SNIFF_BYTES));
  for (let at = 0; at + 6 < head.length; at++) {
    if (head[at] !== 0xff) continue;
    const length = frameLength(head, at);
    const layer = layerAt(head, at);
    if (length > 0 && frameLength(head, at + length) > 0 && layerAt(head, at + length) === layer)
      return layer === 4 ? "aac" : "mp3";
  }
  return null;
}

/** 1 to 3 of MPEG audio; 4: ADTS. */
const layerAt = (head: Buffer, at: number): number => 4 - (((head[at + 1] ?? 0) >> 1) & 3);

/** kbit/s by MPEG version (1; 2 and 2.5) and layer (1 to 3); ISO/IEC 11172-3 2.4.2.3, 13818-3. */
const BIT_RATES: Readonly<Record<string, readonly number[]>> = {
  "1-1": [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  "1-2": [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  "1-3": [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  "2-1": [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  "2-2": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  "2-3": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const SAMPLE_RATES = [44_100, 48_000, 32_000];

/** Bytes of the frame at `at`; 0 when there is none. */
function frameLength(head: Buffer, at: number): number {
  const [sync = 0, kind = 0, rates = 0, fourth = 0, fifth = 0] = head.subarray(at, at + 5);
  if (sync !== 0xff || (kind & 0xe0) !== 0xe0) return 0;
  const layer = layerAt(head, at);
  if (layer === 4) {
    // ADTS (ISO/IEC 13818-7 6.2): 12 bits of sync, sampling index up to 12, 13 bits of length.
    const length = ((fourth & 3) << 11) | (fifth << 3) | ((head[at + 5] ?? 0) >> 5);
    return (kind & 0xf6) === 0xf0 && ((rates >> 2) & 15) < 13 && length > 7 ? length : 0;
  }
  const version = (kind >> 3) & 3;
  if (version === 1) return 0;
  const bitRate = BIT_RATES[`${version === 3 ? 1 : 2}-${layer}`]?.[(rates >> 4) - 1];
  const rate = SAMPLE_RATES[(rates >> 2) & 3];
  if (bitRate === undefined || rate === undefined) return 0;
  const sampleRate = version === 3 ? rate : version === 2 ? rate / 2 : rate / 4;
  const padding = (rates >> 1) & 1;
  if (layer === 1) return (Math.floor((12_000 * bitRate) / sampleRate) + padding) * 4;
  const perFrame = layer === 3 && version !== 3 ? 72_000 : 144_000;
  return Math.floor((perFrame * bitRate) / sampleRate) + padding;
}
