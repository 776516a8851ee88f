import { ann, bob, HOST, RecorderRig, ROOM } from "../../support/recorder-rig.ts";
import type { RecordingLimits } from "../../../src/recorder/limits.ts";
import { FakePlane } from "../../fakes/plane.ts";

let rig: RecorderRig;
const by = { userId: HOST };
const open = async (limits: Partial<RecordingLimits> = {}): Promise<void> => {
  rig = await RecorderRig.open(limits);
};
afterEach(() => rig.close());

test("start tells the room, stop tells it too and hands over to the export; the journal has it all", async () => {
  await open();
  await rig.recorder.start(by, "Pilot");
  const { id } = rig.recorder.status() as { id: string };
  expect(rig.recorder.status()).toEqual({
    ...{ phase: "recording", id, title: "Pilot", automatic: false, paused: false },
    ...{ elapsedMs: 0, tracks: 0 },
  });
  rig.track("ann");
  await rig.clock.advance(20_000);
  expect(rig.recorder.status()).toMatchObject({ elapsedMs: 20_000, tracks: 1 });
  await expect(rig.recorder.start(by)).rejects.toMatchObject({ code: "already_recording" });
  await rig.recorder.stop("command", HOST);
  await rig.until(() => rig.finished.length === 1);
  expect(rig.told).toEqual([
    { key: "record.started_titled", params: { by: "hos", prefix: "!", title: "Pilot" } },
    { key: "record.stopped", params: { length: "0:20" } },
  ]);
  expect(rig.asked("record.start", "record.stop", "record.allow")).toEqual([
    "record.start ann",
    "record.stop",
  ]);
  const kinds = (await rig.kinds()).filter((kind) => kind !== "level");
  expect(kinds.slice(0, 5)).toEqual(["start", "joined", "notice", "track", "stop"]);
  expect(rig.statuses).toEqual(["recording", "idle"]);
  expect(rig.ends).toEqual([["command", HOST]]);
  expect(rig.consent.calls).toEqual(["began", "ended"]);
  await expect(rig.recorder.stop("left")).rejects.toMatchObject({ code: "not_recording" });
});

test.each([
  ["opt-out", {}, "record.started"],
  ["opt-in", {}, "record.started_opt_in"],
  ["opt-out", { automatic: { people: 3 } }, "record.started_auto"],
  ["opt-in", { automatic: { people: 3 } }, "record.started_auto_opt_in"],
] as const)("says what holds in a room of %s, begun by %j", async (mode, how, key) => {
  await open();
  rig.consent.mode = mode;
  await rig.recorder.start({ ...by, ...how });
  expect(rig.keys).toEqual([key]);
  expect(rig.recorder.status()).toMatchObject({ automatic: "automatic" in how });
  await rig.flushed();
  expect((await rig.journal())[0]).toMatchObject({ consent: mode, automatic: "automatic" in how });
  rig.come(ann, bob);
  expect(rig.keys.at(-1)).toBe(mode === "opt-in" ? "consent.joined_opt_in" : "consent.joined");
});

test("an automatic one that ends because all have left says so", async () => {
  await open();
  await rig.recorder.start({ ...by, automatic: { people: 2 } });
  await rig.recorder.stop("alone");
  expect(rig.keys.at(-1)).toBe("record.stopped_empty");
  expect(rig.ends).toEqual([["alone", null]]);
});

test("tracks that open while it starts are counted", async () => {
  await open();
  rig.plane = new FakePlane({ clock: rig.clock, latencyMs: 50 });
  const started = rig.start();
  await rig.until(() => rig.plane.requests.length > 0);
  await rig.clock.advance(50);
  await started;
  const work = rig.recorder.start(by);
  await rig.until(() => rig.recordingId !== "");
  rig.track("ann");
  expect(rig.recorder.status().phase).toBe("idle");
  await rig.clock.advance(50);
  await work;
  expect(rig.recorder.status()).toMatchObject({ phase: "recording", tracks: 1 });
  const closed = rig.recorder.close();
  await rig.clock.advance(50);
  await closed;
  expect(await rig.kinds()).toContain("track");
});

test("who joins later is told by name, once; who was there knows already", async () => {
  await open();
  await rig.recorder.start(by);
  rig.come(ann, bob);
  rig.come(ann);
  rig.come(ann, bob, { ...bob, key: "bob's phone" });
  expect(rig.told.slice(1)).toEqual([{ key: "consent.joined", params: { name: "Bob", prefix: "!" } }]);
  await rig.recorder.stop("left");
  rig.come(ann, { key: "eve", userId: "@eve:test", name: "Eve" });
  expect(rig.keys).toEqual(["record.started", "consent.joined", "record.stopped"]);
});

test("of a crowd the first is told at once, the others in one notice 10 s later", async () => {
  await open();
  await rig.recorder.start(by);
  const crowd = ["Bob", "Cem", "Dora", "Eve"].map((name) => ({ key: name, userId: `@${name}:test`, name }));
  for (let size = 1; size <= crowd.length; size++) rig.come(ann, ...crowd.slice(0, size));
  const names = (): unknown[] =>
    rig.told.filter(({ key }) => key === "consent.joined").map(({ params }) => params?.["name"]);
  expect(names()).toEqual(["Bob"]);
  await rig.clock.advance(9999);
  expect(names()).toEqual(["Bob"]);
  await rig.clock.advance(1);
  expect(names()).toEqual(["Bob", "Cem, Dora, Eve"]);
  await rig.clock.advance(10_000);
  rig.come(ann, ...crowd, { key: "f", userId: "@f:test", name: "Fay" });
  expect(names().at(-1)).toBe("Fay");
  await rig.flushed();
  await rig.recorder.stop("left");
  expect((await rig.kinds()).filter((kind) => kind === "notice")).toHaveLength(6);
  expect(rig.clock.pending).toBe(0);
});

test("a notice that the homeserver does not take is said until it does, and only then counts as said", async () => {
  await open();
  rig.takesNotices = false;
  await rig.recorder.start(by);
  rig.come(ann, bob);
  await rig.flushed();
  expect(await rig.kinds()).not.toContain("notice");
  rig.takesNotices = true;
  await rig.clock.advance(20_000);
  expect(rig.keys.filter((key) => key !== "record.silent")).toEqual(["record.started", "consent.joined"]);
  await rig.flushed();
  expect((await rig.kinds()).filter((kind) => kind === "notice")).toHaveLength(2);
});

test("only those are written who are there and agree; a refusal is with the plane before it is answered", async () => {
  await open();
  await rig.recorder.start(by);
  rig.come(ann, bob);
  await rig.consent.refuse(ann.userId);
  rig.come(bob);
  const asked = ["record.start ann", "record.allow ann,bob", "record.allow bob"];
  expect(rig.asked("record.start", "record.allow")).toEqual(asked);
});

test("who refuses while it starts is taken off at once, and what came meanwhile is erased", async () => {
  await open();
  rig.plane = new FakePlane({ clock: rig.clock, latencyMs: 50 });
  const started = rig.start();
  await rig.until(() => rig.plane.requests.length > 0);
  await rig.clock.advance(50);
  await started;
  const work = rig.recorder.start(by);
  await rig.until(() => rig.recordingId !== "");
  const refused = rig.consent.refuse(ann.userId);
  await rig.clock.advance(200);
  await Promise.all([work, refused]);
  expect(rig.asked("record.start", "record.allow", "record.erase")).toEqual([
    ...["record.start ann", "record.allow ", "record.erase"],
  ]);
  const closed = rig.recorder.close();
  await rig.clock.advance(50);
  await closed;
});

test("a key that changes hands is another person in the journal, and in the files", async () => {
  await open();
  await rig.recorder.start(by);
  await rig.flushed();
  rig.come({ ...bob, key: "ann" });
  expect(rig.asked("record.allow")).toEqual(["record.allow ", "record.allow ann"]);
  await rig.flushed();
  await rig.recorder.stop("left");
  expect((await rig.kinds()).slice(0, 6)).toEqual(["start", "joined", "notice", "left", "joined", "notice"]);
});

test("a list that the plane does not take stops the writing until it has it", async () => {
  await open();
  await rig.recorder.start(by);
  const { BotError } = await import("../../../src/base/errors.ts");
  rig.plane.failNext("record.allow", new BotError("timeout", "slow", { retryable: true }));
  await rig.consent.refuse(ann.userId);
  await rig.clock.advance(1_000);
  expect(rig.asked("record.start", "record.allow", "record.stop")).toEqual([
    ...["record.start ann", "record.allow ", "record.stop", "record.start "],
  ]);
  expect(rig.keys).toContain("record.gap");
});

test("a crash of the media child is a gap, and recording goes on in the same folder", async () => {
  await open();
  await rig.recorder.start(by);
  rig.plane.crash();
  await rig.clock.advance(2_000);
  rig.plane.up();
  await rig.clock.advance(700); // The channel is not there yet.
  await rig.openChannel();
  await rig.clock.advance(1_000);
  const starts = rig.plane.requests.filter((request) => request.kind === "record.start");
  expect(new Set(starts.map((request) => request.directory)).size).toBe(1);
  expect(rig.told.at(-1)).toEqual({ key: "record.gap", params: { seconds: 3 } });
  await rig.recorder.stop("left");
  expect(await rig.kinds()).toEqual(expect.arrayContaining(["gap", "resumed", "stop"]));
  expect((await rig.kinds()).filter((kind) => kind === "gap")).toHaveLength(1);
});

test("a channel that is closed on the plane and opened again is a gap too", async () => {
  await open();
  await rig.recorder.start(by);
  await rig.plane.request({ kind: "channel.close", channel: ROOM });
  rig.recorder.channelClosed();
  await rig.clock.advance(1_200);
  await rig.openChannel();
  await rig.clock.advance(500);
  expect(rig.keys).toContain("record.gap");
  expect(rig.asked("record.start").length).toBeGreaterThan(1);
});

const endings: [string, Partial<RecordingLimits>, () => void | Promise<void>, number][] = [
  ["record.stopped_limit", { maxMs: 60_000 }, () => undefined, 61_000],
  ["record.stopped_paused", { maxMs: 60_000 }, () => rig.recorder.pause(HOST), 61_000],
  ["record.stopped_alone", { aloneMs: 60_000 }, () => rig.come(), 71_000],
  ["record.stopped_disk", {}, () => void (rig.free = 1e6), 11_000],
];
test.each(endings)("ends by itself: %s", async (key, limits, happen, waitMs) => {
  await open({ ...limits, checkEveryMs: 5_000 });
  await rig.recorder.start(by);
  await happen();
  await rig.clock.advance(waitMs);
  await rig.until(() => rig.finished.length === 1);
  expect(rig.told.at(-1)?.key).toBe(key);
  expect(rig.recorder.status().phase).not.toBe("recording");
  expect(rig.ends).toHaveLength(1);
});

test("being alone for a while does not end it when somebody comes back", async () => {
  await open({ aloneMs: 60_000, checkEveryMs: 5_000 });
  await rig.recorder.start(by);
  rig.come();
  await rig.clock.advance(50_000);
  rig.come(ann);
  rig.come();
  await rig.clock.advance(50_000);
  expect(rig.recorder.status().phase).toBe("recording");
});

test("a pause writes nothing, and does not count; nobody is told of a crash in it", async () => {
  await open();
  await rig.recorder.start(by);
  await rig.clock.advance(10_000);
  await rig.recorder.pause(HOST);
  expect(rig.recorder.status()).toMatchObject({ phase: "recording", paused: true, elapsedMs: 10_000 });
  await expect(rig.recorder.pause(HOST)).rejects.toMatchObject({ say: { key: "record.paused_already" } });
  rig.come(ann, bob);
  rig.plane.crash();
  await rig.clock.advance(60_000);
  rig.plane.up();
  await rig.openChannel();
  rig.recorder.unpause(HOST);
  await rig.clock.advance(5_000);
  expect(rig.recorder.status()).toMatchObject({ paused: false, elapsedMs: 15_000 });
  expect(() => rig.recorder.unpause(HOST)).toThrow("not paused");
  expect(rig.asked("record.start", "record.stop", "record.allow")).toEqual([
    ...["record.start ann", "record.stop", "record.start ann,bob"],
  ]);
  expect(rig.keys).toEqual(["record.started", "record.paused", "consent.joined", "record.unpaused"]);
  await rig.recorder.stop("command", HOST);
  const kinds = (await rig.kinds()).filter((kind) => !["level", "alive"].includes(kind));
  expect(kinds).toEqual([...["start", "joined", "notice", "paused", "joined", "notice", "unpaused", "stop"]]);
});

test("notes are kept with their time, up to a thousand", async () => {
  await open();
  expect(() => rig.recorder.note("x", HOST)).toThrow("not recording");
  await rig.recorder.start(by);
  await rig.clock.advance(5_000);
  expect(rig.recorder.note("first <b>words</b>", HOST)).toBe(5_000);
  for (let count = 1; count < 1_000; count++) rig.recorder.note("more", HOST);
  expect(() => rig.recorder.note("too much", HOST)).toThrow("too many notes");
  await rig.recorder.stop("left");
  const notes = (await rig.journal()).filter((entry) => entry.kind === "note");
  expect(notes).toHaveLength(1_000);
  expect(notes[0]).toMatchObject({ text: "first <b>words</b>", byUserId: HOST, byName: "hos" });
});

test("discard asks once, and then deletes everything and says so", async () => {
  await open();
  await rig.recorder.start(by);
  expect(await rig.recorder.discard(HOST)).toBe(false);
  expect(await rig.recorder.discard(bob.userId)).toBe(false); // Somebody else, who was not asked.
  await rig.clock.advance(31_000);
  expect(await rig.recorder.discard(bob.userId)).toBe(false); // Too late.
  expect(await rig.recorder.discard(bob.userId)).toBe(true);
  expect(await rig.ids()).toEqual([]);
  expect(rig.finished).toEqual([]);
  expect(rig.told.at(-1)).toEqual({ key: "record.discarded", params: { length: "0:31", by: "bob" } });
  expect(rig.consent.calls).toEqual(["began", "discarded"]);
  expect(rig.ends).toEqual([["discarded", bob.userId]]);
  expect(rig.recorder.status()).toEqual({ phase: "idle" });
});

test("a disk that fails ends it and says why", async () => {
  await open();
  await rig.recorder.start(by);
  const detail = "ENOSPC: no space left";
  rig.plane.emit({ kind: "record.failed", channel: ROOM, recording: rig.recordingId, detail });
  await rig.until(() => rig.finished.length === 1);
  expect(rig.told.at(-1)).toEqual({ key: "record.stopped_failed", params: { reason: detail } });
});

test("without disk space, or without its channel, nothing begins and nothing is left", async () => {
  await open();
  rig.free = 1e6;
  await expect(rig.recorder.start(by)).rejects.toMatchObject({ say: { key: "record.disk_low" } });
  rig.free = 1e12;
  await rig.plane.request({ kind: "channel.close", channel: ROOM });
  await expect(rig.recorder.start(by)).rejects.toMatchObject({ code: "not_found" });
  expect(await rig.ids()).toEqual([]);
  expect(rig.told).toEqual([]);
  expect(rig.consent.calls).toEqual(["began", "discarded", "began", "discarded"]);
  await rig.openChannel();
  await rig.recorder.start(by);
  expect(rig.recorder.status().phase).toBe("recording");
});

test("the report has everybody, the size and what is left on the disk", async () => {
  await open();
  rig.free = 5e9;
  await rig.recorder.start(by, "Pilot");
  rig.come(ann, bob);
  await rig.consent.refuse(bob.userId);
  await rig.flushed();
  const report = await rig.recorder.report();
  expect(report).toMatchObject({ title: "Pilot", byName: "hos", elapsedMs: 1_000, freeBytes: 5e9 });
  expect(report?.bytes).toBeGreaterThan(300);
  expect(report?.people).toMatchObject([
    { name: "Ann", recorded: true, connected: false },
    { name: "Bob", recorded: false },
  ]);
  await rig.recorder.report();
  expect(rig.asked("stats")).toHaveLength(1);
});

test("who is present without a connection for two minutes is mentioned, once", async () => {
  await open();
  await rig.recorder.start(by);
  await rig.clock.advance(300_000);
  const silent = rig.told.filter(({ key }) => key === "record.silent");
  expect(silent).toEqual([{ key: "record.silent", params: { name: "Ann", minutes: 2, prefix: "!" } }]);
  expect(rig.asked("stats").length).toBeLessThanOrEqual(31);
  await rig.recorder.stop("left");
  expect((await rig.kinds()).filter((kind) => kind === "warned")).toHaveLength(1);
  expect((await rig.kinds()).filter((kind) => kind === "level").length).toBeLessThanOrEqual(6);
});
