import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ReadJournal } from "../../journal.ts";
import { ownersOf, type Owner } from "../sources.ts";
import { clockMap, MapReader } from "./clock-map.ts";
import { scanFile, type ScannedClock, type ScannedFile, type Share } from "./scan.ts";
import { Timeline } from "./timeline.ts";
import { trackStats } from "./track-stats.ts";
import type { ClockSegment, TrackPlan } from "./types.ts";

/** What an export of a recording is made of. */
export interface RecordingPlan {
  readonly timeline: Timeline;
  readonly start: ReadJournal["start"];
  /** Who had each key, in order of time. */
  readonly owners: ReadonlyMap<string, readonly Owner[]>;
  /** Voices by first sound, then the music. Only tracks that have something on the timeline. */
  readonly tracks: readonly TrackPlan[];
  /** Names of files that could not be read at all. */
  readonly unreadable: readonly string[];
}

/** What belongs to one output. */
interface Output {
  owner: Owner;
  what: "voice" | "music";
  parts: { file: ScannedFile; clock: ScannedClock; share: Share }[];
  damaged: number;
}

/**
 * Reads all track files of a recording once and finds where everything in them belongs. Keeps no packets: memory grows with
 * clocks and speakers, by a few kB for each hour.
 * @param onProgress fraction of the bytes read, 0 to 1, many times a second of work
 */
export async function planTracks(
  directory: string,
  journal: ReadJournal,
  { onProgress = () => undefined }: { onProgress?: (fraction: number) => void } = {},
): Promise<RecordingPlan> {
  const names = (await readdir(directory)).filter((name) => /^(voice|music)-\d+\.mvt$/.test(name)).sort();
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
  const total = Math.max(
    1,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const owners = ownersOf(journal);
  const files: ScannedFile[] = [];
  const unreadable: string[] = [];
  let read = 0;
  const onBytes = (bytes: number): void => {
    read += bytes;
    onProgress(Math.min(1, read / total));
  };
  for (const name of names) {
    try {
      files.push(await scanFile(join(directory, name), name, journal.start, owners, onBytes));
    } catch {
      unreadable.push(name);
    }
  }
  files.sort((a, b) => a.firstMs - b.firstMs);
  const timeline = new Timeline(journal, Math.max(0, ...files.map(({ lastMs }) => lastMs)) + 20);
  const tracks = outputsOf(files)
    .map((output) => plannedTrack(output, timeline))
    .filter((track) => track !== null)
    .sort((a, b) => (a.what === b.what ? a.firstSample - b.firstSample : a.what === "voice" ? -1 : 1));
  return { timeline, start: journal.start, owners, tracks, unreadable };
}

/** Which of the owners' outputs a packet belongs to: a key may change hands, and come back. */
export const outputKey = (what: "voice" | "music", { key, userId }: Owner): string =>
  what === "music" ? "music" : JSON.stringify([key, userId]);

function outputsOf(files: readonly ScannedFile[]): Output[] {
  const outputs = new Map<string, Output>();
  for (const file of files) {
    for (const clock of file.clocks) {
      for (const share of clock.shares) {
        const key = outputKey(file.what, share.owner);
        const output = outputs.get(key) ?? { owner: share.owner, what: file.what, parts: [], damaged: 0 };
        outputs.set(key, output);
        // The latest name is the one to go by.
        output.owner = share.owner;
        output.parts.push({ file, clock, share });
      }
    }
    const [first] = file.clocks.flatMap(({ shares }) => shares);
    const output = first && outputs.get(outputKey(file.what, first.owner));
    if (output) output.damaged += file.damaged;
  }
  return [...outputs.values()];
}

/** Null when all of it lies outside of the timeline. */
function plannedTrack({ owner, what, parts, damaged }: Output, timeline: Timeline): TrackPlan | null {
  const segments: ClockSegment[] = [];
  const used: Output["parts"] = [];
  let firstSample = Infinity;
  for (const part of parts) {
    const { file, clock, share } = part;
    const { index, ssrc, firstRtp, endRtp, fit, counts } = clock;
    const map = clockMap(fit, clock.origin, clock, timeline);
    const reader = new MapReader(map);
    const from = Math.max(reader.at(firstRtp), timeline.samplesAt(share.firstAtMs) - OWNER_SLACK);
    if (reader.at(endRtp) <= 0 || from >= timeline.totalSamples) continue;
    firstSample = Math.min(firstSample, Math.max(0, from));
    used.push(part);
    const { driftPpm, roundTripMs, routeChanges, clockSteps, uncertaintyMs } = fit;
    segments.push({
      ...{ path: file.path, file: file.file, ssrc, index, hasClock: file.hasClock, map, firstRtp, endRtp },
      stats: { packets: counts.packets, driftPpm, roundTripMs, routeChanges, clockSteps, uncertaintyMs },
    });
  }
  if (segments.length === 0) return null;
  return {
    ...{ what, owner, segments, firstSample },
    channels: used.some(({ share }) => share.stereo) ? 2 : 1,
    hasClock: segments.every(({ hasClock }) => hasClock),
    stats: trackStats(used, damaged),
  };
}

/** A packet may have been captured this long before it arrived. */
const OWNER_SLACK = 48_000;
