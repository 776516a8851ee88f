import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ExportFormat } from "../exporter.ts";
import { safeTitle } from "../names.ts";
import { FramePlacer } from "./align/frame-placer.ts";
import type { TrackPlan } from "./align/types.ts";
import { OggOpusWriter, PRE_SKIP } from "./ogg-opus.ts";
import type { OpenPackets } from "./pcm/player.ts";
import { writePcmTrack } from "./pcm/track.ts";

export interface TrackOptions {
  ffmpeg: string;
  clock: Clock;
  log: Log;
  track: TrackPlan;
  open: OpenPackets;
  path: string;
  format: ExportFormat;
  /** What it is called in players. */
  title: string;
  /** What the recording is called; null when it has no title. */
  album: string | null;
  /** Samples of the timeline. */
  total: number;
  /** So many more samples are done. */
  onFrames: (frames: number) => void;
}

/** What a written file is like. */
export interface WrittenTrack {
  /** How far its packets are from their exact place at most, ms. 0 where sound was resampled. */
  residueMs: number;
  /** Frames put in or left out to stay in step. */
  corrections: number;
}

/** Writes one track of the timeline's whole length. @throws BotError `ffmpeg_failed` */
export async function writeTrack(options: TrackOptions): Promise<WrittenTrack> {
  const { format, track, title, album } = options;
  const about = track.what === "music" ? { title } : { title, artist: title };
  const tags = { ...about, ...(album === null ? {} : { album: safeTitle(album) }) };
  if (format === "opus") return writeOpusTrack(options, tags);
  await writePcmTrack({ ...options, format, tags });
  return { residueMs: 0, corrections: 0 };
}

/** Packets as they came. */
async function writeOpusTrack(
  { track, open, path, total, onFrames }: TrackOptions,
  tags: Readonly<Record<string, string>>,
): Promise<WrittenTrack> {
  rmSync(path, { force: true }); // of an attempt that was killed
  const upper = Object.fromEntries(Object.entries(tags).map(([name, value]) => [name.toUpperCase(), value]));
  const writer = new OggOpusWriter({ path, tags: upper, serial: randomBytes(4).readUInt32LE() });
  let told = 0;
  try {
    const placer = new FramePlacer({ end: total, emit: (packet, samples) => writer.packet(packet, samples) });
    for await (const packet of open(track, { late: 0, outside: 0 })) {
      placer.push(packet);
      if (packet.startSample - told < 48_000 * 10) continue;
      onFrames(packet.startSample - told);
      told = packet.startSample;
    }
    placer.finish(total + PRE_SKIP);
    writer.finish({ samples: total, channels: track.channels });
    onFrames(Math.max(0, total - told));
    const { residue, corrections } = placer.stats;
    return { residueMs: residue.maxMs, corrections: corrections.quiet + corrections.loud };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
