/** Kinds of pictures that are taken, each with ffmpeg's names of what reads it and of what decodes it. */
export type PictureKind = "jpeg" | "png" | "webp";
export const READERS: Readonly<Record<PictureKind, { demuxer: string; decoder: string }>> = {
  jpeg: { demuxer: "jpeg_pipe", decoder: "mjpeg" },
  png: { demuxer: "png_pipe", decoder: "png" },
  webp: { demuxer: "webp_pipe", decoder: "webp" },
};

/** How many first bytes tell. */
export const PICTURE_MARK_BYTES = 12;

/** What it is by its first bytes; null for everything else, whatever it is called. Pure. */
export function pictureKind(start: Buffer): PictureKind | null {
  const at = (from: number, to: number): string => start.toString("latin1", from, to);
  if (at(0, 3) === "\xff\xd8\xff") return "jpeg";
  if (at(0, 8) === "\x89PNG\r\n\x1a\n") return "png";
  return at(0, 4) === "RIFF" && at(8, 12) === "WEBP" ? "webp" : null;
}

/**
 * Width and height of a baseline or progressive JPEG, from its frame header (ITU-T T.81 B.2.2); null when there is none, or
 * it is not whole: its end is missing. Pure.
 */
export function jpegSize(bytes: Buffer): { width: number; height: number } | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null;
  if (bytes.readUInt16BE(bytes.length - 2) !== 0xffd9) return null;
  for (let at = 2; at + 9 <= bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1] ?? 0;
    if (marker >= 0xc0 && marker <= 0xc2) {
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    }
  }
  return null;
}
