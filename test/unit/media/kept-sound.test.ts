import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import v8 from "node:v8";
import vm from "node:vm";
import type { ReceivedOpus, ReceivedPcm } from "../../../src/media/engine/engine.ts";
import { KeptSound } from "../../../src/media/kept-sound.ts";
import type { PlaneEvent } from "../../../src/media/messages.ts";
import type { TrackRecord } from "../../../src/media/tracks/format.ts";
import { TrackReader } from "../../../src/media/tracks/reader.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { aPlaneContext } from "../../fakes/plane-context.ts";

let directory: string;
let clock: FakeClock;
let events: PlaneEvent[];
let roundTrips: [string, number][];
let kept: KeptSound;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "kept-"));
  clock = new FakeClock();
  events = [];
  roundTrips = [];
  const context = aPlaneContext({ clock, emit: (event) => events.push(event) });
  kept = new KeptSound("room", context, () => roundTrips);
});
afterEach(async () => {
  await kept.close();
  if (clock.pending > 0) throw new Error("a timer was left behind");
  await rm(directory, { recursive: true, force: true });
});

const SECRET = Buffer.from("what nobody may keep");
let sequence = 0;
const opus = (more: Partial<ReceivedOpus> = {}): ReceivedOpus => ({
  ...{ kind: "opus", payload: SECRET, ssrc: 7, sequence: sequence++ & 0xffff, timestamp: sequence * 960 },
  ...{ marker: false, arrivalMs: clock.now(), levelDbov: -20, ...more },
});
const pcm = (index: number): ReceivedPcm => ({
  ...{ kind: "pcm", samples: new Int16Array(480).fill(1_000), channels: 1, sampleRate: 48_000 },
  ...{ timestamp: index * 480, arrivalMs: clock.now() },
});
const start = (speakers: string[]): Promise<void> => kept.start({ recording: "r", directory, speakers });
const files = async (): Promise<string[]> => (await readdir(directory)).toSorted();
async function recordsOf(file: string): Promise<TrackRecord[]> {
  const reader = await TrackReader.open(path.join(directory, file));
  const records: TrackRecord[] = [];
  for await (const record of reader.records()) records.push(record);
  return records;
}
const packetsOf = async (file: string): Promise<number> =>
  (await recordsOf(file)).filter(({ type }) => type === "packet").length;
async function onDisk(): Promise<boolean> {
  const all = await Promise.all((await files()).map((name) => readFile(path.join(directory, name))));
  return all.some((bytes) => bytes.includes(SECRET));
}
/** Lets real files do their work: what the clock's timers have begun. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

test("of who is not on the list nothing is written, from the very packet on; who comes back goes on in another file", async () => {
  await start(["ann"]);
  kept.audio("bob", opus());
  kept.senderClock("bob", { ssrc: 7, ntpMs: 1, timestamp: 1, arrivalMs: 1 });
  kept.audio("ann", opus());
  await kept.allow(["bob"]);
  kept.audio("ann", opus());
  kept.senderClock("ann", { ssrc: 7, ntpMs: 1, timestamp: 1, arrivalMs: 1 });
  kept.audio("bob", opus());
  await kept.allow(["bob", "ann"]);
  kept.audio("ann", opus());
  await kept.stop();
  expect(await files()).toEqual(["voice-001.mvt", "voice-002.mvt", "voice-003.mvt"]);
  expect((await recordsOf("voice-001.mvt")).map(({ type }) => type)).toEqual([...["epoch", "packet", "end"]]);
  for (const file of ["voice-002.mvt", "voice-003.mvt"]) expect(await packetsOf(file)).toBe(1);
  expect(events.map((event) => event.kind === "record.track" && event.speaker)).toEqual([
    ...["ann", "bob", "ann"],
  ]);
});

test("an engine of PCM: who drops off the list in mid-frame leaves not even that frame", async () => {
  await start(["ann"]);
  for (let i = 0; i < 5; i++) kept.audio("ann", pcm(i)); // two frames of 20 ms and a half
  await kept.allow([]);
  for (let i = 5; i < 9; i++) kept.audio("ann", pcm(i));
  kept.audio("bob", pcm(0));
  await kept.allow(["ann"]);
  for (let i = 9; i < 12; i++) kept.audio("ann", pcm(i)); // one, and what is there of the next
  await kept.stop();
  expect(await files()).toEqual(["voice-001.mvt", "voice-002.mvt"]);
  const times = async (file: string): Promise<number[]> =>
    (await recordsOf(file)).flatMap((record) => (record.type === "packet" ? [record.timestamp / 480] : []));
  expect(await times("voice-001.mvt")).toEqual([0, 2]);
  expect(await times("voice-002.mvt")).toEqual([9, 11]);
});

test("a key that changes hands: the half frame of who had it is in nobody's file", async () => {
  await start(["key"]);
  for (let i = 0; i < 3; i++) kept.audio("key", pcm(i)); // a frame and a half
  await kept.allow([]);
  await kept.allow(["key"]);
  for (let i = 3; i < 7; i++) kept.audio("key", pcm(i));
  await kept.stop();
  const times = (await recordsOf("voice-002.mvt")).flatMap((record) =>
    record.type === "packet" ? [record.timestamp / 480] : [],
  );
  expect(times).toEqual([3, 5]);
});

test.each(["before the file is there", "while it waits for the disk", "once it is on the disk"])(
  "who is erased %s is nowhere, and the number is never used again",
  async (when) => {
    await start(["ann", "bob"]);
    kept.audio("bob", opus({ payload: Uint8Array.of(1, 2, 3) }));
    kept.audio("ann", opus());
    if (when !== "before the file is there") clock.tick(1_000);
    if (when === "once it is on the disk") {
      await settle();
      expect(await onDisk()).toBe(true);
      kept.audio("ann", opus());
    }
    const erased = kept.erase("ann");
    kept.audio("ann", opus());
    expect(await erased).toEqual(["voice-002.mvt"]);
    expect(await onDisk()).toBe(false);
    clock.tick(1_000);
    await settle();
    expect(await onDisk()).toBe(false);
    await kept.stop();
    expect(await files()).toEqual(["voice-001.mvt", "voice-002.erased"]);
    expect(await packetsOf("voice-001.mvt")).toBe(1);

    // As after a pause, or in another process.
    await start(["ann"]);
    kept.audio("ann", opus());
    await kept.stop();
    expect(await files()).toEqual(["voice-001.mvt", "voice-002.erased", "voice-003.mvt"]);
    expect(events.map((event) => event.kind === "record.track" && event.file)).toEqual([
      ...["voice-001.mvt", "voice-002.mvt", "voice-003.mvt"],
    ]);
  },
);

test("a list that comes while the recording starts is not lost", async () => {
  const starting = start([]);
  const allowing = kept.allow(["ann"]);
  await Promise.all([starting, allowing]);
  kept.audio("ann", opus());
  await kept.stop();
  expect(await files()).toEqual(["voice-001.mvt"]);
  await expect(kept.allow(["ann"])).rejects.toMatchObject({ code: "not_found" });
});

test("the round trip is noted every five seconds while it is known, of those who are recorded", async () => {
  await start(["ann", "bob"]);
  kept.audio("ann", opus({ ssrc: 4_000_000_000 }));
  kept.audio("bob", opus());
  roundTrips = [
    ["ann", 40.5],
    ["carol", 3],
  ];
  for (let second = 1; second <= 11; second++) {
    clock.tick(1_000);
    await settle();
    if (second === 7) roundTrips = [["ann", 62]];
  }
  await kept.stop();
  expect((await recordsOf("voice-001.mvt")).filter(({ type }) => type === "path")).toEqual([
    { type: "path", atMs: 6_000, ssrc: 4_000_000_000, roundTripMs: 40.5 },
    { type: "path", atMs: 11_000, ssrc: 4_000_000_000, roundTripMs: 62 },
  ]);
  expect((await recordsOf("voice-002.mvt")).filter(({ type }) => type === "path")).toEqual([]);
});

test("a clip of a PCM engine is encoded once for it and the recording, and goes on when that stops", async () => {
  kept.keepClip(["ann"], 10);
  await start(["ann"]);
  for (let i = 0; i < 4; i++) kept.audio("ann", pcm(i));
  await kept.stop();
  for (let i = 4; i < 8; i++) kept.audio("ann", pcm(i));
  expect(await packetsOf("voice-001.mvt")).toBe(2);
  const written = await kept.writeClip({ recording: "c", directory, seconds: 10 });
  expect(written).toEqual([{ speaker: "ann", file: "voice-002.mvt", what: "voice", hasClock: false }]);
  expect(await packetsOf("voice-002.mvt")).toBe(4);
  await expect(
    kept.writeClip({ recording: "c", directory: path.join(directory, "gone"), seconds: 10 }),
  ).rejects.toMatchObject({ code: "internal" });
});

test("voices that go on take no more memory than their first seconds did", async () => {
  v8.setFlagsFromString("--expose-gc");
  const gc = vm.runInNewContext("gc") as () => void;
  const speakers = Array.from({ length: 9 }, (_, i) => `speaker ${i}`);
  await start(speakers);
  kept.keepClip(speakers, 5);
  const held = async (seconds: number): Promise<number> => {
    for (let at = 0; at < seconds; at++) {
      for (let frame = 0; frame < 50; frame++) for (const speaker of speakers) kept.audio(speaker, opus());
      clock.tick(1_000);
      while (clock.pending < 2) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    gc();
    return process.memoryUsage().arrayBuffers;
  };
  const before = await held(8);
  expect((await held(30)) - before).toBeLessThan(300_000);
  await kept.stop();
});
