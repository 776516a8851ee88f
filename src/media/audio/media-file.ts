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
  // What comes of HLS in one piece.
  "mpegts",
] as const;

/**
 * Decoders (ffmpeg's names) of what these containers hold of sound. Pictures are none of our business: a cover of a few
 * kilobytes may unpack to a gigabyte, and ffmpeg would look into it only to tell its size.
 */
const AUDIO_CODECS = [
  ...[
    "mp3float",
    "mp3",
    "mp3adufloat",
    "mp3adu",
    "mp3on4float",
    "mp3on4",
    "mp2float",
    "mp2",
    "mp1float",
    "mp1",
  ],
  ...[
    "aac",
    "aac_fixed",
    "aac_latm",
    "libfdk_aac",
    "ac3",
    "ac3_fixed",
    "eac3",
    "dca",
    "truehd",
    "mlp",
    "als",
  ],
  ...[
    "flac",
    "opus",
    "libopus",
    "vorbis",
    "libvorbis",
    "speex",
    "libspeex",
    "alac",
    "ape",
    "wavpack",
    "tta",
    "tak",
  ],
  ...["mpc7", "mpc8", "wmav1", "wmav2", "wmapro", "wmalossless", "wmavoice", "amrnb", "amrwb"],
  ...["libopencore_amrnb", "libopencore_amrwb", "dsd_lsbf", "dsd_msbf", "dsd_lsbf_planar", "dsd_msbf_planar"],
  ...[
    "qdm2",
    "qdmc",
    "qcelp",
    "mace3",
    "mace6",
    "gsm",
    "gsm_ms",
    "libgsm",
    "libgsm_ms",
    "g726",
    "g726le",
    "g722",
  ],
  ...[
    "adpcm_ms",
    "adpcm_ima_wav",
    "adpcm_ima_qt",
    "adpcm_yamaha",
    "adpcm_swf",
    "pcm_alaw",
    "pcm_mulaw",
    "pcm_vidc",
  ],
  ...["pcm_s8", "pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_u16le", "pcm_u16be", "pcm_s24le", "pcm_s24be"],
  ...["pcm_u24le", "pcm_u24be", "pcm_s32le", "pcm_s32be", "pcm_u32le", "pcm_u32be", "pcm_s64le", "pcm_s64be"],
  ...["pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_s8_planar", "pcm_s16le_planar"],
  ...["pcm_s16be_planar", "pcm_s24le_planar", "pcm_s32le_planar"],
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
    ...["-protocol_whitelist", "file", "-format_whitelist", AUDIO_FORMATS.join(",")],
    ...["-codec_whitelist", AUDIO_CODECS.join(","), "-threads", "1"],
    ...(positionMs > 0 ? ["-ss", (positionMs / 1000).toFixed(3)] : []),
    ...["-i", "/proc/self/fd/3"],
  ];
}

/** Containers of streams: those that can be read without going back, and what HLS is cut from. */
export const STREAM_FORMATS = [
  ...["mp3", "aac", "loas", "ac3", "eac3", "flac", "ogg", "wav", "mov", "mp4", "matroska", "webm", "mpegts"],
];

/** Arguments by which ffmpeg reads what it is given, and only that. `format`: one of its names; null: it looks. */
export function pipeInput(format: string | null): string[] {
  return [
    ...["-protocol_whitelist", "pipe", "-format_whitelist", STREAM_FORMATS.join(",")],
    ...["-codec_whitelist", AUDIO_CODECS.join(","), "-threads", "1"],
    // Sound is to come soon: what it looks at first has to arrive. The first picture of a film comes before its sound.
    ...["-probesize", format === null ? "2000000" : "131072", "-analyzeduration", "1000000"],
    ...["-fflags", "+discardcorrupt", ...(format === null ? [] : ["-f", format])],
    ...["-i", "pipe:0"],
  ];
}

/** Arguments for the first audio stream as s16le, 48 kHz, stereo, on standard output. */
export const PCM_OUTPUT: readonly string[] = [
  ...["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1"],
  ...["-f", "s16le", "-ar", "48000", "-ac", "2", "pipe:1"],
];
