import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import { RecordingArchive } from "../../../src/recorder/archive.ts";
import type { ExportOutcome } from "../../../src/recorder/exporter.ts";
import { readJournal } from "../../../src/recorder/journal.ts";
import type { RecordingLimits } from "../../../src/recorder/limits.ts";
import { RoomRecorder, type ChannelPerson } from "../../../src/recorder/recorder.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakePlane } from "../../fakes/plane.ts";

const ROOM = "!room:test";
const ann: ChannelPerson = { key: "ann", userId: "@ann:test", name: "Ann" };
const bob: ChannelPerson = { key: "bob", userId: "@bob:test", name: "Bob" };

let dataDir: string;
let clock: FakeClock;
let plane: FakePlane;
let told: Sentence[];
let finished: string[];
let present: ChannelPerson[];
let changed: () => void;
let free: number;
let recorder: RoomRecorder;
let archive: RecordingArchive;

async function build(limits: Partial<RecordingLimits> = {}): Promise<void> {
  const outcome: ExportOutcome = { durationMs: 0, tracks: [], mixProblem: null };
  archive = new RecordingArchive({
    ...{ dataDir, clock, log: silentLog, index: { put: () => undefined } },
    exporter: { export: (directory) => (finished.push(directory), Promise.resolve(outcome)) },
    room: () => null,
  });
  recorder = new RoomRecorder({
    ...{ roomId: ROOM, channel: ROOM, prefix: "!", plane, archive, clock, log: silentLog, limits },
    people: { list: () => present, onChange: (listener) => ((changed = listener), () => undefined) },
    displayName: (userId) => userId.slice(1, 4),
    tell: (sentence) => told.push(sentence),
    freeBytes: () => Promise.resolve(free),
  });
  await openChannel();
}
const openChannel = (): Promise<unknown> =>
  plane.request({
    kind: "channel.open",
    channel: ROOM,
    ice: { servers: [], allowPrivate: "auto" },
    bitrate: 128_000,
  });
const come = (...people: ChannelPerson[]): void => {
  present = people;
  changed();
};
const kinds = async (): Promise<string[]> => {
  const [id] = await readdir(join(dataDir, "recordings"));
  return (await readJournal(join(dataDir, "recordings", id ?? ""))).entries.map(({ kind }) => kind);
};
const keys = (): string[] => told.map(({ key }) => key);

/** Real files take real time, timers the fake clock's. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !condition(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await clock.advance(0);
  }
  if (!condition()) throw new Error("never came true");
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-recorder-"));
  clock = new FakeClock();
  plane = new FakePlane({ clock });
  told = [];
  finished = [];
  present = [ann];
  free = 1e12;
});
afterEach(async () => {
  await recorder.close();
  await archive.close();
  await plane.close();
  await rm(dataDir, { recursive: true, force: true });
});

test("start tells the room, stop tells it too and hands over to the export; the journal has it all", async () => {
  await build();
  await recorder.start("@host:test");
  expect(recorder.status()).toEqual({ phase: "recording", elapsedMs: 0, tracks: 0 });
  plane.emit({
    kind: "record.track",
    channel: ROOM,
    recording: recordingId(),
    speaker: "ann",
    file: "voice-001.mvt",
    what: "voice",
  });
  await clock.advance(90_000);
  expect(recorder.status()).toMatchObject({ elapsedMs: 90_000, tracks: 1 });
  await expect(recorder.start("@host:test")).rejects.toMatchObject({ code: "already_recording" });
  await recorder.stop("@host:test");
  await until(() => finished.length === 1);
  expect(told).toEqual([
    { key: "record.started", params: { by: "hos", prefix: "!" } },
    { key: "record.stopped", params: { length: "1:30" } },
  ]);
  expect(plane.requests.map(({ kind }) => kind)).toEqual(["channel.open", "record.start", "record.stop"]);
  expect(await kinds()).toEqual(["start", "notice", "joined", "track", "stop", "exported"]);
  await expect(recorder.stop(null)).rejects.toMatchObject({ code: "not_recording" });
});

function recordingId(): string {
  const start = plane.requests.find((request) => request.kind === "record.start");
  return start?.kind === "record.start" ? start.recording : "";
}

test("tracks that open while it starts are counted", async () => {
  plane = new FakePlane({ clock, latencyMs: 50 });
  const built = build();
  await clock.advance(50);
  await built;
  const work = recorder.start("@host:test");
  await until(() => recordingId() !== "");
  const file = { file: "voice-001.mvt", what: "voice" } as const;
  plane.emit({ kind: "record.track", channel: ROOM, recording: recordingId(), speaker: "ann", ...file });
  expect(recorder.status().phase).toBe("idle");
  await clock.advance(50);
  await work;
  expect(recorder.status()).toMatchObject({ phase: "recording", tracks: 1 });
  const closed = recorder.close();
  await clock.advance(50);
  await closed;
  expect(await kinds()).toContain("track");
});

test("who joins later is told by name, once; who was there knows already", async () => {
  await build();
  await recorder.start("@host:test");
  come(ann, bob);
  come(ann);
  come(ann, bob, { ...bob, key: "bob's phone" });
  expect(told.slice(1)).toEqual([{ key: "record.joined", params: { name: "Bob" } }]);
  await recorder.stop(null);
  come(ann, { key: "eve", userId: "@eve:test", name: "Eve" });
  expect(keys()).toEqual(["record.started", "record.joined", "record.stopped"]);
});

test("of a crowd the first is told at once, the others in one notice 10 s later", async () => {
  await build();
  await recorder.start("@host:test");
  const crowd = ["Bob", "Cem", "Dora", "Eve"].map((name) => ({ key: name, userId: `@${name}:test`, name }));
  for (let size = 1; size <= crowd.length; size++) come(ann, ...crowd.slice(0, size));
  const names = (): unknown[] => told.slice(1).map(({ params }) => params?.["name"]);
  expect(names()).toEqual(["Bob"]);
  await clock.advance(9999);
  expect(names()).toEqual(["Bob"]);
  await clock.advance(1);
  expect(names()).toEqual(["Bob", "Cem, Dora, Eve"]);
  await clock.advance(10_000);
  come(ann, ...crowd, { key: "f", userId: "@f:test", name: "Fay" });
  expect(names().at(-1)).toBe("Fay");
  await recorder.stop(null);
  expect((await kinds()).filter((kind) => kind === "notice")).toHaveLength(6);
  expect(clock.pending).toBe(0);
});

test("a key that changes hands is another person in the journal", async () => {
  await build();
  await recorder.start("@host:test");
  come({ ...bob, key: "ann" });
  await recorder.stop(null);
  expect((await kinds()).slice(0, 6)).toEqual(["start", "notice", "joined", "left", "joined", "notice"]);
});

test("a crash of the media child is a gap, and recording goes on in the same folder", async () => {
  await build();
  await recorder.start("@host:test");
  plane.crash();
  await clock.advance(2_000);
  plane.up();
  await clock.advance(700); // The channel is not there yet.
  await openChannel();
  await clock.advance(1_000);
  const starts = plane.requests.filter((request) => request.kind === "record.start");
  expect(new Set(starts.map((request) => request.directory)).size).toBe(1);
  expect(told.at(-1)).toEqual({ key: "record.gap", params: { seconds: 3 } });
  await recorder.stop(null);
  expect(await kinds()).toEqual(expect.arrayContaining(["gap", "resumed", "stop"]));
  expect((await kinds()).filter((kind) => kind === "gap")).toHaveLength(1);
});

const endings: [string, Partial<RecordingLimits>, () => void, number][] = [
  ["record.stopped_limit", { maxMs: 60_000 }, () => undefined, 61_000],
  ["record.stopped_alone", { aloneMs: 60_000 }, () => come(), 71_000],
  ["record.stopped_disk", {}, () => void (free = 1e6), 11_000],
];
test.each(endings)("ends by itself: %s", async (key, limits, happen, waitMs) => {
  await build({ ...limits, checkEveryMs: 5_000 });
  await recorder.start("@host:test");
  happen();
  await clock.advance(waitMs);
  await until(() => finished.length === 1);
  expect(told.at(-1)?.key).toBe(key);
  expect(recorder.status().phase).not.toBe("recording");
});

test("being alone for a while does not end it when somebody comes back", async () => {
  await build({ aloneMs: 60_000, checkEveryMs: 5_000 });
  await recorder.start("@host:test");
  come();
  await clock.advance(50_000);
  come(ann);
  come();
  await clock.advance(50_000);
  expect(recorder.status().phase).toBe("recording");
});

test("a disk that fails ends it and says why", async () => {
  await build();
  await recorder.start("@host:test");
  plane.emit({
    kind: "record.failed",
    channel: ROOM,
    recording: recordingId(),
    detail: "ENOSPC: no space left",
  });
  await until(() => finished.length === 1);
  expect(told.at(-1)).toEqual({ key: "record.stopped_failed", params: { reason: "ENOSPC: no space left" } });
});

test("without disk space, or without its channel, nothing begins and nothing is left", async () => {
  await build();
  free = 1e6;
  await expect(recorder.start("@host:test")).rejects.toMatchObject({ say: { key: "record.disk_low" } });
  free = 1e12;
  await plane.request({ kind: "channel.close", channel: ROOM });
  await expect(recorder.start("@host:test")).rejects.toMatchObject({ code: "not_found" });
  expect(await readdir(join(dataDir, "recordings"))).toEqual([]);
  expect(told).toEqual([]);
  await openChannel();
  await recorder.start("@host:test");
  expect(recorder.status().phase).toBe("recording");
});

test("closing closes the files and leaves export and delivery to the next start", async () => {
  await build();
  await recorder.start("@host:test");
  await recorder.close();
  await recorder.close();
  expect(finished).toEqual([]);
  expect((await kinds()).at(-1)).toBe("stop");
  await archive.recover();
  expect(finished).toHaveLength(1);
});
