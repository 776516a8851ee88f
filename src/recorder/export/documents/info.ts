import type { ExportFormat } from "../../exporter.ts";
import type { ExportedTrack, ReadJournal } from "../../journal.ts";
import type { Timeline } from "../align/timeline.ts";
import type { Mark } from "./marks.ts";
import type { TrackReport } from "./report.ts";
import type { Turn } from "./speech.ts";

/** Of info.json. Fields may be added without a new one. */
const INFO_VERSION = 1;

/** A track with all that is known of it; mixes have no report. */
export interface DescribedTrack {
  track: ExportedTrack;
  report: TrackReport | null;
  /** When this speaker spoke; null for music and mixes. */
  turns: readonly Turn[] | null;
}

export interface InfoParts {
  journal: ReadJournal;
  timeline: Timeline;
  format: ExportFormat;
  tracks: readonly DescribedTrack[];
  marks: readonly Mark[];
  hidden: ReadonlySet<string>;
  mixProblem: string | null;
  unreadable: readonly string[];
}

/** Everything that is known of a recording, for programs: info.json. Times are ms of the exported sound. */
export function infoOf({ journal, timeline, format, tracks, marks, hidden, ...rest }: InfoParts): object {
  const { start, entries } = journal;
  const stop = entries.findLast((entry) => entry.kind === "stop");
  const of = <K extends Mark["kind"]>(kind: K): Extract<Mark, { kind: K }>[] =>
    marks.filter((mark): mark is Extract<Mark, { kind: K }> => mark.kind === kind);
  return {
    version: INFO_VERSION,
    madeBy: { program: "matrix-voice-bot", node: process.versions.node },
    recording: start.recording,
    room: start.roomId,
    title: start.title,
    startedAt: new Date(start.wallMs).toISOString(),
    startedBy: hidden.has(start.byUserId) ? null : { userId: start.byUserId, name: start.byName },
    stopped: stop ? stop.reason : null,
    durationMs: timeline.totalSamples / 48,
    format,
    consent: consentOf(journal, timeline, hidden),
    tracks: tracks.map(({ track, report }) => ({ ...withoutLists(track), report })),
    people: peopleOf(marks),
    notes: of("note").map(({ atMs, text, userId, name }) => ({ atMs, text, by: { userId, name } })),
    pauses: of("paused").map(({ atMs, lengthMs }) => ({ atMs, lengthMs })),
    gaps: of("gap").map(({ atMs, toMs, reason }) => ({ fromMs: atMs, toMs, reason })),
    removedTracks: of("removed").length,
    speech: tracks.flatMap(({ track, report, turns }) =>
      turns ? [{ file: track.file, userId: track.userId, ...report?.speech, turns: turns.map(pairOf) }] : [],
    ),
    ...rest,
  };
}

const pairOf = ({ fromMs, toMs }: Turn): [number, number] => [fromMs, toMs];

/** What is only of use to who delivers it. */
function withoutLists(track: ExportedTrack): Partial<ExportedTrack> {
  const { waveform: _, sources: __, ...rest } = track;
  return rest;
}

function consentOf({ start, entries }: ReadJournal, timeline: Timeline, hidden: ReadonlySet<string>): object {
  const told = entries.flatMap((entry) =>
    entry.kind === "notice" && !(entry.userId !== null && hidden.has(entry.userId))
      ? [{ atMs: timeline.entryMs(entry), userId: entry.userId }]
      : [],
  );
  const decisions = entries.flatMap((entry) =>
    entry.kind === "consent" && !hidden.has(entry.userId)
      ? [{ atMs: timeline.entryMs(entry), userId: entry.userId, agreed: entry.agreed, scope: entry.scope }]
      : [],
  );
  return { mode: start.consent, told, decisions };
}

interface Person {
  userId: string;
  name: string;
  present: { fromMs: number; toMs: number | null }[];
}

/** Who was in the channel when; `toMs` null: to the end. */
function peopleOf(marks: readonly Mark[]): Person[] {
  const people = new Map<string, Person>();
  for (const mark of marks) {
    if (mark.kind !== "joined" && mark.kind !== "left") continue;
    const { userId, name, atMs } = mark;
    const person = people.get(userId) ?? { userId, name, present: [] };
    people.set(userId, person);
    person.name = name;
    if (mark.kind === "joined") person.present.push({ fromMs: atMs, toMs: null });
    else {
      const open = person.present.findLast(({ toMs }) => toMs === null);
      if (open) open.toMs = atMs;
    }
  }
  return [...people.values()];
}
