// What is left of a recording after kills, full disks and bad sectors: cut at every byte, bits flipped, files gone.
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBotError } from "../../../src/base/errors.ts";
import { decodeRecord, FILE_HEADER_BYTES } from "../../../src/media/tracks/framing.ts";
import type { TrackRecord } from "../../../src/media/tracks/format.ts";
import { TrackReader } from "../../../src/media/tracks/reader.ts";
import type { Change } from "../../../src/recorder/care/change.ts";
import { repairRecording } from "../../../src/recorder/care/repair.ts";
import { verifyRecording, type VerifyReport } from "../../../src/recorder/care/verify.ts";
import { JOURNAL_FILE, readJournal, type JournalEntry } from "../../../src/recorder/journal.ts";
import { START_WALL_MS } from "../../support/recording.ts";
import { filesOf, SMALL_PACKETS, writeFiles, writeSmallRecording } from "../../support/small-recording.ts";

const VOICE = "voice-001.mvt";
const MUSIC = "music-001.mvt";
let root: string;
let directory: string;
let whole: Map<string, Buffer>;

beforeAll(async () => {
  const source = await mkdtemp(join(tmpdir(), "voicebot-small-"));
  await writeSmallRecording(source);
  whole = await filesOf(source);
  await rm(source, { recursive: true });
});
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "voicebot-care-"));
  directory = join(root, "r1");
  await writeFiles(directory, whole);
});
afterEach(() => rm(root, { recursive: true }));

const bytesOf = (file: string): Buffer => whole.get(file) ?? Buffer.alloc(0);
const codes = ({ problems }: VerifyReport): string[] => problems.map(({ code }) => code);
const repair = (): Promise<Change[]> =>
  repairRecording(directory, { known: null, keepDamaged: false, wallMs: START_WALL_MS + 1e6 });
const packets = (report: VerifyReport, file: string): number =>
  report.files.find((one) => one.file === file)?.packets ?? 0;

/** Null when it is refused, as damaged. */
async function readTrack(path: string): Promise<TrackRecord[] | null> {
  const records: TrackRecord[] = [];
  try {
    const reader = await TrackReader.open(path);
    for await (const record of reader.records())
      records.push(record.type === "packet" ? { ...record, payload: record.payload.slice() } : record);
    return records;
  } catch (error) {
    expect(toBotError(error).code).toBe("recording_damaged");
    return null;
  }
}

async function readEntries(): Promise<JournalEntry[] | null> {
  try {
    return (await readJournal(directory)).entries;
  } catch (error) {
    expect(toBotError(error).code).toBe("recording_damaged");
    return null;
  }
}

/** Where each record of a whole file begins, and where the file ends. */
function boundaries(bytes: Buffer): number[] {
  const found: number[] = [];
  let at = FILE_HEADER_BYTES;
  for (;;) {
    found.push(at);
    const record = decodeRecord(bytes, at);
    if (typeof record === "string") return found;
    at = record.next;
  }
}

test("a whole one is whole, with all that it has", async () => {
  const report = await verifyRecording(directory);
  expect(report).toMatchObject({
    id: "r1",
    verdict: "whole",
    state: "stopped",
    durationMs: 300,
    problems: [],
  });
  expect(report.files).toEqual([
    expect.objectContaining({ file: JOURNAL_FILE, records: 6, tornBytes: 0, closedInOrder: true }),
    expect.objectContaining({ file: MUSIC, packets: SMALL_PACKETS / 2, epochs: [1], firstMs: 120 }),
    expect.objectContaining({ file: VOICE, packets: SMALL_PACKETS, speaker: "phone@ann:test", lastMs: 160 }),
  ]);
  expect(await repair()).toEqual([]);
  expect(await filesOf(directory)).toEqual(whole);
});

describe("cut at every byte", () => {
  test("readers believe the whole records of a track, and nothing else", async () => {
    const file = VOICE;
    const path = join(directory, file);
    const all = (await readTrack(path)) ?? [];
    const starts = boundaries(bytesOf(file));
    for (let size = bytesOf(file).length - 1; size >= 0; size--) {
      await truncate(path, size);
      const records = await readTrack(path);
      // Behind the file's header and the record that is the track's header.
      const expected = starts.filter((at) => at <= size).length - 2;
      const length = records?.length ?? -1;
      if (length !== Math.max(-1, expected)) throw new Error(`cut at ${size}: ${length} records`);
      if (records && size === starts[expected + 1]) expect(records).toEqual(all.slice(0, expected));
    }
  });

  test("readers believe the whole entries of the journal, and nothing else", async () => {
    const path = join(directory, JOURNAL_FILE);
    const all = (await readEntries()) ?? [];
    const starts = boundaries(bytesOf(JOURNAL_FILE));
    for (let size = bytesOf(JOURNAL_FILE).length - 1; size >= 0; size--) {
      await truncate(path, size);
      const expected = starts.filter((at) => at <= size).length - 1;
      const { length } = (await readEntries()) ?? [];
      if (length !== Math.max(0, expected)) throw new Error(`cut at ${size}: ${length} entries`);
      if (size === starts[expected]) expect((await readEntries()) ?? []).toEqual(all.slice(0, expected));
    }
  });

  // Every byte of it, with the export: test/long/recording-truncation.test.ts.
  test.each([VOICE, MUSIC, JOURNAL_FILE])("%s is verified and repaired to a whole one", async (file) => {
    for (const size of around(boundaries(bytesOf(file)), bytesOf(file).length)) {
      await writeFiles(directory, whole);
      await truncate(join(directory, file), size);
      const before = await verifyRecording(directory);
      expect(before.verdict).not.toBe("whole");
      await repair();
      const after = await verifyRecording(directory);
      expect([size, after.verdict, codes(after)]).toEqual([size, "whole", []]);
      expect(packets(after, file)).toBe(packets(before, file));
      // A second time there is nothing to do.
      expect(await repair()).toEqual([]);
    }
  });
});

/** Sizes at every fourth boundary and around it, below the whole. */
function around(starts: readonly number[], length: number): number[] {
  const sizes = [0, 5, ...starts.filter((_, index) => index % 4 === 1).flatMap((at) => [at - 1, at, at + 8])];
  return [...new Set(sizes)].filter((size) => size < length);
}

// More of them, with the export: test/long/recording-truncation.test.ts.
test("a flipped bit anywhere: readers stop there, a repair brings back all but that record", async () => {
  const starts = boundaries(bytesOf(VOICE));
  for (let at = 0; at < bytesOf(VOICE).length; at += 43) {
    // A version that is not ours yet is another story.
    if (at >= 8 && at < 10) continue;
    await writeFiles(directory, whole);
    const bytes = Buffer.from(bytesOf(VOICE));
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    await writeFile(join(directory, VOICE), bytes);
    const report = await verifyRecording(directory);
    expect(report.verdict).toBe("damaged");
    await repair();
    expect(await verifyRecording(directory)).toMatchObject({ verdict: "whole" });
    const records = (await readTrack(join(directory, VOICE))) ?? [];
    const inRecord = starts.findLastIndex((start) => start <= at);
    // Header 0, epoch 1, then packets, the sender's clock and the end, which is made anew.
    const isPacket = inRecord >= 2 && inRecord < 2 + SMALL_PACKETS;
    const left = records.filter(({ type }) => type === "packet").length;
    expect([at, left]).toEqual([at, SMALL_PACKETS - (isPacket ? 1 : 0)]);
  }
});

test("what is in a packet cannot pass for what was recorded, but behind damage, and there as a packet only", async () => {
  const first = boundaries(bytesOf(VOICE))[3] ?? 0;
  // Random bytes in the place of a packet, among them lengths that lead nowhere.
  for (let round = 0; round < 20; round++) {
    const bytes = Buffer.from(bytesOf(VOICE));
    for (let i = 0; i < 24; i++) bytes[first + i] = (round * 37 + i * i * 11) & 255;
    await writeFile(join(directory, VOICE), bytes);
    const before = await verifyRecording(directory);
    expect(packets(before, VOICE)).toBe(SMALL_PACKETS - 1);
    expect(codes(before)).toEqual(["hole"]);
  }
});

describe("as file systems leave it after a power loss", () => {
  test("zeros at the end are cut", async () => {
    await appendFile(join(directory, VOICE), Buffer.alloc(9_000));
    await truncate(join(directory, JOURNAL_FILE), bytesOf(JOURNAL_FILE).length - 30);
    await appendFile(join(directory, JOURNAL_FILE), Buffer.alloc(4_096));
    const report = await verifyRecording(directory);
    expect(report.problems).toEqual([
      expect.objectContaining({ code: "torn", file: JOURNAL_FILE }),
      { code: "no_end", mend: "repair" },
      { code: "torn", file: VOICE, bytes: 9_000, why: "zeros", mend: "repair" },
    ]);
    await repair();
    expect(await verifyRecording(directory)).toMatchObject({ verdict: "whole" });
    expect((await readFile(join(directory, VOICE))).equals(bytesOf(VOICE))).toBe(true);
  });

  test("zeros in the middle cost what was there, and nothing behind them", async () => {
    const bytes = Buffer.from(bytesOf(VOICE));
    const [, , , from = 0, , to = 0] = boundaries(bytes);
    bytes.fill(0, from, to);
    await writeFile(join(directory, VOICE), bytes);
    expect((await verifyRecording(directory)).problems).toEqual([
      { code: "hole", file: VOICE, from, bytes: to - from, why: "zeros", mend: "repair" },
    ]);
    expect(await repair()).toEqual([
      { what: "joined", file: VOICE, lostBytes: to - from, records: expect.any(Number) },
    ]);
    const after = await verifyRecording(directory);
    expect([after.verdict, packets(after, VOICE), after.repairedBytes]).toEqual([
      "whole",
      SMALL_PACKETS - 2,
      to - from,
    ]);
  });

  test.each([
    ["empty", Buffer.alloc(0)],
    ["all zeros", Buffer.alloc(8_192)],
  ])("a track that is %s is removed", async (_, bytes) => {
    await writeFile(join(directory, VOICE), bytes);
    expect(codes(await verifyRecording(directory))).toEqual(["unreadable"]);
    expect(await repair()).toEqual([{ what: "removed", file: VOICE }]);
    expect(await verifyRecording(directory)).toMatchObject({ verdict: "whole" });
  });

  test("a track of something else stays, and is told", async () => {
    await writeFile(join(directory, VOICE), "x".repeat(500));
    expect(codes(await verifyRecording(directory))).toEqual(["unreadable"]);
    expect(await repair()).toEqual([]);
    expect((await readFile(join(directory, VOICE), "utf8")).length).toBe(500);
  });
});

describe("a journal", () => {
  test.each([
    ["that is not there", null],
    ["that is empty", Buffer.alloc(0)],
    ["of garbage", Buffer.from("not what it should be")],
  ])("%s is made anew of what the tracks tell", async (_, bytes) => {
    if (bytes === null) await rm(join(directory, JOURNAL_FILE));
    else await writeFile(join(directory, JOURNAL_FILE), bytes);
    expect(await verifyRecording(directory)).toMatchObject({ verdict: "damaged", startedAt: null });
    expect(await repair()).toContainEqual({ what: "ended" });
    const { start, entries } = await readJournal(directory);
    expect(start).toMatchObject({ recording: "r1", roomId: "unknown", wallMs: START_WALL_MS });
    expect(entries.map(({ kind }) => kind)).toEqual(["start", "track", "track", "stop", "repaired"]);
    expect(await verifyRecording(directory)).toMatchObject({ verdict: "whole", durationMs: 200 });
  });

  test("without its beginning keeps what it has, and gets the room that the index knows", async () => {
    const bytes = bytesOf(JOURNAL_FILE);
    const [from = 0] = boundaries(bytes);
    const damaged = Buffer.from(bytes);
    damaged[from + 20] = 0;
    await writeFile(join(directory, JOURNAL_FILE), damaged);
    expect(codes(await verifyRecording(directory))).toEqual(["hole", "no_start"]);
    const known = { roomId: "!room:test", startedWallMs: START_WALL_MS };
    await repairRecording(directory, { known, keepDamaged: false, wallMs: 1 });
    const { start, entries } = await readJournal(directory);
    expect(start).toMatchObject({ roomId: "!room:test" });
    expect(entries.map(({ kind }) => kind)).toEqual([
      ...["start", "joined", "track", "note", "track", "stop", "repaired"],
    ]);
    expect(entries.at(-2)?.atMs).toBe(start.atMs + 300);
  });

  test("of a bot that was killed gets an end where the last sound was", async () => {
    await truncate(join(directory, JOURNAL_FILE), boundaries(bytesOf(JOURNAL_FILE))[5] ?? 0);
    expect(await verifyRecording(directory)).toMatchObject({
      state: "cut off",
      problems: [{ code: "no_end", mend: "repair" }],
    });
    expect(await verifyRecording(directory, { running: true })).toMatchObject({
      state: "recording",
      verdict: "whole",
    });
    expect(await repair()).toEqual([{ what: "ended" }]);
    expect(await verifyRecording(directory)).toMatchObject({ verdict: "whole", durationMs: 200 });
  });
});

test("what a later version wrote is refused with a sentence, and not touched", async () => {
  const bytes = Buffer.from(bytesOf(VOICE));
  bytes.writeUInt16LE(2, 8);
  await writeFile(join(directory, VOICE), bytes);
  expect(await verifyRecording(directory)).toMatchObject({
    verdict: "newer",
    problems: [{ code: "newer_version", file: VOICE, version: 2 }],
  });
  await expect(repair()).rejects.toThrow(/voice-001\.mvt of r1 has format version 2.*later matrix-voice-bot/);
  await expect(TrackReader.open(join(directory, VOICE))).rejects.toThrow("format version 2, known is 1");
  expect((await readFile(join(directory, VOICE))).equals(bytes)).toBe(true);
});

test("a folder with nothing in it is told to be lost, and stays", async () => {
  for (const name of await readdir(directory)) await truncate(join(directory, name), 3);
  expect(await verifyRecording(directory)).toMatchObject({ verdict: "lost" });
  await expect(repair()).rejects.toMatchObject({ code: "recording_damaged" });
  expect(await readdir(directory)).toHaveLength(3);
});

test("files that the journal names and that are gone are told, unless somebody had them erased", async () => {
  await rm(join(directory, VOICE));
  expect((await verifyRecording(directory)).problems).toEqual([
    { code: "track_missing", file: VOICE, mend: null },
  ]);
});

test("copies of what is changed are kept if that is asked for", async () => {
  await truncate(join(directory, VOICE), 400);
  await repairRecording(directory, { known: null, keepDamaged: true, wallMs: START_WALL_MS });
  const [when = ""] = await readdir(join(directory, "damaged"));
  expect((await readFile(join(directory, "damaged", when, VOICE))).length).toBe(400);
});
