import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PacketRecord, TrackHeader } from "../../media/tracks/format.ts";
import { TrackReader } from "../../media/tracks/reader.ts";
import type { JournalEntry, ReadJournal } from "../journal.ts";
import { SAMPLES_PER_MS } from "./opus.ts";

/** A track file of the recording that has something to hear. */
export interface TrackFile {
  path: string;
  header: TrackHeader;
  /** Arrival of its first and last packet, ms since the recording's start. */
  firstMs: number;
  lastMs: number;
  packets: number;
}

/** Whose voice came under a key, from when on. */
export interface Owner {
  key: string;
  userId: string | null;
  name: string;
  fromMs: number;
}

type StartEntry = ReadJournal["start"];

/**
 * A time of a track file as ms since the recording's start. Monotonic times of the same run of the machine compare; those
 * of another one (it was restarted) are brought over by the wall clock.
 */
export class TimeMap {
  readonly #start: StartEntry;
  #shiftMs: number;

  constructor(start: StartEntry) {
    this.#start = start;
    this.#shiftMs = -start.atMs;
  }

  epoch({ bootId, monotonicMs, wallMs }: { bootId: string; monotonicMs: number; wallMs: number }): void {
    const same = bootId === this.#start.bootId;
    this.#shiftMs = same ? -this.#start.atMs : wallMs - monotonicMs - this.#start.wallMs;
  }

  sinceStartMs(monotonicMs: number): number {
    return monotonicMs + this.#shiftMs;
  }
}

export type PlacedRecord = PacketRecord & { sinceStartMs: number };

/** The packets of a file in order of arrival. A payload is only valid until the next one. */
export async function* packetsOf(
  path: string,
  start: StartEntry,
): AsyncGenerator<PlacedRecord, void, undefined> {
  const reader = await TrackReader.open(path);
  const time = new TimeMap(start);
  for await (const record of reader.records()) {
    if (record.type === "epoch") time.epoch(record);
    else if (record.type === "packet") yield { ...record, sinceStartMs: time.sinceStartMs(record.arrivalMs) };
  }
}

/** The recording's track files with at least one packet, by first sound. Unreadable ones are left out and named. */
export async function findTracks(
  directory: string,
  start: StartEntry,
): Promise<{ files: TrackFile[]; unreadable: string[] }> {
  const files: TrackFile[] = [];
  const unreadable: string[] = [];
  for (const name of (await readdir(directory)).sort()) {
    if (!/^(voice|music)-\d+\.mvt$/.test(name)) continue;
    const path = join(directory, name);
    try {
      const reader = await TrackReader.open(path);
      const { header } = reader;
      await reader.close();
      const file: TrackFile = { path, header, firstMs: 0, lastMs: 0, packets: 0 };
      for await (const { sinceStartMs } of packetsOf(path, start)) {
        if (file.packets++ === 0) file.firstMs = sinceStartMs;
        file.lastMs = sinceStartMs;
      }
      if (file.packets > 0) files.push(file);
    } catch {
      unreadable.push(name);
    }
  }
  return { files: files.sort((a, b) => a.firstMs - b.firstMs), unreadable };
}

/** Ends at the stop that the journal tells; a recording that was cut off ends with the last that is known of it. */
export function durationSamples({ start, entries }: ReadJournal, files: readonly TrackFile[]): number {
  const stop = entries.find(({ kind }) => kind === "stop");
  const known = entries.filter(({ kind }) => !["exported", "sent", "kept", "delivered"].includes(kind));
  const endMs = stop
    ? stop.atMs - start.atMs
    : Math.max(0, ...known.map(({ atMs }) => atMs - start.atMs), ...files.map(({ lastMs }) => lastMs + 20));
  return Math.max(960, Math.round(endMs * SAMPLES_PER_MS));
}

/** Who spoke under each key, in order of time. */
export function ownersOf({ start, entries }: ReadJournal): Map<string, Owner[]> {
  const owners = new Map<string, Owner[]>();
  for (const entry of entries) {
    if (entry.kind !== "joined") continue;
    const of = owners.get(entry.key) ?? [];
    owners.set(entry.key, of);
    const { key, userId, name, atMs } = entry;
    const last = of.at(-1);
    // A new name is the same voice; the latest name is the one to go by.
    if (last?.userId === userId) last.name = name;
    else of.push({ key, userId, name, fromMs: atMs - start.atMs });
  }
  return owners;
}

/** The owner of a key at a time; packets may come a little before their member. */
export function ownerAt(owners: readonly Owner[] | undefined, key: string, sinceStartMs: number): Owner {
  const owner = owners?.findLast(({ fromMs }) => fromMs <= sinceStartMs) ?? owners?.[0];
  return owner ?? { key, userId: null, name: key, fromMs: 0 };
}

/** Stretches in which nothing was written, ms since the start. */
export function gapsOf(
  { start, entries }: ReadJournal,
  durationMs: number,
): { fromMs: number; toMs: number; reason: string }[] {
  const gaps: { fromMs: number; toMs: number; reason: string }[] = [];
  let open: (JournalEntry & { kind: "gap" }) | null = null;
  for (const entry of entries) {
    if (entry.kind === "gap") open = entry;
    if (entry.kind !== "resumed" || !open) continue;
    gaps.push({ fromMs: open.atMs - start.atMs, toMs: entry.atMs - start.atMs, reason: open.reason });
    open = null;
  }
  if (open) gaps.push({ fromMs: open.atMs - start.atMs, toMs: durationMs, reason: open.reason });
  return gaps;
}
