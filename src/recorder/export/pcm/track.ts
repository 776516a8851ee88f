import { stat } from "node:fs/promises";
import type { TrackPlan } from "../align/types.ts";
import type { ExportFormat } from "../../exporter.ts";
import { PcmEncoder, type EncoderOptions } from "./encode.ts";
import { BLOCK_FRAMES, TrackPlayer, type OpenPackets } from "./player.ts";
import { WavWriter } from "./wav.ts";

export interface PcmTrackOptions extends Pick<EncoderOptions, "ffmpeg" | "clock" | "log" | "path" | "tags"> {
  track: TrackPlan;
  open: OpenPackets;
  format: Exclude<ExportFormat, "opus">;
  /** Samples of the timeline. */
  total: number;
  /** So many more are done. */
  onFrames: (frames: number) => void;
}

/** Where 16 bit samples go. */
interface Sink {
  write(pcm: Int16Array): Promise<void> | void;
  finish(): Promise<void> | void;
  /** Gives up, or after `finish`. */
  close(): void;
}

/**
 * Writes one track as PCM of the timeline's whole length. @returns the file's bytes
 * @throws BotError `ffmpeg_failed`
 */
export async function writePcmTrack(options: PcmTrackOptions): Promise<number> {
  const { track, open, total, path, onFrames } = options;
  const sink = sinkFor(options);
  const player = new TrackPlayer(track, open);
  const pcm = new Int16Array(BLOCK_FRAMES * track.channels);
  try {
    for (let at = 0; at < total;) {
      const frames = Math.min(BLOCK_FRAMES, total - at);
      const part = pcm.subarray(0, frames * track.channels);
      if (await player.next(frames)) toInt16(player.block, part);
      else part.fill(0);
      await sink.write(part);
      at += frames;
      onFrames(frames);
    }
    await sink.finish();
  } finally {
    sink.close();
    await player.close();
  }
  return (await stat(path)).size;
}

function sinkFor({ format, track, total, ...options }: PcmTrackOptions): Sink {
  const { channels } = track;
  if (format === "flac") return new PcmEncoder({ ...options, format, input: "track", channels });
  const writer = new WavWriter(options.path, { frames: total, channels });
  return { write: (pcm) => writer.write(pcm), finish: () => undefined, close: () => writer.close() };
}

/** Full scale is that of the decoder; the filter may go over it by a little. */
function toInt16(from: Float32Array, to: Int16Array): void {
  for (let i = 0; i < from.length; i++) {
    const value = Math.round(from[i]! * 32_768);
    to[i] = value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
  }
}
