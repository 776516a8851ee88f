import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ClipRing } from "../../../src/media/tracks/clip-ring.ts";
import type { TrackRecord } from "../../../src/media/tracks/format.ts";
import { TrackReader } from "../../../src/media/tracks/reader.ts";
import { FakeClock } from "../../fakes/clock.ts";

const engine = { name: "test", hasClock: true };
let directory: string;
let clock: FakeClock;
let rings: ClipRing[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "clip-"));
  clock = new FakeClock(100_000);
});
afterEach(async () => {
  for (const each of rings) each.close();
  if (clock.pending > 0) throw new Error("a timer was left behind");
  if (rings.some(({ bytes }) => bytes > 0)) throw new Error("memory was left behind");
  rings = [];
  await rm(directory, { recursive: true, force: true });
});

function ringOf(more: Partial<ConstructorParameters<typeof ClipRing>[0]> = {}): ClipRing {
  const ring = new ClipRing({ engine, clock, ...more });
  rings.push(ring);
  return ring;
}

/** Everybody says a packet of `bytes` each 20 ms for so long. */
function speak(ring: ClipRing, speakers: readonly string[], seconds: number, bytes = 100): void {
  for (let frame = 0; frame < seconds * 50; frame++) {
    for (const speaker of speakers)
      ring.packet(speaker, {
        ...{ kind: "opus", payload: new Uint8Array(bytes).fill(speaker.charCodeAt(0)), ssrc: 9 },
        ...{ sequence: frame & 0xffff, timestamp: frame * 960, marker: false, levelDbov: -30 },
        arrivalMs: clock.now(),
      });
    clock.tick(20);
  }
}

async function readClip(file: string): Promise<{ reader: TrackReader; records: TrackRecord[] }> {
  const reader = await TrackReader.open(path.join(directory, file));
  const records: TrackRecord[] = [];
  for await (const record of reader.records())
    records.push(record.type === "packet" ? { ...record, payload: Uint8Array.from(record.payload) } : record);
  return { reader, records };
}

test("a clip has the packets of the last seconds as they came, with clocks and round trips, as a file of a recording", async () => {
  const ring = ringOf({ roundTrips: () => [["ann", 48]] });
  ring.keep(["ann", "bob"], 60);
  speak(ring, ["ann"], 20);
  ring.senderClock("ann", { ssrc: 9, ntpMs: 5, timestamp: 6, arrivalMs: clock.now() });
  ring.senderClock("nobody", { ssrc: 9, ntpMs: 5, timestamp: 6, arrivalMs: clock.now() });
  speak(ring, ["ann"], 10);
  const files = await ring.write("clip", directory, 15);
  expect(files).toEqual([{ speaker: "ann", file: "voice-001.mvt", what: "voice" }]);
  const { reader, records } = await readClip("voice-001.mvt");
  expect(reader.header).toMatchObject({ recording: "clip", speaker: "ann", what: "voice", hasClock: true });
  expect(reader.end).toMatchObject({ tornBytes: 0, closedInOrder: true });
  expect(records[0]).toMatchObject({ type: "epoch", monotonicMs: clock.now(), wallMs: clock.wall() });
  const packets = records.filter((record) => record.type === "packet");
  expect(packets).toHaveLength(750);
  expect(packets[0]!.arrivalMs).toBe(clock.now() - 15_000);
  expect(packets.every(({ payload }) => payload.length === 100 && payload[0] === 97)).toBe(true);
  expect(records).toContainEqual({
    ...{ type: "senderClock", ssrc: 9, ntpMs: 5, timestamp: 6, arrivalMs: clock.now() - 10_000 },
  });
  const paths = records.filter((record) => record.type === "path");
  expect(paths).toHaveLength(3);
  expect(paths[0]).toMatchObject({ ssrc: 9, roundTripMs: 48 });
});

test("it keeps no longer than asked, also of somebody who has fallen silent", () => {
  const ring = ringOf();
  ring.keep(["ann", "bob"], 10);
  speak(ring, ["ann", "bob"], 40);
  // A second of 100 bytes each 20 ms is 6.5 kB of records, in chunks of twice 4 KiB.
  expect(ring.bytes).toBeLessThanOrEqual(2 * 13 * 8_192);
  speak(ring, ["bob"], 12);
  expect(ring.bytes).toBeLessThanOrEqual(13 * 8_192);
  clock.tick(12_000);
  expect(ring.bytes).toBe(0);
  expect(clock.pending).toBe(0);
});

test("memory is bounded whoever sends what: the longest voice gives first, and a flood is cut each second", () => {
  const ring = ringOf({ maxBytes: 1024 * 1024 });
  ring.keep(["ann", "bob", "mallory"], 120);
  speak(ring, ["ann"], 5);
  const honest = ring.bytes;
  speak(ring, ["mallory"], 10, 1_400);
  const flooded = (): number => ring.bytes - honest;
  expect(flooded()).toBeLessThanOrEqual(11 * 64 * 1024);
  speak(ring, ["mallory"], 60, 1_400);
  expect(ring.bytes).toBeLessThanOrEqual(1024 * 1024);
  for (let i = 0; i < 200_000; i++)
    ring.senderClock("mallory", { ssrc: i, ntpMs: i, timestamp: i, arrivalMs: clock.now() });
  expect(ring.bytes).toBeLessThanOrEqual(1024 * 1024);
  ring.keep(["ann"], 120);
  expect(ring.bytes).toBe(honest);
});

test("who drops off the list is forgotten at once, also while a clip is being written", async () => {
  let onWrite = (): void => undefined;
  // The name is asked for when a file is being made.
  const named = {
    hasClock: true,
    get name() {
      onWrite();
      return "test";
    },
  };
  const ring = ringOf({ engine: named });
  ring.keep(["ann", "bob"], 30);
  speak(ring, ["ann", "bob"], 3);
  const writing = ring.write("clip", directory, 30);
  ring.keep(["bob"], 30);
  expect(await writing).toEqual([{ speaker: "bob", file: "voice-001.mvt", what: "voice" }]);
  onWrite = () => ring.keep([], 30);
  expect(await ring.write("clip", directory, 30)).toEqual([]);
  onWrite = () => undefined;
  expect(await readdir(directory)).toEqual(["voice-001.mvt"]);
  ring.keep(["bob"], 30);
  expect(await ring.write("clip", directory, 30)).toEqual([]);
});

test("what cannot be written leaves no file", async () => {
  const ring = ringOf();
  ring.keep(["ann"], 30);
  speak(ring, ["ann"], 1);
  await expect(ring.write("clip", path.join(directory, "gone"), 30)).rejects.toThrow("ENOENT");
});
