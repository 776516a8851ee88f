import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { silentLog, type Log, type LogEvent } from "../../../src/base/log.ts";
import { SCHEMA_VERSION } from "../../../src/store/migrations.ts";
import { Store } from "../../../src/store/store.ts";
import { FakeClock } from "../../fakes/clock.ts";

let dataDir: string;
let logged: LogEvent[];
const clock = new FakeClock();
const note = (event: LogEvent): void => void logged.push(event);
const log: Log = { ...silentLog, warn: note, error: note };
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-store-"));
  logged = [];
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));
const open = (): Store => Store.open({ dataDir, clock, log });

test("keeps documents of rooms and which channels were wanted over a restart", () => {
  const schema = z.object({ x: z.number() });
  const first = open();
  first.room("!a:b").write("queue", { x: 1 });
  first.room("!a:b").write("queue", { x: 2 });
  first.setChannelWanted("!a:b", true);
  first.setChannelWanted("!c:d", true);
  first.setChannelWanted("!c:d", false);
  first.close();
  first.close();
  const second = open();
  expect(second.room("!a:b").read("queue", schema)).toEqual({ x: 2 });
  expect(second.room("!other:b").read("queue", schema)).toBeNull();
  expect(second.roomsWithChannelWanted()).toEqual(["!a:b"]);
  second.forgetRoom("!a:b");
  expect(second.channelWanted("!a:b")).toBe(false);
  second.close();
});

test("who refused to be recorded for good did so also when the bot is thrown out, and in the room that follows", () => {
  const schema = z.object({ standing: z.record(z.string(), z.boolean()) });
  const store = open();
  store.room("!old:b").write("consent", { standing: { ann: false, bob: false } });
  store.room("!old:b").write("queue", {});
  store.forgetRoom("!old:b");
  expect(store.room("!old:b").has("queue")).toBe(false);
  store.room("!new:b").write("consent", { standing: { bob: true, cat: false } });
  store.moveRoom("!old:b", "!new:b");
  const { standing } = store.room("!new:b").read("consent", schema)!;
  expect(standing).toEqual({ ann: false, bob: true, cat: false });
  store.close();
});

test("a document that does not match its schema is as if it were not there", () => {
  const store = open();
  store.room("!a:b").write("queue", { x: "two" });
  expect(store.room("!a:b").read("queue", z.object({ x: z.number() }))).toBeNull();
  expect(logged).toEqual(["store_damaged"]);
  store.close();
});

test("keeps an index of recordings, newest first", () => {
  const store = open();
  const row = {
    id: "r1",
    roomId: "!a:b",
    state: "recording",
    startedWallMs: 1,
    durationMs: null,
    tracks: null,
  } as const;
  store.recordings.put(row);
  store.recordings.put({ ...row, id: "r2", startedWallMs: 2 });
  store.recordings.put({ ...row, state: "delivered", durationMs: 5_000.4, tracks: 2 });
  expect(store.recordings.get("r1")).toMatchObject({ state: "delivered", durationMs: 5_000, tracks: 2 });
  expect(store.recordings.ofRoom("!a:b").map(({ id }) => id)).toEqual(["r2", "r1"]);
  store.close();
});

test.each([
  ["garbage", Buffer.from("this was a database once".repeat(100))],
  ["half a header", Buffer.from("SQLite for")],
])("a damaged file (%s) is set aside whole, told, and a fresh one used", async (_, bytes) => {
  await writeFile(join(dataDir, "bot.db"), bytes);
  const store = open();
  store.setChannelWanted("!a:b", true);
  store.close();
  expect(logged).toEqual(["store_damaged"]);
  const aside = (await readdir(dataDir)).find((name) => name.startsWith("bot.db.damaged-"));
  expect(await readFile(join(dataDir, aside ?? ""))).toEqual(bytes);
});

/** Turns what a bot has left into something else, as `change` does. */
async function damage(change: (bytes: Buffer) => Buffer | void): Promise<void> {
  const store = open();
  for (let index = 0; index < 50; index++) store.room(`!${index}:b`).write("x", "y".repeat(2_000));
  store.close();
  const path = join(dataDir, "bot.db");
  const bytes = await readFile(path);
  await writeFile(path, change(bytes) ?? bytes);
}

// Offsets of https://www.sqlite.org/fileformat2.html, section 1.3.
test.each<[string, (bytes: Buffer) => Buffer | void]>([
  ["its version negative, as no program writes it", (bytes) => void (bytes[60] = 0x94)],
  ["its version lost, so that it seems to be from before the first", (bytes) => void bytes.fill(0, 60, 64)],
  ["its version an older one", (bytes) => void bytes.writeInt32BE(1, 60)],
  ["for a later SQLite to write", (bytes) => void (bytes[18] = 173)],
  ["a table by another name", (bytes) => void bytes.write("doors", bytes.indexOf("rooms", 100))],
  ["cut off in its last page", (bytes) => bytes.subarray(0, bytes.length - 4_000)],
  ["cut off by many", (bytes) => bytes.subarray(0, 4_096 * 3)],
  ["empty", () => Buffer.alloc(0)],
])("a file that is %s is set aside, and a fresh one serves", async (_, change) => {
  await damage(change);
  const store = open();
  expect([store.isReplaced, logged]).toEqual([true, ["store_damaged"]]);
  store.room("!1:b").write("x", 1);
  expect(store.room("!1:b").read("x", z.number())).toBe(1);
  expect(store.recordings.all()).toEqual([]);
  store.close();
});

test("a file that is gone from beside its log is missed", async () => {
  await writeFile(join(dataDir, "bot.db-wal"), "what was written last".repeat(100));
  const store = open();
  expect([store.isReplaced, logged]).toEqual([true, ["store_damaged"]]);
  store.close();
  expect((await readdir(dataDir)).some((name) => /^bot\.db\.damaged-.*-wal$/.test(name))).toBe(true);
});

test("who refused to be recorded has not agreed by the loss of the file; a room that is new has nothing to lose", async () => {
  await writeFile(join(dataDir, "bot.db"), "this was a database once".repeat(100));
  const store = open();
  expect(store.isReplaced).toBe(true);
  store.known("!old:b");
  store.room("!fresh:b").write("consent", { standing: {} });
  store.known("!fresh:b");
  const schema = z.object({ standing: z.object({}) });
  expect([store.room("!old:b").has("consent"), store.room("!old:b").read("consent", schema)]).toEqual([
    true,
    null,
  ]);
  expect(store.room("!fresh:b").read("consent", schema)).toEqual({ standing: {} });
  store.close();
  const again = open();
  again.known("!other:b");
  expect([again.isReplaced, again.room("!other:b").has("consent")]).toEqual([false, false]);
  again.close();
});

test("what a newer version left behind when it was killed is refused, and all there for it afterwards", async () => {
  const live = await mkdtemp(join(tmpdir(), "voicebot-newer-"));
  try {
    const newer = new DatabaseSync(join(live, "bot.db"));
    newer.exec(`PRAGMA journal_mode = WAL; PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    newer.exec("CREATE TABLE things (name TEXT) STRICT; INSERT INTO things VALUES ('kept')");
    // As a kill leaves it: nothing of it is in the file itself yet.
    for (const suffix of ["", "-wal"])
      await writeFile(join(dataDir, `bot.db${suffix}`), await readFile(join(live, `bot.db${suffix}`)));
    newer.close();
    for (let i = 0; i < 2; i++) expect(open).toThrow(expect.objectContaining({ code: "store_too_new" }));
    const after = new DatabaseSync(join(dataDir, "bot.db"));
    expect(after.prepare("SELECT name FROM things").all()).toEqual([{ name: "kept" }]);
    expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: SCHEMA_VERSION + 1 });
    after.close();
    expect(logged).toEqual([]);
  } finally {
    await rm(live, { recursive: true, force: true });
  }
});

test("damage in the middle of the file is noticed at start", async () => {
  const store = open();
  for (let index = 0; index < 500; index++) store.room(`!${index}:b`).write("x", "y".repeat(200));
  store.close();
  const bytes = await readFile(join(dataDir, "bot.db"));
  bytes.fill(0xa5, 4096 * 3, 4096 * 8);
  await writeFile(join(dataDir, "bot.db"), bytes);
  open().close();
  expect(logged).toEqual(["store_damaged"]);
});

test("a file of a newer version is refused and left as it is", async () => {
  open().close();
  const database = new DatabaseSync(join(dataDir, "bot.db"));
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  database.close();
  const before = await readFile(join(dataDir, "bot.db"));
  expect(open).toThrow(expect.objectContaining({ code: "store_too_new" }));
  expect(await readFile(join(dataDir, "bot.db"))).toEqual(before);
  expect(logged).toEqual([]);
});

test("what is set aside is kept under another name, the latest of each, and in its own room", () => {
  const store = open();
  const [room, other] = [store.room("!a:b"), store.room("!c:d")];
  for (const each of [room, other]) each.write("queue", "nonsense");
  room.setAside("queue");
  expect([room.has("queue"), other.has("queue")]).toEqual([false, true]);
  expect(room.read("queue.damaged", z.string())).toBe("nonsense");
  room.setAside("queue");
  room.write("queue", "other nonsense");
  room.setAside("queue");
  expect(room.read("queue.damaged", z.string())).toBe("other nonsense");
  store.close();
  room.setAside("queue");
});
