import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { FILE_HEADER_BYTES } from "../../media/tracks/framing.ts";
import { progressOf } from "../delivery/progress-of.ts";
import { JOURNAL_FILE, type JournalEntry } from "../journal.ts";
import { sinceStart, stateOf, TRACK_FILE, type RecordingState } from "./folder.ts";
import { inspectJournal, inspectTrack, tailOf, type JournalFacts, type TrackFacts } from "./inspect.ts";
import type { HoleReason } from "./scan.ts";

/** What is wrong with a recording. `repair` mends it, `export` makes it anew, `null`: nothing brings it back. */
export type Problem =
  | { code: "journal_missing" | "no_start" | "no_end"; mend: "repair" }
  | { code: "newer_version"; file: string; version: number; mend: null }
  /** Nothing in it says anything. */
  | { code: "unreadable"; file: string; bytes: number; mend: "repair" | null }
  /** The file's own header is wrong; its records are there. */
  | { code: "head"; file: string; records: number; mend: "repair" }
  | { code: "torn"; file: string; bytes: number; why: HoleReason; mend: "repair" }
  /** Damage with something readable behind it. */
  | { code: "hole"; file: string; from: number; bytes: number; why: HoleReason; mend: "repair" }
  | { code: "not_closed"; file: string; mend: "repair" }
  | { code: "no_header"; file: string; mend: "repair" }
  | { code: "malformed"; file: string; records: number; mend: null }
  | { code: "epochs"; file: string; what: "backwards" | "none"; mend: "repair" | null }
  | { code: "other_recording"; file: string; recording: string; mend: null }
  | { code: "track_missing"; file: string; mend: null }
  | { code: "export_missing"; file: string; mend: "export" }
  | { code: "export_size"; file: string; bytes: number; expected: number; mend: "export" };

export interface FileReport {
  file: string;
  what: "journal" | "voice" | "music";
  bytes: number;
  records: number;
  packets: number;
  /** Of a track: its speaker's key; null when its header is gone. */
  speaker: string | null;
  /** Of a track: its first and last sound, ms since the recording's start. */
  firstMs: number | null;
  lastMs: number | null;
  /** Bytes that no record is in, behind and between those that can be read. */
  tornBytes: number;
  /** Places where a record was expected that its checksum denies. */
  wrongChecksums: number;
  /** Epochs of each run of the machine, in order. */
  epochs: number[];
  closedInOrder: boolean;
}

export interface VerifyReport {
  id: string;
  /** `damaged`: of use all the same. `lost`: nothing in it can be read. `newer`: made by a later version. */
  verdict: "whole" | "damaged" | "lost" | "newer";
  state: RecordingState;
  title: string | null;
  roomId: string | null;
  startedAt: string | null;
  durationMs: number | null;
  files: FileReport[];
  exports: { file: string; bytes: number; whole: boolean }[];
  /** What was cut out of it by earlier repairs, in bytes. */
  repairedBytes: number;
  problems: Problem[];
}

/** All that was read of a recording's folder. */
export interface Inspected {
  id: string;
  journal: JournalFacts | null;
  start: (JournalEntry & { kind: "start" }) | null;
  tracks: TrackFacts[];
}

export async function inspectRecording(directory: string): Promise<Inspected> {
  const names = (await readdir(directory)).sort();
  const journal = names.includes(JOURNAL_FILE)
    ? await inspectJournal(join(directory, JOURNAL_FILE), JOURNAL_FILE)
    : null;
  const tracks: TrackFacts[] = [];
  for (const name of names)
    if (TRACK_FILE.test(name)) tracks.push(await inspectTrack(join(directory, name), name));
  const start = journal?.entries.find((entry) => entry.kind === "start") ?? null;
  return { id: basename(directory), journal, start, tracks };
}

/**
 * Reads every record of every file of a recording and says what is wrong. Changes nothing.
 * @param running whether a bot may be writing it: then it has no end yet, and neither have its files
 * @throws errors of the file system
 */
export async function verifyRecording(directory: string, { running = false } = {}): Promise<VerifyReport> {
  const inspected = await inspectRecording(directory);
  const { id, journal, start, tracks } = inspected;
  const believed = journal?.entries.slice(0, journal.believed) ?? [];
  const state = stateOf(believed, running);
  const writing = state === "recording";
  const exports = await checkExports(directory, believed);
  const problems: Problem[] = [
    ...journalProblems(journal, believed, writing),
    ...tracks.flatMap((track) => trackProblems(track, start?.recording ?? null, writing)),
    ...missingTracks(believed, tracks),
    ...exports.flatMap(({ problem }) => (problem ? [problem] : [])),
  ];
  const files = [
    ...(journal ? [journalReport(journal)] : []),
    ...tracks.map((one) => trackReport(one, start)),
  ];
  const stop = believed.find(({ kind }) => kind === "stop");
  const ends = files.flatMap(({ lastMs }) => (lastMs === null ? [] : [lastMs + FRAME_MS]));
  const lastMs = ends.length > 0 ? Math.max(...ends) : null;
  return {
    ...{ id, verdict: verdictOf(inspected, problems), state },
    title: start?.title ?? null,
    roomId: start?.roomId ?? null,
    startedAt: start === null ? null : new Date(start.wallMs).toISOString(),
    durationMs: stop && start ? Math.max(stop.atMs - start.atMs, 0) : lastMs,
    ...{ files, exports: exports.map(({ file, bytes, whole }) => ({ file, bytes, whole })) },
    repairedBytes: believed
      .flatMap((entry) => (entry.kind === "repaired" ? entry.files : []))
      .reduce((sum, { lostBytes }) => sum + lostBytes, 0),
    problems,
  };
}

const FRAME_MS = 20;

function verdictOf({ start, tracks }: Inspected, problems: readonly Problem[]): VerifyReport["verdict"] {
  if (problems.some(({ code }) => code === "newer_version")) return "newer";
  if (problems.length === 0) return "whole";
  return start === null && tracks.every(({ packets }) => packets === 0) ? "lost" : "damaged";
}

function journalProblems(
  journal: JournalFacts | null,
  believed: readonly JournalEntry[],
  writing: boolean,
): Problem[] {
  if (journal === null) return [{ code: "journal_missing", mend: "repair" }];
  if (journal.head.state === "newer") return newer(journal.file, journal.head.version);
  const problems: Problem[] = damage(journal, writing);
  if (!believed.some(({ kind }) => kind === "start")) problems.push({ code: "no_start", mend: "repair" });
  else if (!writing && !believed.some(({ kind }) => kind === "stop"))
    problems.push({ code: "no_end", mend: "repair" });
  return problems;
}

function trackProblems(track: TrackFacts, recording: string | null, writing: boolean): Problem[] {
  const { file, head, records, header } = track;
  if (head.state === "newer") return newer(file, head.version);
  // A file that was only just made: nothing of it was on the disk.
  if (records === 0 && writing) return [];
  if (records === 0)
    return [{ code: "unreadable", file, bytes: track.bytes, mend: isNothing(track) ? "repair" : null }];
  const problems = damage(track, writing);
  if (header === null) problems.push({ code: "no_header", file, mend: "repair" });
  else if (recording !== null && header.recording !== recording)
    problems.push({ code: "other_recording", file, recording: header.recording, mend: null });
  if (track.malformed > 0) problems.push({ code: "malformed", file, records: track.malformed, mend: null });
  if (track.backwards > 0) problems.push({ code: "epochs", file, what: "backwards", mend: null });
  if (track.unplaced > 0) problems.push({ code: "epochs", file, what: "none", mend: "repair" });
  if (!track.closed && !writing && tailOf(track) === null)
    problems.push({ code: "not_closed", file, mend: "repair" });
  return problems;
}

/** Holes in a file of either kind. */
function damage(facts: TrackFacts | JournalFacts, writing: boolean): Problem[] {
  const { file, holes, head, records } = facts;
  const tail = tailOf(facts);
  const problems: Problem[] = [];
  if (head.state === "damaged") problems.push({ code: "head", file, records, mend: "repair" });
  for (const hole of holes) {
    const { from, bytes, why } = hole;
    if (hole === tail) {
      // The rest of a record that is being written.
      if (!(writing && why === "short")) problems.push({ code: "torn", file, bytes, why, mend: "repair" });
    } else if (from > 0) problems.push({ code: "hole", file, from, bytes, why, mend: "repair" });
  }
  return problems;
}

/** A file that was made, and of which not one record reached the disk: empty, zeros, or the beginning of its first one. */
export const isNothing = ({ bytes, head, holes }: TrackFacts): boolean =>
  bytes <= FILE_HEADER_BYTES ||
  holes.every(({ why }) => why === "zeros") ||
  (head.state === "right" && holes.every(({ why }) => why === "short"));

const newer = (file: string, version: number): Problem[] => [
  { code: "newer_version", file, version, mend: null },
];

/** Files that the journal names and nobody erased. */
function missingTracks(entries: readonly JournalEntry[], tracks: readonly TrackFacts[]): Problem[] {
  const gone = new Set([
    ...tracks.map(({ file }) => file),
    ...entries.flatMap((entry) => (entry.kind === "erased" || entry.kind === "deleted" ? entry.files : [])),
    ...entries.flatMap((entry) => (entry.kind === "repaired" ? entry.files.map(({ file }) => file) : [])),
  ]);
  const named = new Set(
    entries.flatMap((entry) => (entry.kind === "track" && !gone.has(entry.file) ? [entry.file] : [])),
  );
  return [...named].map((file) => ({ code: "track_missing", file, mend: null }));
}

async function checkExports(
  directory: string,
  entries: readonly JournalEntry[],
): Promise<{ file: string; bytes: number; whole: boolean; problem: Problem | null }[]> {
  const { exported, tracks, deleted } = progressOf(entries);
  // What was made of all tracks goes with one that is deleted.
  const documents = deleted.size > 0 ? [] : (exported?.documents ?? []);
  const found: { file: string; bytes: number; whole: boolean; problem: Problem | null }[] = [];
  for (const { file, bytes: expected } of [...tracks, ...documents]) {
    // The name comes from a file; it is looked up nowhere but in its folder.
    const stats = await stat(join(directory, "export", basename(file))).catch(() => null);
    const bytes = stats?.size ?? 0;
    const problem: Problem | null =
      stats === null
        ? { code: "export_missing", file, mend: "export" }
        : bytes === expected
          ? null
          : { code: "export_size", file, bytes, expected, mend: "export" };
    found.push({ file, bytes, whole: problem === null, problem });
  }
  return found;
}

function journalReport(facts: JournalFacts): FileReport {
  return {
    ...{ file: facts.file, what: "journal", bytes: facts.bytes, records: facts.records, packets: 0 },
    ...{ speaker: null, firstMs: null, lastMs: null, ...tornOf(facts), epochs: [] },
    closedInOrder: facts.entries.some(({ kind }) => kind === "stop"),
  };
}

function trackReport(facts: TrackFacts, start: Inspected["start"]): FileReport {
  const { file, what, bytes, records, packets, header, first, last, boots, closed } = facts;
  const zero = start ?? originOf(facts);
  return {
    ...{ file, what, bytes, records, packets, speaker: header?.speaker ?? null },
    firstMs: first && zero ? sinceStart(zero, first) : null,
    lastMs: last && zero ? sinceStart(zero, last) : null,
    ...tornOf(facts),
    epochs: boots.map(({ epochs }) => epochs),
    closedInOrder: closed,
  };
}

/** Without a journal a file begins with itself. */
function originOf({ firstEpoch }: TrackFacts): { atMs: number; wallMs: number; bootId: string } | null {
  if (firstEpoch === null) return null;
  const { monotonicMs: atMs, wallMs, bootId } = firstEpoch;
  return { atMs, wallMs: wallMs ?? 0, bootId: bootId ?? "" };
}

function tornOf({ holes }: TrackFacts | JournalFacts): { tornBytes: number; wrongChecksums: number } {
  return {
    tornBytes: holes.reduce((sum, { bytes }) => sum + bytes, 0),
    wrongChecksums: holes.filter(({ why }) => why === "checksum").length,
  };
}
