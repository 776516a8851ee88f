// What a start does with the recording that the last run has left.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readBootId } from "../../../src/media/tracks/place.ts";
import { Journal, JOURNAL_FILE, readJournal } from "../../../src/recorder/journal.ts";
import { GOES_ON_WITHIN_MS } from "../../../src/recorder/stood.ts";
import { ann, bob, HOST, RecorderRig, ROOM } from "../../support/recorder-rig.ts";

let rig: RecorderRig;
const by = { userId: HOST };
beforeEach(async () => void (rig = await RecorderRig.open()));
afterEach(() => rig.close());

test("killed and started again it is the same recording: gap marked and told, nobody told twice", async () => {
  await rig.recorder.start(by, "Pilot");
  rig.come(ann, bob);
  rig.track("ann");
  rig.recorder.note("one", HOST);
  await rig.clock.advance(40_000);
  const before = rig.recorder.status();
  const told = rig.told.length;
  await rig.restart(20_000);
  expect(rig.recorder.status()).toEqual({ phase: "interrupted" });
  expect(await rig.recorder.goOn()).toBe(true);
  expect(await rig.recorder.goOn()).toBe(false);
  await rig.clock.advance(0);
  const after = rig.recorder.status();
  expect(after).toMatchObject({ phase: "recording", title: "Pilot", tracks: 1, paused: false });
  expect(after).toMatchObject({ id: before.phase === "recording" ? before.id : "" });
  expect(after).toMatchObject({ elapsedMs: 61_000 });
  expect(rig.told.slice(told)).toEqual([{ key: "record.reopened", params: { seconds: expect.any(Number) } }]);
  const seconds = Number(rig.told.at(-1)?.params?.["seconds"]);
  expect(seconds).toBeGreaterThanOrEqual(20);
  expect(seconds).toBeLessThanOrEqual(52);
  expect(rig.asked("record.start")).toEqual(["record.start ann,bob"]);
  expect(rig.consent.calls).toEqual(["began", "went on"]);
  await rig.recorder.stop("command", HOST);
  await rig.until(() => rig.finished.length === 1);
  expect(await rig.ids()).toHaveLength(1);
  const kinds = (await rig.kinds()).filter((kind) => !["level", "alive"].includes(kind));
  const firstRun = ["joined", "joined", "note", "notice", "notice", "start", "track"];
  expect(kinds.slice(0, 7).toSorted()).toEqual(firstRun);
  expect(kinds.slice(7, 10)).toEqual(["gap", "resumed", "stop"]);
  const times = (await rig.journal()).map(({ atMs }) => atMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test("who came while it was away is told, who left is noted, who had no notice yet gets it", async () => {
  rig.takesNotices = false;
  await rig.recorder.start(by);
  rig.takesNotices = true;
  rig.come(bob);
  await rig.restart(5_000);
  await rig.recorder.goOn();
  await rig.clock.advance(0);
  expect(rig.keys.slice(-2).toSorted()).toEqual(["record.reopened", "record.started"]);
  rig.come(bob, ann);
  await rig.flushed();
  const journal = await rig.journal();
  expect(journal.filter(({ kind }) => kind === "left")).toHaveLength(1);
  // Bob was told by what the room was told; Ann, who was there before that, too.
  expect(rig.keys.filter((key) => key === "consent.joined").length).toBeLessThanOrEqual(2);
});

test("started again and again it goes on again and again", async () => {
  await rig.recorder.start(by);
  for (let run = 0; run < 3; run++) {
    await rig.restart(10_000);
    expect(await rig.recorder.goOn()).toBe(true);
    await rig.flushed();
  }
  await rig.recorder.stop("left");
  const kinds = await rig.kinds();
  expect(kinds.filter((kind) => kind === "gap")).toHaveLength(3);
  expect(kinds.filter((kind) => kind === "resumed")).toHaveLength(3);
  expect(kinds.filter((kind) => kind === "stop")).toHaveLength(1);
  expect(rig.keys.filter((key) => key === "record.started")).toHaveLength(1);
});

test("a bot that is stopped in order goes on after the start too", async () => {
  await rig.recorder.start(by);
  await rig.recorder.close();
  await rig.recorder.close();
  expect((await rig.kinds()).at(-1)).toBe("gap");
  expect(rig.ends).toEqual([]);
  await rig.restart(30_000);
  expect(await rig.recorder.goOn()).toBe(true);
  await rig.clock.advance(0);
  expect(rig.told.at(-1)).toEqual({ key: "record.reopened", params: { seconds: 31 } });
});

test("paused it stays paused, and says so", async () => {
  await rig.recorder.start(by);
  await rig.clock.advance(5_000);
  await rig.recorder.pause(HOST);
  await rig.restart(60_000);
  await rig.recorder.goOn();
  await rig.clock.advance(0);
  expect(rig.recorder.status()).toMatchObject({ paused: true, elapsedMs: 5_000 });
  expect(rig.keys.at(-1)).toBe("record.reopened_paused");
  expect(rig.asked("record.start")).toEqual([]);
  rig.recorder.unpause(HOST);
  await rig.clock.advance(0);
  expect(rig.asked("record.start")).toEqual(["record.start ann"]);
  expect(await rig.kinds()).not.toContain("gap");
});

test("what nobody wrote to for long is kept alive by the journal, so that a later kill still finds it fresh", async () => {
  await rig.recorder.start(by);
  await rig.clock.advance(3_600_000);
  await rig.restart(10_000);
  expect(rig.recorder.status()).toEqual({ phase: "interrupted" });
});

test("a quarter of an hour later it ends as it is and is delivered, and the next one is another", async () => {
  await rig.recorder.start(by);
  await rig.restart(GOES_ON_WITHIN_MS);
  expect(rig.recorder.status().phase).not.toBe("interrupted");
  expect(await rig.recorder.goOn()).toBe(false);
  await rig.archive.recover();
  expect(rig.finished).toHaveLength(1);
  expect(await rig.kinds()).not.toContain("stop");
  await rig.recorder.start(by);
  expect(await rig.ids()).toHaveLength(2);
});

test("a bot that does not come back into the channel in that time lets go of it", async () => {
  await rig.recorder.start(by);
  await rig.restart(60_000);
  await rig.archive.recover();
  expect(rig.finished).toHaveLength(0);
  await rig.clock.advance(GOES_ON_WITHIN_MS);
  await rig.until(() => rig.finished.length === 1);
  expect(rig.recorder.status().phase).not.toBe("interrupted");
});

test("refused by the channel, or in a room that the bot has left, it ends and is delivered", async () => {
  await rig.recorder.start(by);
  await rig.restart(10_000);
  rig.archive.releaseOthers(new Set([ROOM]));
  expect(rig.archive.interrupted(ROOM)).toBe(true);
  rig.archive.releaseOthers(new Set());
  await rig.until(() => rig.finished.length === 1);
  expect(await rig.recorder.goOn()).toBe(false);
});

test("whoever says stop while it waits gets it as it is", async () => {
  await rig.recorder.start(by);
  await rig.restart(10_000);
  await rig.recorder.stop("command", HOST);
  await rig.until(() => rig.finished.length === 1);
  expect(await rig.recorder.goOn()).toBe(false);
  expect(rig.ends).toEqual([["command", HOST]]);
  await expect(rig.recorder.stop("command", HOST)).rejects.toMatchObject({ code: "not_recording" });
});

test("whoever says start while it waits goes on with it: never two of one room", async () => {
  await rig.recorder.start(by, "first");
  await rig.restart(10_000);
  await rig.recorder.start({ userId: ann.userId }, "second");
  expect(rig.recorder.status()).toMatchObject({ phase: "recording", title: "first" });
  await expect(rig.recorder.start(by)).rejects.toMatchObject({ code: "already_recording" });
  expect(await rig.ids()).toHaveLength(1);
});

test("killed before the media plane had it, it goes on and is announced", async () => {
  const directory = join(rig.dataDir, "recordings", "20260101-000000-aaaa");
  await mkdir(directory, { recursive: true });
  const journal = await Journal.create(directory, rig.clock, () => undefined);
  const start = { recording: "20260101-000000-aaaa", roomId: ROOM, byUserId: HOST, byName: "Host" };
  journal.add({ kind: "start", ...start, bootId: readBootId() });
  await journal.close();
  await rig.restart(1_000);
  expect(await rig.recorder.goOn()).toBe(true);
  await rig.clock.advance(0);
  expect(rig.keys).toContain("record.started");
});

test("killed at any byte of its journal it goes on, or is finished: once, in one piece", async () => {
  await rig.recorder.start(by);
  rig.come(ann, bob);
  rig.recorder.note("one", HOST);
  await rig.flushed();
  const [id = ""] = await rig.ids();
  const path = join(rig.dataDir, "recordings", id, JOURNAL_FILE);
  const whole = await readFile(path);
  for (let length = whole.length; length > 0; length = Math.floor(length * 0.8)) {
    await rig.restart(1_000);
    await writeFile(path, whole.subarray(0, length));
    await rig.start();
    const goesOn = await rig.recorder.goOn();
    const read = await readJournal(join(rig.dataDir, "recordings", id)).catch(() => null);
    expect(goesOn).toBe(read !== null);
    expect(await rig.ids()).toEqual([id]);
  }
});

test("after the machine was started again its times go on by the wall clock", async () => {
  await rig.recorder.start(by);
  await rig.clock.advance(30_000);
  await rig.flushed();
  const [id = ""] = await rig.ids();
  const directory = join(rig.dataDir, "recordings", id);
  const path = join(directory, JOURNAL_FILE);
  // The same journal, written in another run of the machine whose monotonic clock was 1,000 s further.
  const { entries } = await readJournal(directory);
  await rm(path);
  const far = { now: () => 0, wall: () => 0, timer: () => ({ cancel: () => undefined }) };
  const journal = await Journal.create(directory, far, () => undefined);
  for (const { atMs, wallMs, ...fact } of entries) {
    const moved = fact.kind === "start" ? { ...fact, bootId: "another" } : fact;
    journal.add(moved, { atMs: atMs + 1_000_000, wallMs });
  }
  await journal.close();
  await rig.restart(10_000);
  await rig.start();
  expect(await rig.recorder.goOn()).toBe(true);
  await rig.clock.advance(0);
  const elapsed = rig.recorder.status();
  expect(elapsed.phase === "recording" ? Math.round(elapsed.elapsedMs / 1000) : 0).toBe(42);
  await rig.recorder.stop("left");
  const times = (await rig.journal()).map(({ atMs }) => atMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times.at(-1)! - times[0]!).toBeCloseTo(42_000, -3);
});
