import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import { render } from "../../../src/base/messages/catalogue.ts";
import type { Invocation } from "../../../src/commands/command.ts";
import { recordingsCommand } from "../../../src/commands/recordings-command.ts";
import { RecordingArchive } from "../../../src/recorder/archive.ts";
import { RoomRecordings } from "../../../src/recorder/shelf/room-recordings.ts";
import { RecordingShelf } from "../../../src/recorder/shelf/shelf.ts";
import { Store } from "../../../src/store/store.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeDelivery } from "../../fakes/delivery.ts";
import { writeJournal } from "../../support/recording.ts";
import { rejection } from "../../support/rejection.ts";

const ANN = "@host:test";
const MODERATOR = "@mod:test";
const GUEST = "@guest:test";
const track = {
  ...{
    file: "a.ogg",
    what: "voice" as const,
    title: "a",
    userId: null,
    bytes: 2_000_000,
    durationMs: 61_000,
  },
};

let dataDir: string;
let clock: FakeClock;
let store: Store;
let room: FakeDelivery;
let archive: RecordingArchive;
let recordings: RoomRecordings;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-recordings-"));
  clock = new FakeClock();
  store = Store.open({ dataDir, clock, log: silentLog });
  room = new FakeDelivery();
  archive = new RecordingArchive({
    ...{ dataDir, clock, log: silentLog, index: store.recordings, prefix: "!", room: () => room },
    exporter: { export: () => Promise.reject(new Error("no")), split: () => Promise.reject(new Error("no")) },
  });
  const shelf = new RecordingShelf({ archive, index: store.recordings, log: silentLog });
  recordings = new RoomRecordings({ roomId: "!room:test", shelf, days: () => 30, clock });
  const exported = { kind: "exported" as const, durationMs: 61_000, tracks: [track], atMs: 62_000 };
  await writeJournal(join(dataDir, "recordings", "r1"), [exported]);
  await archive.recover();
});
afterEach(async () => {
  await archive.close();
  store.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function say(args: string, sender = ANN): Promise<string> {
  const context = {
    recordings,
    ...{ prefix: "!", language: "en", displayName: () => "Ann" },
    powerOf: (userId: string) => (userId === MODERATOR ? 50 : 0),
  };
  const invocation = { room: context, args, message: { sender } } as unknown as Invocation;
  const answer = await recordingsCommand.run(invocation);
  return answer === null ? "" : render(answer).text;
}

test("lists what there is: number, when, length, state, size, until when", async () => {
  expect(await say("")).toMatch(
    /^Recordings of this room:\n1 – – 2026-01-02 03:04 UTC, 1:01, in the room, \d+ kB, kept until \d{4}-\d\d-\d\d$/,
  );
  expect(await say("1")).toMatch(/Started by Ann, notes: 0, folder: r1\n– a\.ogg, 2 MB$/);
  expect(await rejection(say("2"))).toMatchObject({ say: { key: "recordings.unknown" } });
  expect(await rejection(say("burn 1"))).toMatchObject({ say: { key: "command.usage" } });
});

test("keep exempts, keep off takes that back; a guest may do neither", async () => {
  expect(await rejection(say("keep 1", GUEST))).toMatchObject({ say: { key: "recordings.not_yours" } });
  expect(await say("keep 1", MODERATOR)).toBe("Recording 1 stays until somebody deletes it.");
  expect(await say("")).toMatch(/, stays$/);
  expect(await say("keep 1 off")).toMatch(/^Recording 1 is kept until \d{4}-\d\d-\d\d again\.$/);
  expect(store.recordings.get("r1")).toMatchObject({ keep: false });
});

test("delete asks back once, and each time anew", async () => {
  expect(await say("delete 1")).toMatch(/^This deletes recording 1: \(2026-01-02 03:04 UTC, 1:01\)/);
  // Somebody else, or much later, is not the one who was asked.
  expect(await say("delete 1", MODERATOR)).toMatch(/^This deletes/);
  await clock.advance(180_000);
  expect(await say("delete 1", MODERATOR)).toMatch(/^This deletes/);
  expect(await say("delete 1", MODERATOR)).toBe(
    "Recording 1 is deleted here. What was sent stays in the room until somebody removes it there.",
  );
  expect(await say("")).toMatch(/^There are no recordings/);
  expect(await rejection(say("delete 1"))).toMatchObject({ code: "not_found" });
  // Its number is not given again.
  expect(store.recordings.nextNumber("!room:test")).toBe(2);
});

test("resend posts once more what the homeserver still has, and uploads what it has lost", async () => {
  expect(room.sent).toEqual(["a.ogg"]);
  expect(await say("resend 1")).toBe("I am sending recording 1 once more.");
  await archive.finish("r1");
  expect(room.sent).toEqual(["a.ogg", "a.ogg"]);
  expect(room.uploads).toEqual(["a.ogg"]);
  room.lost.add("mxc://test/1");
  await say("resend 1");
  await archive.finish("r1");
  expect(room.sent).toHaveLength(3);
  expect(room.uploads).toEqual(["a.ogg", "a.ogg"]);
  expect(room.said.map(({ key }) => key)).toEqual([
    "record.recovered",
    "record.delivered",
    "record.delivered",
  ]);
});
