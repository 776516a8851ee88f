import { join } from "node:path";
import { encodeRecord } from "../../media/tracks/framing.ts";
import { decodeEntry, ENTRY, JOURNAL_FILE, type JournalEntry } from "../journal.ts";
import { sinceStart } from "./folder.ts";
import { lostBytes, type Instant, type TrackFacts } from "./inspect.ts";
import type { Change, RepairOptions } from "./change.ts";
import { copyRecords, cut, keep, rewrite } from "./rewrite.ts";
import type { Inspected } from "./verify.ts";

type Start = JournalEntry & { kind: "start" };
const FRAME_MS = 20;

/** Cuts, ends or rebuilds the journal, and notes in it what was done. @param before what was done to the tracks */
export async function repairJournal(
  directory: string,
  inspected: Inspected,
  before: readonly Change[],
  options: RepairOptions,
): Promise<Change[]> {
  const { journal, tracks } = inspected;
  const entries = journal?.entries ?? [];
  const whole =
    journal !== null &&
    journal.holes.length === 0 &&
    journal.head.state === "right" &&
    entries[0]?.kind === "start";
  const ended = entries.some(({ kind }) => kind === "stop");
  if (whole && ended && before.length === 0) return [];
  const start = inspected.start ?? makeStart(inspected, options);
  const changes: Change[] = [];
  const added: JournalEntry[] = [];
  if (!ended) {
    changes.push({ what: "ended" });
    const atMs = start.atMs + endOf(start, entries, tracks);
    added.push({
      kind: "stop",
      reason: "failed",
      byUserId: null,
      atMs,
      wallMs: start.wallMs + atMs - start.atMs,
    });
  }
  const behind = journal?.behind ?? 0;
  const rebuilt = inspected.start === null || behind > 0 || journal?.head.state === "damaged";
  const lost = journal === null ? 0 : lostBytes(journal);
  if (rebuilt) changes.unshift({ what: "journal_rebuilt", entries: entries.length });
  else if (lost > 0) changes.unshift({ what: "cut", file: JOURNAL_FILE, lostBytes: lost });
  const files = [...before, ...changes].flatMap((change) =>
    change.what === "cut" || change.what === "joined"
      ? [{ file: change.file, lostBytes: change.lostBytes }]
      : change.what === "removed"
        ? [{ file: change.file, lostBytes: 0 }]
        : [],
  );
  const stop = added[0] ?? entries.find(({ kind }) => kind === "stop");
  const atMs = stop?.atMs ?? start.atMs;
  added.push({ kind: "repaired", files, rebuilt, atMs, wallMs: options.wallMs });
  const path = join(directory, JOURNAL_FILE);
  if (journal !== null) await keep(directory, JOURNAL_FILE, options);
  if (journal !== null && !rebuilt) {
    await cut(path, journal.validBytes, Buffer.concat(added.map(encodeEntry)));
    return changes;
  }
  await rewrite(path, "journal", async (out) => {
    if (inspected.start === null) {
      await out.writeFile(encodeEntry(start));
      const named = new Set(entries.flatMap((entry) => (entry.kind === "track" ? [entry.file] : [])));
      for (const track of tracks) {
        if (named.has(track.file)) continue;
        const entry = trackEntry(start, track);
        if (entry) await out.writeFile(encodeEntry(entry));
      }
    }
    if (journal !== null) await copyRecords(path, "journal", out, () => true);
    for (const entry of added) await out.writeFile(encodeEntry(entry));
  });
  return changes;
}

/** The beginning of a recording whose journal does not tell it: that of its first file. */
function makeStart({ id, journal, tracks }: Inspected, { known }: RepairOptions): Start {
  const begins = tracks.flatMap(({ firstEpoch }) => (firstEpoch ? [firstEpoch] : []));
  const first = begins.reduce<Instant | null>(
    (least, one) => (least === null || (one.wallMs ?? 0) < (least.wallMs ?? 0) ? one : least),
    null,
  );
  const told = tracks.find(({ header }) => header !== null)?.header?.recording;
  const entry = journal?.entries[0];
  const atMs = first?.monotonicMs ?? entry?.atMs ?? 0;
  const made = decodeEntry(
    bytesOf({
      ...{ kind: "start", recording: told ?? id, roomId: known?.roomId ?? "unknown" },
      ...{ byUserId: "unknown", byName: "unknown", bootId: first?.bootId ?? "unknown", atMs },
      wallMs: first?.wallMs ?? known?.startedWallMs ?? entry?.wallMs ?? 0,
    }),
  );
  if (made?.kind !== "start") throw new Error("the start of a journal cannot be made");
  return made;
}

function trackEntry(start: Start, { file, what, header, firstEpoch }: TrackFacts): JournalEntry | null {
  if (header === null || firstEpoch === null) return null;
  const since = sinceStart(start, firstEpoch) ?? 0;
  return {
    ...{ kind: "track", speaker: header.speaker, file, what },
    ...(header.hasClock ? {} : { hasClock: false }),
    atMs: start.atMs + since,
    wallMs: firstEpoch.wallMs ?? start.wallMs + since,
  };
}

/** The last that is known of a recording without an end, ms since its start. */
function endOf(start: Start, entries: readonly JournalEntry[], tracks: readonly TrackFacts[]): number {
  const told = entries.map(({ atMs }) => atMs - start.atMs);
  const heard = tracks.map(({ last }) => (last === null ? null : sinceStart(start, last)));
  return Math.max(0, ...told, ...heard.flatMap((ms) => (ms === null ? [] : [ms + FRAME_MS])));
}

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const encodeEntry = (entry: JournalEntry): Uint8Array => encodeRecord(ENTRY, bytesOf(entry));
