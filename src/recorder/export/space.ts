import { stat } from "node:fs/promises";
import { BotError } from "../../base/errors.ts";
import type { ExportJob } from "../exporter.ts";
import { freeBytes } from "../limits.ts";
import type { RecordingPlan } from "./align/plan.ts";

/** Of a mix in Opus, a second. */
const MIX_BYTES = 16_500;
/** What FLAC makes of PCM at the worst that people say. */
const FLAC = 0.7;
const PCM_BYTES = 2;
/** Stays free: recordings that run end when the disk is nearly full. */
const RESERVE_BYTES = 300e6;

/**
 * Whether there is room for an export, before it takes what is left from recordings that run.
 * @throws BotError `disk_full`
 */
export async function requireSpace(
  { directory, format, zip }: ExportJob,
  { tracks, timeline }: RecordingPlan,
  mixes: number,
): Promise<void> {
  const seconds = timeline.totalSamples / 48_000;
  const pcm = (channels: number): number =>
    seconds * 48_000 * channels * PCM_BYTES * (format === "flac" ? FLAC : 1);
  const paths = new Set(tracks.flatMap(({ segments }) => segments.map(({ path }) => path)));
  const recorded = (await Promise.all([...paths].map(async (path) => (await stat(path)).size))).reduce(
    (a, b) => a + b,
    0,
  );
  const once =
    format === "opus"
      ? recorded + mixes * seconds * MIX_BYTES
      : tracks.reduce((sum, { channels }) => sum + pcm(channels), 0) + mixes * pcm(2);
  const needed = once * (zip ? 2 : 1) + RESERVE_BYTES;
  const free = await freeBytes(directory);
  if (free >= needed) return;
  const mb = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
  throw new BotError("disk_full", `the files would take ${mb(needed)}, and ${mb(free)} are free`);
}
