import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { BotError, messageOf } from "../../base/errors.ts";

/**
 * Containers (ffmpeg's names) that only hold sound or may be read for it. Playlists and anything that opens other files
 * (hls, concat, dash, image sequences, …) are not among them: a file of somebody else's must not make ffmpeg read ours.
 */
export const AUDIO_FORMATS = [
  ...["mp3", "flac", "ogg", "wav", "w64", "aiff", "caf", "au", "aac", "loas", "ac3", "eac3", "mov", "mp4"],
  ...["matroska", "webm", "asf", "amr", "ape", "wv", "tta", "tak", "mpc", "mpc8", "dsf", "voc"],
] as const;

/**
 * Opens a file that the control plane has confined. The last component may be no link, and only a regular file counts.
 * @throws BotError `media_unreadable`
 */
export async function openMediaFile(file: string): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  try {
    // O_NONBLOCK: opening a pipe must not wait for somebody to write into it.
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error("not a regular file");
    return handle;
  } catch (error) {
    await handle?.close();
    throw new BotError("media_unreadable", `cannot open the file: ${messageOf(error)}`, {
      cause: error,
      say: { key: "error.media_unreadable" },
    });
  }
}

/** Arguments by which ffmpeg reads descriptor 3 (a regular file), and only that, from `positionMs` on. */
export function fileInput(positionMs = 0): string[] {
  return [
    ...["-protocol_whitelist", "file", "-format_whitelist", AUDIO_FORMATS.join(","), "-threads", "1"],
    ...(positionMs > 0 ? ["-ss", (positionMs / 1000).toFixed(3)] : []),
    ...["-i", "/proc/self/fd/3"],
  ];
}

/** Arguments for the first audio stream as s16le, 48 kHz, stereo, on standard output. */
export const PCM_OUTPUT: readonly string[] = [
  ...["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1"],
  ...["-f", "s16le", "-ar", "48000", "-ac", "2", "pipe:1"],
];
