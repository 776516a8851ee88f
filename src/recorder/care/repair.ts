import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BotError } from "../../base/errors.ts";
import {
  encodeEnd,
  encodeEpoch,
  encodeHeader,
  TRACK_RECORDS,
  type TrackHeader,
} from "../../media/tracks/format.ts";
import type { JournalEntry } from "../journal.ts";
import { lostBytes, type JournalFacts, type TrackFacts } from "./inspect.ts";
import type { Change, RepairOptions } from "./change.ts";
import { repairJournal } from "./repair-journal.ts";
import { copyRecords, cut, keep, rewrite } from "./rewrite.ts";
import { inspectRecording, isNothing, type Inspected } from "./verify.ts";

type Start = JournalEntry & { kind: "start" };
const FRAME_MS = 20;

/**
 * Makes of a damaged recording one that readers take to its end: cuts what no record is in, joins what is whole behind it,
 * gives files and journal their ends, and makes a journal anew of what the tracks tell. Each file is replaced in one step, so
 * that a kill leaves the old or the new one. Nobody else may be writing it. Nothing to do: nothing is changed.
 * @throws BotError `recording_damaged` for a later version, or when there is nothing to make a recording of; errors of the
 * file system
 */
export async function repairRecording(directory: string, options: RepairOptions): Promise<Change[]> {
  const inspected = await inspectRecording(directory);
  refuse(inspected);
  const changes: Change[] = [];
  for (const track of inspected.tracks)
    changes.push(...(await repairTrack(directory, inspected, track, options)));
  changes.push(...(await repairJournal(directory, inspected, changes, options)));
  return changes;
}

function refuse({ id, journal, start, tracks }: Inspected): void {
  for (const facts of [journal, ...tracks]) {
    if (facts?.head.state === "newer") {
      const { file, head } = facts;
      throw new BotError(
        "recording_damaged",
        `${file} of ${id} has format version ${head.version}, which a later matrix-voice-bot wrote: repair it with that one`,
      );
    }
  }
  if (start === null && tracks.every(({ firstEpoch, packets }) => firstEpoch === null || packets === 0))
    throw new BotError("recording_damaged", `nothing in ${id} can be read: there is no recording to repair`);
}

async function repairTrack(
  directory: string,
  { id, journal, start }: Inspected,
  track: TrackFacts,
  options: RepairOptions,
): Promise<Change[]> {
  const { file, holes, head, header, closed, records, behind, unplaced } = track;
  const path = join(directory, file);
  if (records === 0) {
    // Bytes that say nothing to anybody stay: somebody may want to look at them.
    if (!isNothing(track)) return [];
    await keep(directory, file, options);
    await rm(path);
    return [{ what: "removed", file }];
  }
  const epoch = unplaced > 0 ? epochOf(track, journal, start) : null;
  if (holes.length === 0 && head.state === "right" && header !== null && closed && epoch === null) return [];
  const changes: Change[] = [];
  const lost = lostBytes(track);
  if (behind > 0 || head.state === "damaged")
    changes.push({ what: "joined", file, lostBytes: lost, records: behind });
  else if (lost > 0) changes.push({ what: "cut", file, lostBytes: lost });
  if (header === null) changes.push({ what: "header", file });
  if (epoch !== null) changes.push({ what: "epoch", file });
  if (!closed) changes.push({ what: "closed", file });
  const end = closed ? null : encodeEnd(lastMs(track));
  await keep(directory, file, options);
  if (header !== null && behind === 0 && head.state === "right" && epoch === null) {
    await cut(path, track.validBytes, end);
  } else {
    const made = header ?? headerOf(id, track, journal, start);
    await rewrite(path, "track", async (out) => {
      await out.writeFile(encodeHeader(made));
      if (epoch !== null) await out.writeFile(encodeEpoch(epoch));
      await copyRecords(path, "track", out, (type) => type !== TRACK_RECORDS.header);
      if (end !== null) await out.writeFile(end);
    });
  }
  return changes;
}

/** The end of a file that has none: when its last packet was over. */
function lastMs({ last, firstEpoch }: TrackFacts): number {
  return last === null ? (firstEpoch?.monotonicMs ?? 0) : last.monotonicMs + FRAME_MS;
}

/** The clocks for packets that stand before the first epoch: by the next one, or by the journal. Null: nobody knows. */
function epochOf(
  { file, firstEpoch }: TrackFacts,
  journal: JournalFacts | null,
  start: Start | null,
): { monotonicMs: number; wallMs: number; bootId: string } | null {
  if (firstEpoch?.wallMs != null && firstEpoch.bootId !== null)
    return { ...firstEpoch, wallMs: firstEpoch.wallMs, bootId: firstEpoch.bootId };
  const told = journal?.entries.find((entry) => entry.kind === "track" && entry.file === file);
  if (start === null || !told) return null;
  return { monotonicMs: told.atMs, wallMs: told.wallMs, bootId: start.bootId };
}

/** What the journal says of a file that does not say it itself any more. */
function headerOf(
  id: string,
  { file, what }: TrackFacts,
  journal: JournalFacts | null,
  start: Start | null,
): TrackHeader {
  const entry = journal?.entries.find((one) => one.kind === "track" && one.file === file);
  const told = entry?.kind === "track" ? entry : null;
  return {
    recording: start?.recording ?? id,
    // Nobody's key: then the voice is there, under the name of its file.
    speaker: told?.speaker ?? (what === "music" ? "music" : file.replace(".mvt", "")),
    ...{ what, codec: "opus", clockRate: 48_000, engine: "unknown", hasClock: told?.hasClock !== false },
  };
}
