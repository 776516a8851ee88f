import { appendFile, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { AppendFile } from "../../../src/media/tracks/append-file.ts";
import { encodeRecord, RECORD_HEADER_BYTES } from "../../../src/media/tracks/framing.ts";
import { encodeEnd, encodeGap, encodePacket, encodeSenderClock } from "../../../src/media/tracks/format.ts";
import type { TrackRecord } from "../../../src/media/tracks/format.ts";
import { RecordReader, TrackReader } from "../../../src/media/tracks/reader.ts";
import { Recording } from "../../../src/media/tracks/recording.ts";
import type { RecordingEvents } from "../../../src/media/tracks/recording.ts";
import type { ReceivedOpus } from "../../../src/media/engine/engine.ts";
import { FakeClock } from "../../fakes/clock.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "tracks-"));
});
afterEach(() => rm(directory, { recursive: true }));

const packet = (sequence: number, change: Partial<ReceivedOpus> = {}): ReceivedOpus => ({
  kind: "opus",
  payload: Uint8Array.from({ length: 40 + (sequence % 60) }, (_, i) => (sequence + i) & 255),
  ssrc: 0xdeadbeef,
  sequence,
  timestamp: (sequence * 960) >>> 0,
  marker: sequence === 0,
  arrivalMs: 5000.125 + sequence * 20,
  levelDbov: sequence % 3 === 0 ? null : 0 - (sequence % 128),
  ...change,
});

function fieldsOf(received: ReceivedOpus): Omit<ReceivedOpus, "kind"> {
  const { kind: _, ...fields } = received;
  return fields;
}

async function readAll(file: string): Promise<{ records: TrackRecord[]; reader: TrackReader }> {
  const reader = await TrackReader.open(file);
  const records: TrackRecord[] = [];
  for await (const record of reader.records())
    records.push(record.type === "packet" ? { ...record, payload: Uint8Array.from(record.payload) } : record);
  return { records, reader };
}

async function record(
  clock: FakeClock,
  events: Partial<RecordingEvents> = {},
  into = directory,
): Promise<Recording> {
  return Recording.open({
    recording: "r1",
    directory: into,
    engine: { name: "test", hasClock: true },
    clock,
    speakers: ["a", "b", "../../evil name"],
    events: { onTrack() {}, onFailed() {}, ...events },
  });
}

describe("a recording", () => {
  test("makes no music of the silence that follows a track which ended before it", async () => {
    const tracks: unknown[] = [];
    const recording = await record(new FakeClock(), { onTrack: (track) => tracks.push(track) });
    const frame = { payload: Uint8Array.of(1), timestamp: 0, marker: false, atMs: 0 };
    recording.music({ ...frame, sounds: false });
    expect(tracks).toEqual([]);
    recording.music({ ...frame, sounds: true });
    expect(tracks).toHaveLength(1);
    await recording.close();
  });

  test("gives back every packet, clock and level as they came, a file for each speaker", async () => {
    const clock = new FakeClock(5000);
    const tracks: unknown[] = [];
    const recording = await record(clock, { onTrack: (track) => tracks.push(track) });
    for (let i = 0; i < 300; i++) recording.packet("../../evil name", packet(i));
    recording.senderClock("../../evil name", {
      ssrc: 1,
      ntpMs: 1_700_000_000_123.5,
      timestamp: 96_000,
      arrivalMs: 5100,
    });
    recording.senderClock("nobody", { ssrc: 1, ntpMs: 1, timestamp: 1, arrivalMs: 1 });
    recording.packet("b", packet(65_535, { timestamp: 2 ** 32 - 1 }));
    for (let i = 0; i < 3; i++)
      recording.music({
        payload: Uint8Array.of(1, 2, i),
        timestamp: i * 960,
        marker: i === 0,
        atMs: 6000 + i * 20,
        sounds: i < 2,
      });
    await recording.close();
    expect(tracks).toEqual([
      { speaker: "../../evil name", file: "voice-001.mvt", what: "voice" },
      { speaker: "b", file: "voice-002.mvt", what: "voice" },
      { speaker: "music", file: "music-001.mvt", what: "music" },
    ]);

    const first = await readAll(path.join(directory, "voice-001.mvt"));
    expect(first.reader.header).toEqual({
      recording: "r1",
      speaker: "../../evil name",
      what: "voice",
      codec: "opus",
      clockRate: 48_000,
      engine: "test",
      hasClock: true,
    });
    expect(first.reader.end).toMatchObject({ tornBytes: 0, closedInOrder: true });
    const packets = first.records.filter((found) => found.type === "packet");
    expect(packets).toEqual(
      Array.from({ length: 300 }, (_, i) => ({ type: "packet", ...fieldsOf(packet(i)) })),
    );
    expect(first.records[0]).toMatchObject({ type: "epoch", monotonicMs: 5000, wallMs: 1_700_000_000_000 });
    expect(first.records.at(-2)).toEqual({
      type: "senderClock",
      ssrc: 1,
      ntpMs: 1_700_000_000_123.5,
      timestamp: 96_000,
      arrivalMs: 5100,
    });
    const second = await readAll(path.join(directory, "voice-002.mvt"));
    expect(second.records.find((found) => found.type === "packet")).toMatchObject({
      sequence: 65_535,
      timestamp: 2 ** 32 - 1,
    });
    const music = await readAll(path.join(directory, "music-001.mvt"));
    expect(music.records.filter((found) => found.type === "packet").map((found) => found.sequence)).toEqual([
      0, 1, 2,
    ]);
  });

  test("is on the disk after a second, without being closed", async () => {
    const clock = new FakeClock(0);
    const recording = await record(clock);
    recording.packet("a", packet(1));
    clock.tick(1000);
    const file = path.join(directory, "voice-001.mvt");
    let found: TrackRecord[] = [];
    for (let i = 0; i < 200 && found.length < 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      found = await readAll(file).then(
        ({ records }) => records,
        () => [],
      );
    }
    expect(found.map((entry) => entry.type)).toEqual(["epoch", "packet"]);
    await recording.close();
    expect(clock.pending).toBe(0);
  });

  test("goes on in new files after a crash", async () => {
    await writeFile(path.join(directory, "voice-007.mvt"), "torn");
    await writeFile(path.join(directory, "journal.mvj"), "");
    const recording = await record(new FakeClock());
    recording.packet("a", packet(1));
    await recording.close();
    expect((await readdir(directory)).sort()).toEqual(["journal.mvj", "voice-007.mvt", "voice-008.mvt"]);
  });

  test("tells once when it cannot write", async () => {
    const failures: string[] = [];
    const clock = new FakeClock(0);
    const recording = await record(clock, { onFailed: (detail) => failures.push(detail) });
    await rm(directory, { recursive: true });
    recording.packet("a", packet(1));
    recording.packet("b", packet(1));
    clock.tick(1000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await recording.close();
    await recording.close();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain("ENOENT");
    await writeFile((directory = await mkdtemp(path.join(tmpdir(), "tracks-"))) + "/x", "");
  });
});

describe("a torn file", () => {
  test("is believed up to the last whole record, wherever it was cut", async () => {
    const whole = path.join(directory, "whole");
    const file = await AppendFile.create(whole, "track");
    const recording = await record(new FakeClock());
    recording.packet("a", packet(1));
    recording.packet("a", packet(2));
    await recording.close();
    await file.close();
    const bytes = await readFile(path.join(directory, "voice-001.mvt"));
    const full = await readAll(path.join(directory, "voice-001.mvt"));
    const cut = path.join(directory, "cut");
    let most = 0;
    for (let size = 260; size < bytes.length; size++) {
      await writeFile(cut, bytes.subarray(0, size));
      const { records, reader } = await readAll(cut);
      expect(records).toEqual(full.records.slice(0, records.length));
      expect(reader.end!.validBytes + reader.end!.tornBytes).toBe(size);
      expect(reader.end!.closedInOrder).toBe(false);
      most = Math.max(most, records.length);
    }
    expect(most).toBe(full.records.length - 1);
  });

  test("is not believed behind a flipped bit or zeros that a crash left", async () => {
    const name = path.join(directory, "t");
    const file = await AppendFile.create(name, "journal");
    for (let i = 0; i < 10; i++) file.append(encodeRecord(1, Uint8Array.of(i)));
    await file.close();
    const bytes = await readFile(name);
    const size = RECORD_HEADER_BYTES + 1;
    bytes[12 + 4 * size + 9]! ^= 1;
    await writeFile(name, bytes);
    const reader = await RecordReader.open(name, "journal");
    const seen: number[] = [];
    for await (const found of reader.records()) seen.push(found.payload[0]!);
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(reader.end).toEqual({ validBytes: 12 + 4 * size, tornBytes: 6 * size });

    await truncate(name, 12 + 4 * size);
    await appendFile(name, Buffer.alloc(4096));
    const zeros = await RecordReader.open(name, "journal");
    let count = 0;
    for await (const _found of zeros.records()) count++;
    expect(count).toBe(4);
    expect(zeros.end!.tornBytes).toBe(4096);
  });

  test("can be gone on with behind its last whole record", async () => {
    const name = path.join(directory, "t");
    const file = await AppendFile.create(name, "journal");
    file.append(encodeRecord(1, Uint8Array.of(1)));
    await file.close();
    await appendFile(name, "garbage of a torn write");
    const before = await RecordReader.open(name, "journal");
    for await (const _found of before.records());
    const again = await AppendFile.reopen(name, before.end!.validBytes);
    again.append(encodeRecord(1, Uint8Array.of(2)));
    await again.close();
    const after = await RecordReader.open(name, "journal");
    const seen: number[] = [];
    for await (const found of after.records()) seen.push(found.payload[0]!);
    expect(seen).toEqual([1, 2]);
    expect(after.end!.tornBytes).toBe(0);
  });

  test.each(["", "short", "x".repeat(100)])("that is none of ours (%j) is refused", async (text) => {
    const name = path.join(directory, "t");
    await writeFile(name, text);
    await expect(TrackReader.open(name)).rejects.toMatchObject({ code: "recording_damaged" });
  });
});

describe("AppendFile", () => {
  test("takes no more than its limit while the disk is busy", async () => {
    const file = await AppendFile.create(path.join(directory, "t"), "track", 1000);
    const one = encodeRecord(9, new Uint8Array(91));
    let taken = 0;
    while (file.append(one)) taken++;
    expect(taken).toBe(9);
    await file.flush();
    expect(file.append(one)).toBe(true);
    await file.close();
    expect(file.append(one)).toBe(false);
  });

  test("does not overwrite", async () => {
    const name = path.join(directory, "t");
    await writeFile(name, "x");
    await expect(AppendFile.create(name, "track")).rejects.toThrow("EEXIST");
  });
});

test("large files are read in pieces, in order", async () => {
  const name = path.join(directory, "t");
  const file = await AppendFile.create(name, "journal", 64 * 1024 * 1024);
  for (let i = 0; i < 3000; i++) file.append(encodeRecord(2, new Uint8Array(300).fill(i & 255)));
  file.append(encodeRecord(3, new Uint8Array(900_000).fill(7)));
  await file.close();
  const reader = await RecordReader.open(name, "journal");
  let i = 0;
  for await (const found of reader.records()) {
    if (found.type === 2) expect(found.payload[299]).toBe(i++ & 255);
    else expect(found.payload).toHaveLength(900_000);
  }
  expect(i).toBe(3000);
  expect(reader.end!.tornBytes).toBe(0);
});

test("records of one format are told apart from damage by their length", () => {
  expect(encodePacket(fieldsOf(packet(7)))).toHaveLength(RECORD_HEADER_BYTES + 20 + packet(7).payload.length);
  expect(encodeEnd(1)).toHaveLength(RECORD_HEADER_BYTES + 8);
  expect(encodeGap({ fromMs: 1, toMs: 2, packets: 3, reason: "slow_disk" })).toHaveLength(
    RECORD_HEADER_BYTES + 21,
  );
  expect(encodeSenderClock({ arrivalMs: 1, ntpMs: 2, ssrc: 3, timestamp: 4 })).toHaveLength(
    RECORD_HEADER_BYTES + 24,
  );
});
