import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { ExportJob, ExportOutcome } from "../exporter.ts";
import { readJournal, type ExportedTrack, type ReadJournal } from "../journal.ts";
import { fileNames, safeTitle } from "../names.ts";
import { mix } from "./mix.ts";
import { OggOpusWriter, PRE_SKIP } from "./ogg-opus.ts";
import { SAMPLES_PER_MS } from "./opus.ts";
import { Placer, type PlacerStats } from "./placer.ts";
import { durationSamples, findTracks, gapsOf, ownerAt, ownersOf, packetsOf } from "./sources.ts";
import type { Owner, TrackFile } from "./sources.ts";

export interface ExportDeps {
  clock: Clock;
  log: Log;
  onProgress: (percent: number) => void;
}

/** One file that is being made. */
interface Output {
  what: "voice" | "music";
  owner: Owner;
  path: string;
  writer: OggOpusWriter;
  placer: Placer;
  /** Whether all of it carries the sender's clock. */
  hasClock: boolean;
}

/** A finished one, not named yet. */
interface Made {
  what: "voice" | "music";
  owner: Owner;
  path: string;
  channels: 1 | 2;
  stats: PlacerStats;
  hasClock: boolean;
}

const OGG = { mimeType: "audio/ogg", waveform: null };

/** Share of the progress that the tracks take; the mix has the rest. */
const TRACKS_PERCENT = 60;

/**
 * Makes `export/` of a recording's folder anew: one Ogg Opus file for each voice and the music, all of the same start and
 * length, packets as they came; a mix; info.json. Only a whole export gets that name.
 */
export async function exportRecording(job: ExportJob, deps: ExportDeps): Promise<ExportOutcome> {
  const { directory, titles } = job;
  const journal = await readJournal(directory);
  const { files, unreadable } = await findTracks(directory, journal.start);
  const total = durationSamples(journal, files);
  await removeLeftovers(directory);
  const work = join(directory, `export-${randomBytes(4).toString("hex")}.part`);
  await mkdir(work, { mode: 0o700 });
  try {
    const made = await makeTracks(work, journal, files, total, deps);
    const names = fileNames(
      [...made.map(({ what, owner }) => (what === "music" ? titles.music : owner.name)), titles.mix],
      ".ogg",
    );
    const durationMs = total / SAMPLES_PER_MS;
    const tracks: ExportedTrack[] = [];
    for (const [index, { what, owner, path }] of made.entries()) {
      const file = names[index] ?? `track-${index}.ogg`;
      await rename(path, join(work, file));
      const { size } = await stat(join(work, file));
      const title = what === "music" ? titles.music : safeTitle(owner.name);
      tracks.push({
        file,
        what,
        title,
        userId: what === "music" ? null : owner.userId,
        bytes: size,
        durationMs,
        ...OGG,
      });
    }
    const mixProblem = await makeMix(job, work, tracks, made, names.at(-1) ?? "mix.ogg", durationMs, deps);
    const about = { recording: journal.start.recording, room: journal.start.roomId, mixProblem, unreadable };
    await writeInfo(work, about, journal, tracks, made, durationMs);
    await rm(join(directory, "export"), { recursive: true, force: true });
    await rename(work, join(directory, "export"));
    return { durationMs, tracks, documents: [], mixProblem };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What exports left behind that were killed. */
async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (/^export-[0-9a-f]{8}\.part$/.test(name))
      await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Voices by first sound, then the music. */
async function makeTracks(
  work: string,
  journal: ReadJournal,
  files: readonly TrackFile[],
  total: number,
  { onProgress }: ExportDeps,
): Promise<Made[]> {
  const owners = ownersOf(journal);
  const made: Made[] = [];
  const packets = files.reduce((sum, file) => sum + file.packets, 0);
  let done = 0;
  let opened = 0;
  for (const [key, ofKey] of groupByKey(files)) {
    const outputs = new Map<string | null, Output>();
    for (const file of ofKey) {
      for (const { placer } of outputs.values()) placer.newClock();
      for await (const { sinceStartMs, ssrc, timestamp, payload } of packetsOf(file.path, journal.start)) {
        if (++done % 5_000 === 0) onProgress((TRACKS_PERCENT * done) / packets);
        if (sinceStartMs * SAMPLES_PER_MS > total) continue;
        const { what, speaker } = file.header;
        const owner = ownerAt(what === "music" ? undefined : owners.get(key), speaker, sinceStartMs);
        let output = outputs.get(owner.userId);
        if (!output) {
          output = openOutput(join(work, `${opened++}.part`), what, owner, total);
          outputs.set(owner.userId, output);
        }
        if (!file.header.hasClock) output.hasClock = false;
        // The reader uses its buffer again.
        const packet = {
          atSamples: sinceStartMs * SAMPLES_PER_MS,
          ssrc,
          timestamp,
          payload: payload.slice(),
        };
        output.placer.push(packet);
      }
    }
    for (const output of outputs.values()) {
      const finished = finishOutput(output, total);
      if (finished) made.push(finished);
      else await rm(output.path, { force: true });
    }
  }
  const first = (track: Made): number => track.stats.firstSample ?? 0;
  return made.sort((a, b) => (a.what === b.what ? first(a) - first(b) : a.what === "voice" ? -1 : 1));
}

function groupByKey(files: readonly TrackFile[]): Map<string, TrackFile[]> {
  const groups = new Map<string, TrackFile[]>();
  for (const file of files) {
    const key = file.header.what === "music" ? "\u0000music" : file.header.speaker;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return groups;
}

function openOutput(path: string, what: "voice" | "music", owner: Owner, total: number): Output {
  const name = safeTitle(owner.name);
  const tags: Record<string, string> = what === "music" ? { TITLE: "Music" } : { TITLE: name, ARTIST: name };
  const writer = new OggOpusWriter({ path, tags, serial: randomBytes(4).readUInt32LE() });
  const placer = new Placer({ end: total, emit: (packet, samples) => writer.packet(packet, samples) });
  return { what, owner, path, writer, placer, hasClock: true };
}

/** Null when not one of its packets could be placed. */
function finishOutput(output: Output, total: number): Made | null {
  const { what, owner, path, writer, placer, hasClock } = output;
  placer.finish(total + PRE_SKIP);
  writer.finish({ samples: total, channels: placer.channels });
  return placer.stats.packets === 0
    ? null
    : { what, owner, path, channels: placer.channels, stats: placer.stats, hasClock };
}

/** Adds the mix to `tracks`. Without one the tracks still go out: returns what went wrong, or null. */
async function makeMix(
  { ffmpeg, titles }: ExportJob,
  work: string,
  tracks: ExportedTrack[],
  made: readonly Made[],
  file: string,
  durationMs: number,
  { clock, log, onProgress }: ExportDeps,
): Promise<string | null> {
  if (tracks.length === 0) return null;
  const output = join(work, file);
  const inputs = tracks.map(({ file }, index) => ({
    path: join(work, file),
    channels: made[index]?.channels ?? 2,
  }));
  const expectedBytes = Math.max(1, durationMs * 16);
  const onBytes = (bytes: number): void =>
    onProgress(TRACKS_PERCENT + Math.min(1, bytes / expectedBytes) * (99 - TRACKS_PERCENT));
  try {
    await mix({ ffmpeg, inputs, output, title: titles.mix, durationMs, clock, log, onBytes });
  } catch (error) {
    await rm(output, { force: true });
    return messageOf(error).slice(0, 500);
  }
  const { size } = await stat(output);
  tracks.push({ file, what: "mix", title: titles.mix, userId: null, bytes: size, durationMs, ...OGG });
  return null;
}

async function writeInfo(
  work: string,
  about: { recording: string; room: string; mixProblem: string | null; unreadable: string[] },
  journal: ReadJournal,
  tracks: readonly ExportedTrack[],
  made: readonly Made[],
  durationMs: number,
): Promise<void> {
  const info = {
    ...about,
    startedAt: new Date(journal.start.wallMs).toISOString(),
    startedBy: journal.start.byUserId,
    durationMs,
    gaps: gapsOf(journal, durationMs),
    tracks: tracks.map((track, index) => {
      const one = made[index];
      if (!one) return track;
      const { hasClock, stats } = one;
      const { packets, dropped, reanchored, filledSamples, firstSample } = stats;
      const filledMs = filledSamples / SAMPLES_PER_MS;
      return {
        ...track,
        hasClock,
        packets,
        dropped,
        reanchored,
        filledMs,
        firstMs: (firstSample ?? 0) / SAMPLES_PER_MS,
      };
    }),
  };
  await writeFile(join(work, "info.json"), `${JSON.stringify(info, null, 2)}\n`, { mode: 0o640 });
}
