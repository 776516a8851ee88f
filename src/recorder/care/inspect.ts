import { stat } from "node:fs/promises";
import { decodeTrackRecord, type TrackHeader } from "../../media/tracks/format.ts";
import { decodeEntry, ENTRY, type JournalEntry } from "../journal.ts";
import { FileScan, type FileHead, type HoleReason, type Scanned } from "./scan.ts";

/** A time that one machine measured, and in which run of it. */
export interface Instant {
  monotonicMs: number;
  /** By the last epoch before it; null when there was none. */
  wallMs: number | null;
  bootId: string | null;
}

export interface Hole {
  from: number;
  bytes: number;
  why: HoleReason;
}

interface FileFacts {
  file: string;
  bytes: number;
  head: FileHead;
  records: number;
  /** What readers believe: bytes before the first hole. */
  validBytes: number;
  /** The last one may be the torn tail, behind which nothing is. */
  holes: Hole[];
  /** Records that stand behind the first hole: no reader sees them, a repair brings them back. */
  behind: number;
}

/** All that one track file says. */
export interface TrackFacts extends FileFacts {
  kind: "track";
  what: "voice" | "music";
  /** Null when there is none that can be read. */
  header: TrackHeader | null;
  packets: number;
  first: Instant | null;
  last: Instant | null;
  /** Runs of the machine in order, with how many epochs each has. */
  boots: { bootId: string; epochs: number }[];
  firstEpoch: Instant | null;
  /** Epochs whose monotonic time is before that of the one in front of them. */
  backwards: number;
  /** Packets before the first epoch. */
  unplaced: number;
  /** Whole records that are not what their type says. */
  malformed: number;
  /** Its last record says that it was closed in order. */
  closed: boolean;
}

/** All that the journal says. */
export interface JournalFacts extends FileFacts {
  kind: "journal";
  /** Those that readers see, then those behind holes too. */
  entries: JournalEntry[];
  /** How many of `entries` readers see. */
  believed: number;
}

/** Reads all of a track file, whatever state it is in. @throws errors of the file system */
export async function inspectTrack(path: string, file: string): Promise<TrackFacts> {
  const { size } = await stat(path);
  const scan = await FileScan.open(path, "track");
  const facts: TrackFacts = {
    ...{ kind: "track", what: file.startsWith("music") ? "music" : "voice", ...empty(file, size, scan.head) },
    ...{ header: null, packets: 0, first: null, last: null, boots: [], firstEpoch: null },
    ...{ backwards: 0, unplaced: 0, malformed: 0, closed: false },
  };
  let epoch: Instant | null = null;
  for await (const found of scan.scan()) {
    if (!count(facts, found)) continue;
    const record = decodeTrackRecord(found.type, found.payload);
    facts.closed = typeof record === "object" && record.type === "end";
    if (record === "damaged") facts.malformed++;
    if (typeof record === "string") continue;
    if (record.type === "header") facts.header ??= headerOf(record);
    else if (record.type === "epoch") {
      const now: Instant = {
        monotonicMs: record.monotonicMs,
        wallMs: record.wallMs,
        bootId: record.bootId,
      };
      const boot = facts.boots.at(-1);
      if (boot?.bootId === record.bootId) boot.epochs++;
      else facts.boots.push({ bootId: record.bootId, epochs: 1 });
      if (epoch?.bootId === now.bootId && now.monotonicMs < epoch.monotonicMs) facts.backwards++;
      epoch = now;
      facts.firstEpoch ??= now;
    } else if (record.type === "packet") {
      facts.packets++;
      if (epoch === null) facts.unplaced++;
      facts.last = instantOf(record.arrivalMs, epoch);
      facts.first ??= facts.last;
    }
  }
  return facts;
}

/** Reads all of a journal, whatever state it is in. @throws errors of the file system */
export async function inspectJournal(path: string, file: string): Promise<JournalFacts> {
  const { size } = await stat(path);
  const scan = await FileScan.open(path, "journal");
  const facts: JournalFacts = {
    ...{ kind: "journal", ...empty(file, size, scan.head) },
    ...{ entries: [], believed: 0 },
  };
  for await (const found of scan.scan()) {
    if (!count(facts, found)) continue;
    const entry = found.type === ENTRY ? decodeEntry(found.payload) : null;
    if (entry === null) continue;
    facts.entries.push(entry);
    if (facts.holes.length === 0) facts.believed++;
  }
  return facts;
}

/** The bytes behind the last record that can be read; null when the file ends with one. */
export function tailOf({ bytes, holes }: FileFacts): Hole | null {
  const last = holes.at(-1);
  return last && last.from + last.bytes === bytes ? last : null;
}

/** Bytes that no record is in. */
export const lostBytes = ({ holes }: FileFacts): number => holes.reduce((sum, { bytes }) => sum + bytes, 0);

function empty(file: string, bytes: number, head: FileHead): FileFacts {
  return { file, bytes, head, records: 0, validBytes: 0, holes: [], behind: 0 };
}

function count(facts: FileFacts, found: Scanned): found is Extract<Scanned, { what: "record" }> {
  if (found.what === "hole") {
    const { from, to, why } = found;
    facts.holes.push({ from, bytes: to - from, why });
    // A file that is still being written is longer by now.
    facts.bytes = Math.max(facts.bytes, to);
    return false;
  }
  facts.records++;
  facts.bytes = Math.max(facts.bytes, found.to);
  if (facts.holes.length === 0) facts.validBytes = found.to;
  else facts.behind++;
  return true;
}

function instantOf(monotonicMs: number, epoch: Instant | null): Instant {
  if (epoch === null) return { monotonicMs, wallMs: null, bootId: null };
  const wallMs = epoch.wallMs === null ? null : epoch.wallMs + monotonicMs - epoch.monotonicMs;
  return { monotonicMs, wallMs, bootId: epoch.bootId };
}

function headerOf(record: { type: "header" } & TrackHeader): TrackHeader {
  const { type: _type, ...header } = record;
  return header;
}
