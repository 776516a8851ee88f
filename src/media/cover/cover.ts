// What strangers call a cover becomes a small JPEG that we have made, in three steps, none of which trusts the one before:
//
//   file ── ffmpeg that has no decoder ──► bytes, at most 8 MB ┐
//   picture file, URL (through the guard) ────────────────────►┴─ kind by the first bytes ──► ffmpeg with one decoder for
//   one picture of at most 16 million pixels ──► JPEG, looked at once more ──► new file
//
// With decoders in the first step ffmpeg would unpack every picture of the file to tell its size: 300 of them take 14 GB.

import { readFile, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { GuardedFetch } from "../../fetch/guarded-fetch.ts";
import { AUDIO_FORMATS, openMediaFile } from "../audio/media-file.ts";
import { MAX_COVER_PX } from "../messages.ts";
import { fetchPicture } from "./fetch-picture.ts";
import { ffmpegOutput } from "./output.ts";
import { jpegSize, PICTURE_MARK_BYTES, pictureKind, READERS, type PictureKind } from "./picture.ts";

export interface CoverContext {
  clock: Clock;
  log: Log;
  guard: GuardedFetch;
  /** Ends what is fetched. */
  signal: AbortSignal;
}

export interface CoverSize {
  width: number;
  height: number;
}

/** Of a picture as it is found. */
export const MAX_PICTURE_BYTES = 8e6;
const MAX_PIXELS = 4096 * 4096;
/** In one piece, for what reads the file: its index and a picture. */
const MAX_ALLOC_BYTES = 64e6;
/** Noise in colours takes 75 kB. */
const MAX_COVER_BYTES = 100_000;
/** What is smaller is no cover. */
const MIN_PX = 32;
/** Of a processor's time, and altogether. */
const CPU_SECONDS = 5;
const TOTAL_MS = 12_000;

/**
 * @param to is made, mode 600, when there is a picture
 * @returns its size; null: there is no picture that can be shown
 * @throws BotError `media_unreadable` (no file), `timeout`, and of URLs as `GuardedFetch.open`
 */
export async function makeCover(
  program: string,
  source: { path: string } | { url: string },
  to: string,
  context: CoverContext,
): Promise<CoverSize | null> {
  const picture =
    "url" in source
      ? await fetchPicture(source.url, MAX_PICTURE_BYTES, context)
      : await pictureOf(program, source.path, context);
  const kind = picture && pictureKind(picture);
  if (!kind) return null;
  const cover = await shrunk(program, picture, kind, context);
  const size = cover && jpegSize(cover);
  if (!size || Math.max(size.width, size.height) > MAX_COVER_PX) return null;
  if (Math.min(size.width, size.height) < MIN_PX) return null;
  await writeFile(to, cover, { flag: "wx", mode: 0o600 });
  return size;
}

/** The file itself where it is a picture, else the first in it; null when there is none. */
async function pictureOf(program: string, path: string, context: CoverContext): Promise<Buffer | null> {
  const handle = await openMediaFile(path);
  try {
    if (await isPicture(handle)) {
      return (await handle.stat()).size <= MAX_PICTURE_BYTES ? await readFile(handle) : null;
    }
    return await ffmpegOutput({
      ...context,
      program,
      what: "cover",
      args: [
        ...["-max_alloc", String(MAX_ALLOC_BYTES), "-timelimit", String(CPU_SECONDS)],
        ...["-protocol_whitelist", "file", "-format_whitelist", AUDIO_FORMATS.join(",")],
        // There is none of this name.
        ...["-codec_whitelist", "none", "-threads", "1", "-analyzeduration", "1"],
        ...["-i", "/proc/self/fd/3", ...FIRST_PICTURE, "-c", "copy", "-f", "image2pipe", "pipe:1"],
      ],
      ...{ descriptors: [handle.fd], maxBytes: MAX_PICTURE_BYTES, totalMs: TOTAL_MS },
    });
  } finally {
    await handle.close();
  }
}

async function isPicture(handle: FileHandle): Promise<boolean> {
  const start = Buffer.alloc(PICTURE_MARK_BYTES);
  const { bytesRead } = await handle.read(start, 0, start.length, 0);
  return pictureKind(start.subarray(0, bytesRead)) !== null;
}

const FIRST_PICTURE: readonly string[] = [
  ...["-map", "0:v:0", "-frames:v", "1", "-an", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"],
];

/** Where it is transparent it becomes black. */
const FILTERS = [
  `scale=w='min(${MAX_COVER_PX},iw)':h='min(${MAX_COVER_PX},ih)':force_original_aspect_ratio=decrease`,
  ...["format=gbrap", "premultiply=inplace=1", "format=yuvj420p", "setsar=1"],
].join(",");

function shrunk(
  program: string,
  picture: Buffer,
  kind: PictureKind,
  context: CoverContext,
): Promise<Buffer | null> {
  const { demuxer, decoder } = READERS[kind];
  return ffmpegOutput({
    ...context,
    program,
    what: "cover",
    args: [
      ...["-timelimit", String(CPU_SECONDS), "-protocol_whitelist", "pipe", "-format_whitelist", demuxer],
      ...["-codec_whitelist", decoder, "-max_pixels", String(MAX_PIXELS), "-threads", "1"],
      ...["-f", demuxer, "-i", "pipe:0", ...FIRST_PICTURE, "-filter_threads", "1", "-vf", FILTERS],
      ...["-c:v", "mjpeg", "-q:v", "5", "-threads", "1", "-flags", "+bitexact", "-f", "image2pipe", "pipe:1"],
    ],
    ...{ input: picture, maxBytes: MAX_COVER_BYTES, totalMs: TOTAL_MS },
  });
}
