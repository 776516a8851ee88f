import { stat, writeFile } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ExportFormat, ExportJob, ExportOutcome } from "../exporter.ts";
import { readJournal, type ExportedDocument, type ExportedTrack, type ReadJournal } from "../journal.ts";
import { fileNames, safeTitle } from "../names.ts";
import { alignedPackets } from "./align/packets.ts";
import { planTracks, type RecordingPlan } from "./align/plan.ts";
import { documentsOf } from "./documents/documents.ts";
import type { DescribedTrack } from "./documents/info.ts";
import { chaptersOf, chapterTags } from "./documents/lists.ts";
import { hiddenPeople, marksOf, type Mark } from "./documents/marks.ts";
import { reportOf } from "./documents/report.ts";
import { speechOf, turnsOf } from "./documents/speech.ts";
import { writeZip } from "./documents/zip.ts";
import { mixdown, type MixOutput } from "./pcm/mixdown.ts";
import { LEVEL_MS } from "./pcm/meter.ts";
import type { OpenPackets } from "./pcm/player.ts";
import { Progress } from "./progress.ts";
import { documentSchema, fileSchema, mixedSchema, writtenSchema, type Mixed } from "./results.ts";
import { requireSpace } from "./space.ts";
import { WorkFolder } from "./work.ts";
import { writeTrack } from "./tracks.ts";

export interface ExportDeps {
  clock: Clock;
  log: Log;
  onProgress: (percent: number) => void;
}

/** Changed whenever the same recording gives other files: what an older version left is not gone on with. */
const VERSION = 1;
const TYPES: Record<ExportFormat, { ending: string; mimeType: string }> = {
  opus: { ending: ".ogg", mimeType: "audio/ogg" },
  flac: { ending: ".flac", mimeType: "audio/flac" },
  wav: { ending: ".wav", mimeType: "audio/wav" },
};
/** -dBov; what is quieter counts as nothing to hear. */
const SILENT = 60;

/** What all steps are about. */
interface Context {
  job: ExportJob;
  deps: ExportDeps;
  journal: ReadJournal;
  plan: RecordingPlan;
  open: OpenPackets;
  work: WorkFolder;
  progress: Progress;
  /** Of the tracks, then of the mixes. */
  names: string[];
  hidden: ReadonlySet<string>;
  marks: readonly Mark[];
}

/**
 * Makes `export/` of a recording's folder: a file for each voice and the music, all of the same start and length, mixes,
 * what there is to tell, a zip where it is wanted. Only a whole export gets that name. One that was killed is gone on with.
 */
export async function exportRecording(job: ExportJob, deps: ExportDeps): Promise<ExportOutcome> {
  const { directory, format } = job;
  const journal = await readJournal(directory);
  const progress = new Progress(deps.onProgress);
  const plan = await planTracks(directory, journal, { onProgress: (part) => progress.planning(part) });
  const { timeline, tracks } = plan;
  const work = await WorkFolder.open(directory, await keyOf(job, journal, plan));
  try {
    const mixes = mixesOf(plan);
    await requireSpace(job, plan, mixes.length);
    const titles = [...tracks.map((track) => titleOf(track, job)), ...mixes.map((what) => job.titles[what])];
    const names = fileNames(titles, TYPES[format].ending);
    const open: OpenPackets = (track, misplaced) => alignedPackets(plan, track, misplaced);
    const owners = tracks.flatMap(({ owner }) => (owner.userId === null ? [] : [owner.userId]));
    const hidden = hiddenPeople(journal, new Set(owners));
    const marks = marksOf(journal, timeline, hidden);
    const context: Context = { job, deps, journal, plan, open, work, progress, names, hidden, marks };
    progress.begin({ tracks: tracks.length, samples: timeline.totalSamples, format, mixes: mixes.length });
    const residues = await makeTracks(context);
    const mixed = await makeMixes(context, mixes);
    const described = await describe(context, mixes, residues, mixed);
    const documents = await makeDocuments(context, described, mixed.problem);
    if (job.zip) documents.push(await makeZip(context, described, documents));
    await work.finish();
    const durationMs = timeline.totalSamples / 48;
    return { durationMs, tracks: described.map(({ track }) => track), documents, mixProblem: mixed.problem };
  } catch (error) {
    await work.discard();
    throw error;
  }
}

/** What decides what the files are like. What became of earlier exports does not. */
async function keyOf(
  { format, titles, zip, language }: ExportJob,
  { entries }: ReadJournal,
  plan: RecordingPlan,
) {
  const kinds = [
    ...["start", "joined", "left", "notice", "paused", "unpaused", "note", "consent", "erased"],
    ...["gap", "resumed", "stop", "repaired"],
  ];
  const paths = [...new Set(plan.tracks.flatMap(({ segments }) => segments.map(({ path }) => path)))];
  const files = await Promise.all(paths.map(async (path) => [path, (await stat(path)).size]));
  const facts = entries.filter(({ kind }) => kinds.includes(kind));
  return { VERSION, format, titles, zip, language, facts, files };
}

type MixKind = MixOutput["what"];

/** Without music, voices alone are the same as everything. */
function mixesOf({ tracks }: RecordingPlan): MixKind[] {
  if (tracks.length === 0) return [];
  const kinds = new Set(tracks.map(({ what }) => what));
  return kinds.size === 2 ? ["mix", "voices"] : ["mix"];
}

function titleOf({ what, owner }: RecordingPlan["tracks"][number], { titles }: ExportJob): string {
  return what === "music" ? titles.music : safeTitle(owner.name);
}

async function makeTracks({
  job,
  deps,
  journal,
  plan,
  open,
  work,
  progress,
  names,
}: Context): Promise<number[]> {
  const residues: number[] = [];
  for (const [index, track] of plan.tracks.entries()) {
    const file = names[index]!;
    const written = await work.step(`track ${file}`, [file], writtenSchema, () =>
      writeTrack({
        ...{ ...deps, ffmpeg: job.ffmpeg, track, open, path: work.path(file), format: job.format },
        ...{ title: titleOf(track, job), album: journal.start.title, total: plan.timeline.totalSamples },
        onFrames: (frames) => progress.track(frames),
      }),
    );
    progress.trackDone();
    residues.push(written.residueMs);
  }
  return residues;
}

/** Measures the tracks and writes the mixes. Without mixes the tracks still go out. */
async function makeMixes(context: Context, mixes: readonly MixKind[]): Promise<Mixed> {
  const { job, deps, journal, plan, open, work, progress, names, marks } = context;
  const files = names.slice(plan.tracks.length);
  if (mixes.length === 0) return { tracks: [], mixes: [], problem: null };
  const tags = job.format === "wav" ? {} : chapterTags(chaptersOf(marks, job.language));
  const outputs = mixes.map((what, index): MixOutput => {
    const title = journal.start.title === null ? job.titles[what] : safeTitle(journal.start.title);
    return { what, path: work.path(files[index]!), tags: { title, ...tags } };
  });
  return work.step("mixes", files, mixedSchema, async () => {
    const { tracks, ...rest } = await mixdown({
      ...{ ffmpeg: job.ffmpeg, clock: deps.clock, log: deps.log, tracks: plan.tracks, open, outputs },
      ...{ format: job.format, total: plan.timeline.totalSamples },
      onFrames: (frames) => progress.mix(frames),
    });
    if (rest.problem !== null) await work.remove(files);
    const measured = tracks.map(({ levels, ...metered }) => {
      const loud = levels.values.reduce((count, level) => count + (level < SILENT ? 1 : 0), 0);
      return { ...metered, turns: turnsOf(levels), loudMs: loud * LEVEL_MS };
    });
    return { ...rest, tracks: measured };
  });
}

async function describe(
  { job, plan, work, names }: Context,
  mixes: readonly MixKind[],
  residues: readonly number[],
  mixed: Mixed,
): Promise<DescribedTrack[]> {
  const { timeline, tracks } = plan;
  const durationMs = timeline.totalSamples / 48;
  const { mimeType } = TYPES[job.format];
  const speech = speechOf(
    tracks.map(({ what }, index) => (what === "voice" ? mixed.tracks[index]!.turns : [])),
  );
  const fileOf = async (
    index: number,
  ): Promise<Pick<ExportedTrack, "file" | "bytes" | "durationMs" | "mimeType">> => {
    const file = names[index]!;
    return { file, bytes: (await stat(work.path(file))).size, durationMs, mimeType };
  };
  const described: DescribedTrack[] = [];
  for (const [index, track] of tracks.entries()) {
    const { what, owner } = track;
    const metered = mixed.tracks[index]!;
    const voice = what === "voice" ? speech[index]! : null;
    const residueMs = residues[index]!;
    described.push({
      track: {
        ...(await fileOf(index)),
        ...{
          what,
          title: titleOf(track, job),
          userId: voice ? owner.userId : null,
          waveform: metered.waveform,
        },
        sources: [...new Set(track.segments.map(({ file }) => file))],
      },
      report: reportOf({ track, metered, speech: voice, residueMs, totalMs: durationMs }),
      turns: voice?.turns ?? null,
    });
  }
  if (mixed.problem !== null) return described;
  for (const [index, what] of mixes.entries()) {
    const sources = described.flatMap(({ track }) =>
      what === "voices" && track.what === "music" ? [] : (track.sources ?? []),
    );
    const { waveform } = mixed.mixes[index]!;
    described.push({
      track: {
        ...(await fileOf(tracks.length + index)),
        ...{ what, title: job.titles[what], userId: null, waveform, sources },
      },
      report: null,
      turns: null,
    });
  }
  return described;
}

async function makeDocuments(
  { job, journal, plan, work, hidden, marks }: Context,
  tracks: readonly DescribedTrack[],
  mixProblem: string | null,
): Promise<ExportedDocument[]> {
  const { timeline, unreadable } = plan;
  const texts = documentsOf(
    { journal, timeline, format: job.format, tracks, marks, hidden, mixProblem, unreadable },
    job.language,
  );
  const documents: ExportedDocument[] = [];
  for (const { text, file, what, mimeType } of texts) {
    // Cheap, and from what is known now: made again each time.
    const { bytes } = await work.step(`document ${file}`, [file], documentSchema(text), async () => {
      await writeFile(work.path(file), text, { mode: 0o640 });
      return { bytes: Buffer.byteLength(text), text };
    });
    documents.push({ file, what, mimeType, bytes });
  }
  return documents;
}

async function makeZip(
  { journal, work, progress }: Context,
  tracks: readonly DescribedTrack[],
  documents: readonly ExportedDocument[],
): Promise<ExportedDocument> {
  const { recording, title, wallMs } = journal.start;
  const [file] = fileNames([title ?? recording], ".zip");
  const sources = [...tracks.map(({ track }) => track), ...documents].map(({ file }) => ({
    name: file,
    path: work.path(file),
  }));
  const total = [...tracks.map(({ track }) => track), ...documents].reduce(
    (sum, { bytes }) => sum + bytes,
    0,
  );
  const { bytes } = await work.step("zip", [file!], fileSchema, async () => {
    await writeZip(work.path(file!), sources, {
      timeMs: wallMs,
      onBytes: (bytes) => progress.zip(bytes / Math.max(1, total)),
    });
    return { bytes: (await stat(work.path(file!))).size };
  });
  return { file: file!, what: "zip", mimeType: "application/zip", bytes };
}
