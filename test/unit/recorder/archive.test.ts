import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { RecordingArchive } from "../../../src/recorder/archive.ts";
import type { ExportOutcome, Exporter, Splitter } from "../../../src/recorder/exporter.ts";
import { exportRecording } from "../../../src/recorder/export/export.ts";
import { JOURNAL_FILE, readJournal } from "../../../src/recorder/journal.ts";
import { RecordingIndex } from "../../../src/store/recordings.ts";
import { Store } from "../../../src/store/store.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeDelivery } from "../../fakes/delivery.ts";
import { exportJob, over, tone, writeJournal, writeTrack } from "../../support/recording.ts";

let dataDir: string;
let clock: FakeClock;
let store: Store;
let room: FakeDelivery;
let exports: number;
const BYTES = 400_000;
const tracks = ["a.ogg", "b.ogg", "mix.ogg"].map((file) => ({
  ...{ file, what: "voice" as const, title: file, userId: null, bytes: BYTES, durationMs: 61_000 },
  ...{ mimeType: "audio/ogg", waveform: null },
}));
let outcome: ExportOutcome;
/** Parts of the size asked for; nothing is cut. */
const split: Splitter["split"] = (_, file, { maxBytes }) => {
  const count = Math.ceil(BYTES / maxBytes);
  const [stem, ending] = file.split(".");
  return Promise.resolve(
    Array.from({ length: count }, (_, index) => ({
      file: `${stem} (${index + 1} of ${count}).${ending}`,
      bytes: BYTES / count,
      fromMs: (index * 61_000) / count,
      durationMs: 61_000 / count,
    })),
  );
};
const exporter: Exporter & Splitter = { export: () => (exports++, Promise.resolve(outcome)), split };

const archiveOf = (with_: Exporter & Splitter = exporter): RecordingArchive =>
  new RecordingArchive({
    ...{ dataDir, clock, log: silentLog, index: store.recordings, exporter: with_, prefix: "!" },
    room: (roomId) => (roomId === "!room:test" ? room : null),
  });

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-archive-"));
  clock = new FakeClock();
  store = Store.open({ dataDir, clock, log: silentLog });
  room = new FakeDelivery();
  exports = 0;
  outcome = { durationMs: 61_000, tracks, documents: [], mixProblem: null };
  await writeJournal(join(dataDir, "recordings", "r1"), [
    { kind: "stop", reason: "command", byUserId: null, atMs: 61_000 },
  ]);
});
afterEach(async () => {
  store.close();
  await rm(dataDir, { recursive: true, force: true });
});

test("exports, sends each file, says the result, and never does it again", async () => {
  await archiveOf().finish("r1");
  expect(room.sent).toEqual(["a.ogg", "b.ogg", "mix.ogg"]);
  expect(room.said).toEqual([{ key: "record.delivered", params: { count: 3, length: "1:01" } }]);
  await archiveOf().recover();
  expect([exports, room.sent.length, room.said.length]).toEqual([1, 3, 1]);
  expect(store.recordings).toBeInstanceOf(RecordingIndex);
  expect(store.recordings.get("r1")).toMatchObject({ state: "delivered", tracks: 3 });
});

test("a file of a kind that cannot be cut stays, is told with its place, and does not stop the others", async () => {
  room.limit = BYTES - 1;
  const uncut: Splitter["split"] = (directory, file, options) =>
    file === "b.ogg"
      ? Promise.reject(new BotError("recording_damaged", "no"))
      : split(directory, file, options);
  await archiveOf({ ...exporter, split: uncut }).finish("r1");
  expect(room.sent).toEqual(["a (1 of 2).ogg", "a (2 of 2).ogg", "mix (1 of 2).ogg", "mix (2 of 2).ogg"]);
  expect(room.said[0]).toEqual({
    key: "record.too_large",
    params: { file: "b.ogg", path: "recordings/r1/export/b.ogg" },
  });
  expect(room.said[1]).toMatchObject({ params: { count: 4 } });
  await archiveOf().recover();
  expect(room.said).toHaveLength(2);
  expect(store.recordings.get("r1")).toMatchObject({ state: "failed" });
});

test("a passing failure is tried again, a lasting one is told", async () => {
  const busy = new BotError("homeserver", "502", { retryable: true });
  room.errors.set("a.ogg", [busy, busy]);
  room.errors.set("b.ogg", [new BotError("forbidden", "403")]);
  const work = archiveOf().finish("r1");
  for (let turn = 0; turn < 200 && room.said.length < 2; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    clock.tick(5_000);
  }
  await work;
  expect(room.sent).toEqual(["a.ogg", "mix.ogg"]);
  expect(room.said[0]).toMatchObject({ key: "record.undelivered", params: { reason: "forbidden" } });
});

test("an empty recording is said and sends nothing", async () => {
  outcome = { durationMs: 5_000, tracks: [], documents: [], mixProblem: null };
  await archiveOf().finish("r1");
  expect(room.sent).toEqual([]);
  expect(room.said).toEqual([{ key: "record.empty" }]);
  expect(await readdir(join(dataDir, "recordings"))).toEqual(["r1"]);
});

test("an export that fails is told once, and kept for the next start", async () => {
  const failing = { split, export: () => Promise.reject(new BotError("recording_damaged", "torn")) };
  await archiveOf(failing).recover();
  await archiveOf(failing).recover();
  expect(room.said).toEqual([{ key: "record.export_failed", params: { id: "r1", reason: "torn" } }]);
  await archiveOf().recover();
  expect(room.said.at(-1)?.key).toBe("record.recovered");
});

test("a kill at any point of export and delivery sends everything once", async () => {
  const directory = join(dataDir, "recordings", "r1");
  const journalPath = join(directory, JOURNAL_FILE);
  await archiveOf().finish("r1");
  const whole = await readFile(journalPath);
  const { validBytes } = await readJournal(directory);
  expect(validBytes).toBe(whole.length);
  // The homeserver keeps what it has; our journal goes back to every byte it ever ended at.
  for (let length = whole.length; length > 200; length -= 61) {
    await writeFile(journalPath, whole.subarray(0, length));
    await archiveOf().recover();
    const again = await readJournal(directory).catch(() => null);
    if (again) expect(again.entries.at(-1)?.kind).toBe("delivered");
  }
  expect(room.sent).toEqual(["a.ogg", "b.ogg", "mix.ogg"]);
});

test("a recording of a room that the bot has left is exported and waits", async () => {
  await writeJournal(join(dataDir, "recordings", "r2"), [], { recording: "r2", roomId: "!other:test" });
  await archiveOf().recover();
  expect(store.recordings.get("r2")).toMatchObject({ state: "exported" });
  expect(room.said).toHaveLength(1);
});

test("folders that are none of ours, and one without a readable journal, hold nothing up", async () => {
  await mkdir(join(dataDir, "recordings", "0broken"));
  await mkdir(join(dataDir, "recordings", "not a recording"));
  await writeFile(join(dataDir, "recordings", "0broken", JOURNAL_FILE), "x");
  await archiveOf().recover();
  expect(room.sent).toHaveLength(3);
});

test("a recording cut off at any byte is closed with what it has, tracks of one length", async () => {
  const source = join(dataDir, "source");
  await writeJournal(source, [{ kind: "joined", key: "ann", userId: "@ann:test", name: "Ann", atMs: 0 }]);
  await writeTrack(
    source,
    "voice-001.mvt",
    { speaker: "ann" },
    over(tone({ hz: 440, fromMs: 0, lengthMs: 600 }), { ssrc: 1 }),
  );
  const track = await readFile(join(source, "voice-001.mvt"));
  const results: number[] = [];
  for (let length = track.length - 1; length > 0; length = Math.floor(length * 0.6)) {
    const cut = await mkdtemp(join(dataDir, "cut-"));
    await copyFile(join(source, JOURNAL_FILE), join(cut, JOURNAL_FILE));
    await writeFile(join(cut, "voice-001.mvt"), track.subarray(0, length));
    // Without ffmpeg there is no mix; the tracks are there all the same.
    const job = exportJob(cut, { ffmpeg: join(dataDir, "no-such-program") });
    const result = await exportRecording(job, { clock, log: silentLog, onProgress: () => undefined });
    results.push(result.durationMs);
    expect(result.mixProblem === null).toBe(result.tracks.length === 0);
    expect(result.tracks.map(({ file }) => file)).toEqual(result.tracks.length > 0 ? ["Ann.ogg"] : []);
  }
  // The less there is the shorter it is, down to a track of nothing.
  expect(results).toEqual([...results].sort((a, b) => b - a));
  expect(results[0]).toBeGreaterThan(550);
});

test("what somebody has deleted does not leave any more: an export and what waits behind it begin anew, without them", async () => {
  const directory = join(dataDir, "recordings", "r2");
  await writeJournal(
    directory,
    [
      { kind: "joined", key: "ann", userId: "@ann:test", name: "Ann", atMs: 0 },
      { kind: "track", speaker: "ann", file: "voice-001.mvt", what: "voice", atMs: 1 },
      { kind: "stop", reason: "command", byUserId: null, atMs: 61_000 },
    ],
    { recording: "r2" },
  );
  const packets = over(tone({ hz: 440, fromMs: 0, lengthMs: 100 }), { ssrc: 1 });
  await writeTrack(directory, "voice-001.mvt", { speaker: "ann" }, packets);
  store.recordings.put({
    ...{
      id: "r2",
      roomId: "!room:test",
      state: "recorded",
      startedWallMs: 1,
      durationMs: null,
      tracks: null,
    },
  });
  /** With which tracks each export was made. */
  const made: string[][] = [];
  const archive = archiveOf({
    split,
    export: async (path, { signal }) => {
      made.push((await readdir(path)).filter((name) => /^voice-.*mvt$/.test(name)));
      if (path !== directory || made.length > 2) return outcome;
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new BotError("cancelled", "aborted")), { once: true }),
      );
    },
  });
  const finishing = archive.finish("r2");
  // Behind an export that takes long, deleting does not wait for it.
  const other = archive.finish("r1");
  for (let turn = 0; turn < 500 && made.length < 1; turn++) await new Promise((r) => setTimeout(r, 2));
  expect(made).toEqual([["voice-001.mvt"]]);
  expect(await archive.erase("!room:test", "@ann:test")).toEqual({ recordings: 1, files: 1, sent: 0 });
  await Promise.all([finishing, other]);
  for (let turn = 0; turn < 500 && made.length < 3; turn++) await new Promise((r) => setTimeout(r, 2));
  await archive.close();
  expect(made.filter((names) => names.includes("voice-001.mvt"))).toHaveLength(1);
  expect(made).toHaveLength(3);
  const { entries } = await readJournal(directory);
  expect(entries.map(({ kind }) => kind)).toContain("erased");
  expect(entries.findLast(({ kind }) => kind === "exported" || kind === "erased")?.kind).toBe("exported");
  expect(await archiveOf().erase("!room:test", "@bob:test")).toEqual({ recordings: 0, files: 0, sent: 0 });
});
