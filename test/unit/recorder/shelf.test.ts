import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import { RecordingArchive } from "../../../src/recorder/archive.ts";
import { RedactionWatch, type EventState } from "../../../src/recorder/shelf/redactions.ts";
import { keptDays, planRetention } from "../../../src/recorder/shelf/retention-plan.ts";
import { Retention } from "../../../src/recorder/shelf/retention.ts";
import { RecordingShelf } from "../../../src/recorder/shelf/shelf.ts";
import type { RecordingRow } from "../../../src/store/recordings.ts";
import { Store } from "../../../src/store/store.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeDelivery } from "../../fakes/delivery.ts";
import { over, tone, writeJournal, writeTrack } from "../../support/recording.ts";

const DAY = 86_400_000;
const track = (file: string, what: "voice" | "mix", userId: string | null) => ({
  ...{ file, what, title: file, userId, bytes: 3, durationMs: 1_000 },
});
const TRACKS = [
  track("ann.ogg", "voice", "@ann:test"),
  track("bob.ogg", "voice", "@bob:test"),
  track("mix.ogg", "mix", null),
];

let dataDir: string;
let clock: FakeClock;
let store: Store;
let room: FakeDelivery;
let archive: RecordingArchive;
let shelf: RecordingShelf;
let watch: RedactionWatch;
let redacted: Set<string>;
let reads: string[];
let told: Sentence[];
let removed: string[] | null;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-shelf-"));
  clock = new FakeClock();
  store = Store.open({ dataDir, clock, log: silentLog });
  room = new FakeDelivery();
  redacted = new Set();
  [reads, told, removed] = [[], [], null];
  await begin();
});
afterEach(async () => {
  await end();
  store.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** A start of the program. */
async function begin(): Promise<void> {
  const index = store.recordings;
  archive = new RecordingArchive({
    ...{ dataDir, clock, log: silentLog, index, prefix: "!", room: () => room },
    exporter: { export: () => Promise.reject(new Error("no")), split: () => Promise.reject(new Error("no")) },
    onDelivered: (id, read) => watch.learn(id, read),
  });
  shelf = new RecordingShelf({ archive, index, log: silentLog });
  watch = new RedactionWatch({
    ...{ shelf, clock, log: silentLog },
    readEvent: (_, eventId): Promise<EventState> => {
      reads.push(eventId);
      return Promise.resolve(
        redacted.has(eventId) ? { state: "redacted", by: "@mod:test" } : { state: "there" },
      );
    },
    removeMedia: (mxc) => Promise.resolve(removed === null ? false : removed.push(mxc) > 0),
    say: (_, sentence) => Promise.resolve(told.push(sentence)),
  });
  await archive.recover();
}
async function end(): Promise<void> {
  await watch.close();
  await archive.close();
}

async function delivered(id = "r1"): Promise<void> {
  const directory = archive.directoryOf(id);
  await writeJournal(
    directory,
    [
      { kind: "joined", key: "phone@ann:test", userId: "@ann:test", name: "Ann", atMs: 0 },
      { kind: "joined", key: "phone@bob:test", userId: "@bob:test", name: "Bob", atMs: 0 },
      { kind: "track", speaker: "phone@ann:test", file: "voice-001.mvt", what: "voice", atMs: 1 },
      { kind: "track", speaker: "phone@bob:test", file: "voice-002.mvt", what: "voice", atMs: 2 },
      { kind: "exported", durationMs: 1_000, tracks: TRACKS, atMs: 1_000 },
    ],
    { recording: id },
  );
  const packets = over(tone({ hz: 440, fromMs: 0, lengthMs: 40 }), { ssrc: 1 });
  await writeTrack(directory, "voice-001.mvt", { speaker: "phone@ann:test" }, packets);
  await writeTrack(directory, "voice-002.mvt", { speaker: "phone@bob:test" }, packets);
  await mkdir(join(directory, "export"));
  for (const { file } of TRACKS) await writeFile(join(directory, "export", file), "ogg");
  await archive.finish(id);
}
const files = async (): Promise<string[]> =>
  (await readdir(join(dataDir, "recordings"), { recursive: true }))
    .filter((name) => /\.(ogg|mvt)$/.test(name))
    .sort();
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await clock.advance(1_000);
  }
  await watch.idle();
}

test("removing one track from the room deletes it here, with what it was made of", async () => {
  await delivered();
  redacted.add(room.eventOf("ann.ogg")!);
  watch.redaction(room.eventOf("ann.ogg")!);
  await settle();
  expect(await files()).toEqual(
    ["export/bob.ogg", "export/mix.ogg", "journal.mvt", "voice-002.mvt"].map((file) => `r1/${file}`),
  );
  expect(told).toEqual([{ key: "recordings.redacted_tracks_some", params: { names: "ann.ogg" } }]);
  expect(store.recordings.get("r1")).toMatchObject({ tracks: 2, state: "delivered" });
});

test("removing the summary, or one after the other all tracks, deletes everything", async () => {
  removed = [];
  await delivered("r1");
  await delivered("r2");
  const summary = room.eventOf("record.delivered")!;
  redacted.add(summary);
  watch.redaction(summary);
  await settle();
  expect(await files()).toEqual(expect.not.arrayContaining([expect.stringContaining("r2/")]));
  expect(told).toEqual([{ key: "recordings.redacted_all_gone" }]);
  expect(removed).toHaveLength(3);
});

test("several at once are told at once; the last one takes the rest with it", async () => {
  await delivered();
  for (const { file } of TRACKS) {
    redacted.add(room.eventOf(file)!);
    watch.redaction(room.eventOf(file)!);
  }
  await settle();
  expect(await files()).toEqual([]);
  expect(told).toHaveLength(1);
});

test("a redaction that the homeserver does not let count, or of something else, does nothing", async () => {
  await delivered();
  watch.redaction(room.eventOf("ann.ogg")!);
  watch.redaction("$other");
  await settle();
  expect(reads).toEqual([room.eventOf("ann.ogg")]);
  expect(await files()).toHaveLength(6);
  expect(told).toEqual([]);
});

test("what was removed while the bot was away is noticed at start, by reading each event again, spread", async () => {
  await delivered();
  await end();
  redacted.add(room.eventOf("bob.ogg")!);
  await begin();
  watch.missed(null);
  await settle();
  expect(reads).toHaveLength(TRACKS.length + 1);
  expect(await files()).toEqual(
    ["export/ann.ogg", "export/mix.ogg", "journal.mvt", "voice-001.mvt"].map((file) => `r1/${file}`),
  );
  // After a gap in the sync only that room's are read.
  reads = [];
  watch.missed("!other:test");
  await settle();
  expect(reads).toEqual([]);
  watch.missed("!room:test");
  await settle();
  expect(reads).toHaveLength(TRACKS.length);
});

test("a message that has been sent anew since may go", async () => {
  await delivered();
  const first = room.eventOf("ann.ogg")!;
  await shelf.resend(store.recordings.get("r1")!, "@ann:test");
  await archive.finish("r1");
  expect(room.eventOf("ann.ogg")).not.toBe(first);
  redacted.add(first);
  watch.redaction(first);
  await settle();
  expect(await files()).toHaveLength(6);
});

test("the index is made anew from the folders when it is lost", async () => {
  await delivered();
  const before = store.recordings.get("r1");
  await end();
  store.close();
  for (const name of await readdir(dataDir)) if (name.startsWith("bot.db")) await rm(join(dataDir, name));
  store = Store.open({ dataDir, clock, log: silentLog });
  await begin();
  expect(store.recordings.get("r1")).toEqual(before);
});

const row = (id: string, ageDays: number, more: Partial<RecordingRow> = {}): RecordingRow => ({
  ...{ id, roomId: "!room:test", state: "delivered", startedWallMs: -ageDays * DAY, durationMs: 1 },
  ...{ tracks: 1, number: 1, title: null, byUserId: null, bytes: 10, keep: false, deleteWallMs: null },
  endedWallMs: -ageDays * DAY,
  ...more,
});
const plan = (
  rows: RecordingRow[],
  limits: { keepDays: number; maxBytes: number },
  { roomDays = 0, canTell = true } = {},
): { told: string[]; gone: string[] } => {
  const { foretell, remove } = planRetention(
    rows,
    0,
    limits,
    () => roomDays,
    () => canTell,
  );
  return { told: foretell.map((each) => each.row.id), gone: remove.map(({ id }) => id) };
};

test("retention: told the day before, deleted when that day is over, exempt when kept", () => {
  const limits = { keepDays: 30, maxBytes: 1_000 };
  expect(plan([row("a", 28), row("b", 29.5), row("c", 40)], limits)).toEqual({ told: ["b", "c"], gone: [] });
  expect(plan([row("a", 40, { deleteWallMs: -1 }), row("b", 40, { deleteWallMs: 1 })], limits)).toEqual({
    told: [],
    gone: ["a"],
  });
  expect(plan([row("a", 40, { keep: true }), row("b", 40, { state: "recording" })], limits)).toEqual({
    told: [],
    gone: [],
  });
  // Nobody is there to be told: what was delivered may go, what was not stays.
  const unsent = row("b", 40, { state: "exported" });
  expect(plan([row("a", 40), unsent], limits, { canTell: false })).toEqual({ told: [], gone: ["a"] });
  expect(plan([unsent], limits)).toEqual({ told: ["b"], gone: [] });
});

test("retention by size: the oldest delivered ones first", () => {
  const rows = [row("a", 9, { state: "failed" }), row("b", 8), row("c", 7), row("d", 6)];
  expect(plan(rows, { keepDays: 0, maxBytes: 25 }).told).toEqual(["b", "c"]);
  expect(plan(rows, { keepDays: 0, maxBytes: 5 }).told.toSorted()).toEqual(["a", "b", "c", "d"]);
  expect(plan(rows, { keepDays: 0, maxBytes: 40 }).told).toEqual([]);
});

test("a room may have it shorter than the operator, not longer", () => {
  expect([keptDays(30, 0), keptDays(30, 7), keptDays(30, 90), keptDays(0, 7), keptDays(0, 0)]).toEqual([
    30, 7, 30, 7, 0,
  ]);
});

test("a round of retention tells each room once for all, and deletes a day later", async () => {
  await delivered("r1");
  await delivered("r2");
  const limits = { keepDays: 30, maxBytes: 1 };
  const retention = new Retention({
    ...{ limits, index: store.recordings, archive, shelf, room: () => room, prefix: "!", clock },
    log: silentLog,
  });
  await retention.run();
  await retention.run();
  const foretold = room.said.filter(({ key }) => key === "recordings.foretold");
  expect(foretold).toHaveLength(1);
  expect(String(foretold[0]?.params?.["list"]).split("\n")).toHaveLength(2);
  await shelf.keep(store.recordings.get("r2")!, true, "@ann:test");
  await clock.advance(DAY + 1);
  await retention.run();
  expect(store.recordings.ofRoom("!room:test").map(({ id }) => id)).toEqual(["r2"]);
  expect(await readdir(join(dataDir, "recordings"))).toEqual(["r2"]);
  await retention.close();
});
