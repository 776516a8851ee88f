// Recordings as the media plane and the recorder write them, made up: tones at known instants, with what networks do.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Encoder } from "@evan/opus";
import { AppendFile } from "../../src/media/tracks/append-file.ts";
import { encodeEnd, encodeEpoch, encodeHeader, encodePacket } from "../../src/media/tracks/format.ts";
import { encodeRecord } from "../../src/media/tracks/framing.ts";
import type { ExportJob } from "../../src/recorder/exporter.ts";
import type { JournalEntry, JournalFact, ReadJournal } from "../../src/recorder/journal.ts";

export const FRAME_MS = 20;
export const BOOT = "boot-1";
/** Monotonic time at which the made-up recordings start, and the wall time then. */
export const START_MS = 5_000_000;
export const START_WALL_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** One packet of a track as it was sent. `sentMs` is since the recording's start. */
export interface Sent {
  sentMs: number;
  sequence: number;
  timestamp: number;
  payload: Uint8Array;
}

export interface ToneOptions {
  hz: number;
  /** Of the first sample, since the recording's start. */
  fromMs: number;
  lengthMs: number;
  channels?: 1 | 2;
  bitrate?: number;
  firstTimestamp?: number;
  firstSequence?: number;
}

/** A tone of half of full scale, as Opus packets of 20 ms. */
export function tone(options: ToneOptions): Sent[] {
  const { hz, fromMs, lengthMs, channels = 1, firstTimestamp = 1_000, firstSequence = 65_530 } = options;
  const encoder = new Encoder({ channels, sample_rate: 48_000, application: "voip" });
  encoder.bitrate = options.bitrate ?? 64_000;
  const sent: Sent[] = [];
  for (let index = 0; index * FRAME_MS < lengthMs; index++) {
    const pcm = new Int16Array(960 * channels);
    for (let i = 0; i < 960; i++) {
      const value = Math.round(16_384 * Math.sin((2 * Math.PI * hz * (index * 960 + i)) / 48_000));
      for (let channel = 0; channel < channels; channel++) pcm[i * channels + channel] = value;
    }
    const payload = encoder.encode(pcm).slice();
    const timestamp = (firstTimestamp + index * 960) >>> 0;
    const sequence = (firstSequence + index) & 0xffff;
    sent.push({ sentMs: fromMs + index * FRAME_MS, sequence, timestamp, payload });
  }
  return sent;
}

export interface Arrived extends Sent {
  /** Since the recording's start. */
  arrivalMs: number;
  ssrc: number;
}

/** The packets as they come in: each late by `delayMs(index)`, those with `lost(index)` never; sorted by arrival. */
export function over(
  sent: readonly Sent[],
  {
    ssrc,
    delayMs = () => 0,
    lost = () => false,
  }: { ssrc: number; delayMs?: (index: number) => number; lost?: (index: number) => boolean },
): Arrived[] {
  return sent
    .map((packet, index) => ({ ...packet, ssrc, arrivalMs: packet.sentMs + FRAME_MS + delayMs(index) }))
    .filter((_, index) => !lost(index))
    .sort((a, b) => a.arrivalMs - b.arrivalMs);
}

/** Writes a track file. */
export async function writeTrack(
  directory: string,
  file: string,
  { speaker, what = "voice" }: { speaker: string; what?: "voice" | "music" },
  packets: readonly Arrived[],
  { startMs = START_MS, bootId = BOOT, wallMs = START_WALL_MS, whole = true } = {},
): Promise<void> {
  const track = await AppendFile.create(join(directory, file), "track");
  const header = {
    recording: "r1",
    speaker,
    what,
    codec: "opus",
    clockRate: 48_000,
    engine: "test",
    hasClock: true,
  } as const;
  track.append(encodeHeader(header));
  track.append(encodeEpoch({ monotonicMs: startMs, wallMs, bootId }));
  for (const { arrivalMs, timestamp, ssrc, sequence, payload } of packets) {
    const record = {
      arrivalMs: startMs + arrivalMs,
      timestamp,
      ssrc,
      sequence,
      payload,
      marker: false,
      levelDbov: null,
    };
    track.append(encodePacket(record));
    if (sequence % 500 === 0) await track.flush();
  }
  if (whole) track.append(encodeEnd(startMs + (packets.at(-1)?.arrivalMs ?? 0)));
  await track.close();
}

/** Writes a journal; `atMs` since the recording's start. */
export async function writeJournal(
  directory: string,
  facts: readonly (JournalFact & { atMs: number })[],
  { recording = "r1", roomId = "!room:test" } = {},
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const journal = await AppendFile.create(join(directory, "journal.mvt"), "journal");
  const start = {
    ...{ kind: "start", recording, roomId, byUserId: "@host:test", byName: "Host", bootId: BOOT, atMs: 0 },
  } as const;
  for (const fact of [start, ...facts]) {
    const entry = { ...fact, atMs: START_MS + fact.atMs, wallMs: START_WALL_MS + fact.atMs };
    journal.append(encodeRecord(1, new TextEncoder().encode(JSON.stringify(entry))));
  }
  await journal.close();
}

/** A journal as it is read, without a disk; `atMs` since the recording's start. */
export function journalOf(facts: readonly (JournalFact & { atMs: number })[]): ReadJournal {
  const stamped = facts.map((fact) => ({
    ...fact,
    atMs: START_MS + fact.atMs,
    wallMs: START_WALL_MS + fact.atMs,
  }));
  const start = {
    ...{
      kind: "start",
      recording: "r1",
      roomId: "!room:test",
      byUserId: "@host:test",
      byName: "Host",
      bootId: BOOT,
    },
    ...{ title: null, consent: "opt-out", atMs: START_MS, wallMs: START_WALL_MS },
  } as ReadJournal["start"];
  return { start, entries: [start, ...(stamped as JournalEntry[])], validBytes: 0 };
}

/** A file of garbage, as a disk may give back. */
export const writeGarbage = (path: string): Promise<void> => writeFile(path, "not what it should be");

/** What the export child is told to do with a folder. */
export const exportJob = (directory: string, choice: Partial<ExportJob> = {}): ExportJob => ({
  ...{ kind: "export", directory, ffmpeg: "ffmpeg", format: "opus", zip: false, language: "en" },
  titles: { music: "Music", mix: "Everybody", voices: "Voices" },
  ...choice,
});
