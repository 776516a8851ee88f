import type { RecordingRow, RecordingState } from "../../store/recordings.ts";
import type { ReadJournal } from "../journal.ts";
import { progressOf } from "./progress-of.ts";

/** What the index has of a recording; all of it comes from the folder. */
export function rowOf({ start, entries }: ReadJournal, bytes: number | null): RecordingRow {
  const progress = progressOf(entries);
  const { exported } = progress;
  const keepAt = entries.findLastIndex(({ kind }) => kind === "keep");
  const kept = entries[keepAt];
  const keep = kept?.kind === "keep" && kept.keep;
  const foretold = entries.slice(keepAt + 1).findLast((entry) => entry.kind === "foretold");
  return {
    id: start.recording,
    roomId: start.roomId,
    state: stateOf(entries, progress),
    startedWallMs: start.wallMs,
    durationMs: exported?.durationMs ?? null,
    tracks: exported ? progress.tracks.length : null,
    number: start.number,
    title: start.title,
    byUserId: start.byUserId,
    bytes,
    endedWallMs: endOf(entries),
    keep,
    deleteWallMs: keep ? null : (foretold?.deleteWallMs ?? null),
  };
}

function stateOf(
  entries: ReadJournal["entries"],
  { exported, delivered, kept, tracks }: ReturnType<typeof progressOf>,
): RecordingState {
  if (exported && delivered) return tracks.length === 0 ? "empty" : kept.size > 0 ? "failed" : "delivered";
  if (exported) return "exported";
  return entries.some(({ kind }) => kind === "stop") ? "recorded" : "recording";
}

/** Its age counts from its end, and anew when it is sent once more. */
function endOf(entries: ReadJournal["entries"]): number | null {
  const counts = (kind: string): boolean => kind === "delivered" || kind === "stop" || kind === "exported";
  return entries.findLast(({ kind }) => counts(kind))?.wallMs ?? entries.at(-1)?.wallMs ?? null;
}
