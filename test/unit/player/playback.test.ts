import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import type { TrackSource } from "../../../src/media/plane.ts";
import { cleanDetail } from "../../../src/player/text.ts";
import { RoomPlayer } from "../../../src/player/playback.ts";
import { MAX_FAILURES } from "../../../src/player/queue.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { FakePlane } from "../../fakes/plane.ts";

const CHANNEL = "!room:test";
const ICE = { servers: [], allowPrivate: "auto" } as const;
const openChannel = (plane: FakePlane): Promise<unknown> =>
  plane.request({ kind: "channel.open", channel: CHANNEL, ice: { ...ICE, servers: [] }, bitrate: 128_000 });
const found = (name: string) => ({
  source: { kind: "library", path: `${name}.mp3` } as const,
  title: name,
  durationMs: null,
});

let clock: FakeClock;
let plane: FakePlane;
let told: Sentence[];
let documents: FakeDocuments;
let player: RoomPlayer;
/** What slow.mp3 waits for, and who has stopped waiting. */
let slow: PromiseWithResolvers<TrackSource>;
let givenUp: string[];

function newPlayer(): RoomPlayer {
  return new RoomPlayer({
    ...{ channel: CHANNEL, plane, documents, clock, log: silentLog },
    open: (source, signal) => {
      const path = source.kind === "library" ? source.path : "";
      const gone = new BotError("not_found", "gone", { say: { key: "play.file_gone" } });
      if (path === "gone.mp3") return Promise.reject(gone);
      if (path === "slow.mp3") {
        signal.addEventListener("abort", () => givenUp.push(path));
        return slow.promise;
      }
      return Promise.resolve({ path: `/media/${path}` });
    },
    tell: (sentence) => told.push(sentence),
  });
}

beforeEach(async () => {
  clock = new FakeClock();
  plane = new FakePlane({ clock, durationOf: (path) => (path.includes("bad") ? null : 60_000) });
  told = [];
  [slow, givenUp] = [Promise.withResolvers<TrackSource>(), []];
  documents = new FakeDocuments();
  player = newPlayer();
  await openChannel(plane);
});
afterEach(async () => {
  player.close();
  await plane.close();
});

const pathOf = (source: TrackSource): string => ("path" in source ? source.path : source.stream.url);

/** What was asked of the plane about sound, since the last call. */
let seen = 0;
beforeEach(() => (seen = 0));
function asked(): string[] {
  const fresh = plane.requests.slice(seen);
  seen = plane.requests.length;
  return fresh.flatMap((request) => {
    if (request.kind === "play.start")
      return [`start ${pathOf(request.source)} ${Math.round(request.positionMs)}`];
    if (request.kind === "play.next" && request.next && "path" in request.next.source)
      return [`next ${request.next.source.path}`];
    return request.kind.startsWith("play.") ? [request.kind] : [];
  });
}

async function add(name: string): Promise<Awaited<ReturnType<RoomPlayer["add"]>>> {
  const work = player.add(found(name), "@ann:test");
  work.catch(() => undefined);
  await clock.advance(200);
  return work;
}

test("into silence a track sounds at once; the next waits its turn and then sounds", async () => {
  await expect(add("one")).resolves.toMatchObject({
    position: 0,
    track: { title: "one", durationMs: 60_000 },
  });
  await expect(add("two")).resolves.toMatchObject({ position: 1, etaMs: expect.any(Number) });
  expect(asked()).toEqual(["play.volume", "start /media/one.mp3 0"]);
  await clock.advance(61_000);
  expect(asked()).toEqual(["next /media/two.mp3"]);
  expect(plane.playing(CHANNEL)?.track).toBe(player.nowPlaying()?.track.id);
  const idle: string[] = [];
  player.onIdle(() => idle.push("idle"));
  await clock.advance(61_000);
  expect(player.nowPlaying()).toBeNull();
  expect(idle).toEqual(["idle"]);
});

test("a download that takes long holds up neither a skip nor a stop, and what was on does not go on meanwhile", async () => {
  await add("one");
  await player.addMany([found("slow"), found("three")], "@ann:test");
  asked();
  player.skip();
  await clock.advance(200);
  expect(asked()).toEqual([]);
  await clock.advance(200);
  expect(asked()).toEqual(["play.stop"]);
  await clock.advance(2_000);
  player.skip();
  await clock.advance(100);
  expect(asked()).toEqual(["start /media/three.mp3 0"]);
  expect(givenUp).toEqual(["slow.mp3"]);
  expect(told).toEqual([]);

  await player.addMany([found("slow")], "@ann:test", { next: true });
  await clock.advance(2_000);
  asked();
  player.skip();
  await clock.advance(1_000);
  player.stop();
  await clock.advance(100);
  expect(asked()).toEqual(["play.stop"]);
  slow.resolve({ path: "/media/slow.mp3" });
  await clock.advance(100);
  expect(asked()).toEqual([]);
  expect(plane.playing(CHANNEL)).toBeNull();
});

test("a file whose tags are known is not opened for them", async () => {
  const known = { title: "Known", artist: "Somebody", durationMs: 30_000, isDescribed: true };
  const first = player.add({ ...found("one"), ...known }, "@ann:test");
  await clock.advance(200);
  await first;
  await add("two");
  await expect(player.add({ ...found("three"), ...known }, "@ann:test")).resolves.toMatchObject({
    track: { title: "Known", artist: "Somebody", durationMs: 30_000 },
    position: 2,
  });
  const probed = plane.requests.flatMap((request) => (request.kind === "probe" ? [request.source.path] : []));
  expect(probed).toEqual(["/media/two.mp3"]);
});

test("a crash of the media child starts the track again where it was heard, when its channel is open again", async () => {
  await add("one");
  await clock.advance(20_700);
  asked();
  const toldMs = player.nowPlaying()?.positionMs ?? 0;
  plane.crash();
  const { positionMs } = player.nowPlaying() ?? { positionMs: 0 };
  // What has sounded since the plane has told of it last.
  expect(positionMs - toldMs).toBeGreaterThan(500);
  expect(positionMs - toldMs).toBeLessThan(1_000);
  await clock.advance(3_000);
  plane.up();
  await clock.advance(500); // The channel is not there yet: refused, and tried again.
  await openChannel(plane);
  player.channelOpened();
  await clock.advance(100);
  const last = asked().at(-1);
  expect(last).toBe(`start /media/one.mp3 ${Math.round(positionMs)}`);
  expect(positionMs).toBeGreaterThan(18_500);
  await clock.advance(2_000);
  expect(asked()).toEqual([]);
  expect(told).toEqual([]);
});

test("what a crash has interrupted goes on when somebody hears it again, and does not wait for ever", async () => {
  let isAwaited = false;
  player.close();
  player = new RoomPlayer({
    ...{ channel: CHANNEL, plane, documents, clock, log: silentLog, tell: (each) => told.push(each) },
    open: () => Promise.resolve({ path: "/media/one.mp3" }),
    awaited: () => isAwaited,
  });
  const crash = async (): Promise<void> => {
    await clock.advance(10_000);
    asked();
    isAwaited = true;
    plane.crash();
    plane.up();
    await openChannel(plane);
    player.channelOpened();
  };
  await add("one");
  await crash();
  const { positionMs } = player.nowPlaying() ?? { positionMs: 0 };
  await clock.advance(5_000);
  expect(asked()).toEqual([]);
  isAwaited = false;
  await clock.advance(100);
  expect(asked().at(-1)).toBe(`start /media/one.mp3 ${Math.round(positionMs)}`);
  await crash();
  await clock.advance(29_000);
  expect(asked()).toEqual([]);
  await clock.advance(1_100);
  expect(asked().at(-1)).toMatch(/^start/);
  // Nobody waits for what somebody starts anew.
  isAwaited = true;
  player.edit.replay();
  await clock.advance(100);
  expect(asked().at(-1)).toBe("start /media/one.mp3 0");
});

test("a channel that never comes back holds the track instead of trying for ever", async () => {
  await add("one");
  plane.crash();
  await clock.advance(120_000);
  expect(player.nowPlaying()?.phase).toBe("paused");
  expect(clock.pending).toBe(0);
});

test("a track that cannot be read is the answer to who asked; later ones are told, and the queue goes on", async () => {
  await expect(add("bad")).rejects.toMatchObject({
    say: { key: "player.failed", params: { reason: "not audio" } },
  });
  expect(told).toEqual([]);
  expect(player.nowPlaying()).toBeNull();
  await add("one");
  await expect(add("gone")).rejects.toMatchObject({ say: { key: "play.file_gone" } });
  await expect(add("two")).resolves.toBeTruthy();
  expect(player.queue()).toHaveLength(1);
});

test("several into silence: the first that cannot be played is told, and the others are there", async () => {
  const work = player.addMany(["gone", "one", "two"].map(found), "@ann:test");
  await clock.advance(200);
  await expect(work).resolves.toEqual({ count: 3, left: 0, why: null });
  expect(told).toMatchObject([{ key: "player.failed", params: { title: "gone" } }]);
  expect([player.nowPlaying()?.track.title, player.queue().length]).toEqual(["one", 1]);
});

test("a track that breaks while it plays is told, and the next one sounds", async () => {
  const { track } = await add("one");
  await add("two");
  const detail = "[mp3 @ 0x55d0] /media/one.mp3: Header missing\n";
  plane.emit({
    kind: "track.ended",
    channel: CHANNEL,
    track: track.id,
    reason: "failed",
    positionMs: 9,
    detail,
    follows: null,
  });
  await settle();
  expect(told).toEqual([{ key: "player.failed", params: { title: "one", reason: "Header missing" } }]);
  expect(player.nowPlaying()?.track.title).toBe("two");
});

test("a file without any sound is told, not passed over", async () => {
  const { track } = await add("one");
  plane.emit({
    kind: "track.ended",
    channel: CHANNEL,
    track: track.id,
    reason: "finished",
    positionMs: 0,
    detail: null,
    follows: null,
  });
  expect(told).toEqual([
    { key: "player.failed", params: { title: "one", reason: "there is no sound in it" } },
  ]);
});

test.each([0, 2_000])(
  "after five failures in a row (%i ms heard of each) it stops, says so, and keeps what waits",
  async (positionMs) => {
    await add("one");
    for (let index = 0; index < MAX_FAILURES + 1; index++) await add(`t${index}`);
    for (let index = 0; index < MAX_FAILURES; index++) {
      const id = player.nowPlaying()?.track.id ?? "";
      if (positionMs > 0) plane.emit({ kind: "track.started", channel: CHANNEL, track: id });
      plane.emit({
        kind: "track.ended",
        channel: CHANNEL,
        track: id,
        reason: "failed",
        positionMs,
        detail: "x",
        follows: null,
      });
    }
    expect(told.at(-1)).toEqual({ key: "player.gave_up", params: { failures: 5, waiting: 2 } });
    expect(player.nowPlaying()).toBeNull();
  },
);

test("pause, resume, volume, skip and stop reach the plane once each", async () => {
  await add("one");
  await add("two");
  asked();
  player.pause();
  await settle();
  player.resume();
  await settle();
  player.setVolume(150);
  await settle();
  expect(player.skip().title).toBe("one");
  await settle();
  expect(() => player.skip()).toThrow(expect.objectContaining({ say: { key: "player.already_skipped" } }));
  player.stop();
  await settle();
  expect(asked()).toEqual([
    "play.pause",
    "play.resume",
    "play.volume",
    "start /media/two.mp3 0",
    "play.stop",
  ]);
  expect(() => player.pause()).toThrow(expect.objectContaining({ code: "nothing_playing" }));
});

test("a skip that was said before the track ended by itself skips nothing", async () => {
  await add("one");
  await add("two");
  await clock.advance(60_500);
  expect(player.nowPlaying()?.track.title).toBe("two");
  expect(() => player.skip(5_000)).toThrow(
    expect.objectContaining({ say: { key: "player.already_skipped" } }),
  );
  expect(player.skip(0).title).toBe("two");
});

test("after a restart the queue is back and the track goes on where it was", async () => {
  await add("one");
  await add("two");
  player.setVolume(70);
  await clock.advance(12_000);
  player.close();
  player = newPlayer();
  asked();
  player.restore();
  player.resume();
  await clock.advance(100);
  const start = asked().find((request) => request.startsWith("start"));
  expect(Number(start?.split(" ").at(-1))).toBeGreaterThan(10_500);
  expect(player.queue().map(({ title }) => title)).toEqual(["two"]);
  expect(player.volume()).toBe(70);
});

test("after a kill it goes on within a second of where it was", async () => {
  await add("one");
  await clock.advance(12_400);
  const heardMs = player.nowPlaying()?.positionMs ?? 0;
  const kept = new FakeDocuments();
  for (const [name, json] of documents.kept) kept.kept.set(name, json);
  documents = kept;
  const next = newPlayer();
  asked();
  next.restore();
  next.resume();
  await clock.advance(100);
  const start = asked().find((request) => request.startsWith("start"));
  expect(Math.abs(Number(start?.split(" ").at(-1)) - heardMs)).toBeLessThan(1_000);
  expect(heardMs).toBeGreaterThan(11_000);
  next.close();
});

test("a queue that cannot be read is told, and the bot goes on with an empty one", async () => {
  documents.write("queue", { now: 7 });
  player.restore();
  expect(told).toEqual([{ key: "player.damaged" }]);
  expect(documents.has("queue.damaged")).toBe(true);
  await expect(add("one")).resolves.toMatchObject({ position: 0 });
});

test("without its channel the interrupted track is held for !resume", async () => {
  await add("one");
  player.close();
  player = newPlayer();
  player.restore();
  expect(player.nowPlaying()).toMatchObject({ phase: "paused", track: { title: "one" } });
  asked();
  await clock.advance(1_000);
  expect(asked()).toEqual([]);
});

test("what ffmpeg says is one short line without paths", () => {
  expect(cleanDetail("[in#0 @ 0x5f3a] Error opening /srv/media/x.mp3:  Invalid\n data")).toBe(
    "Error opening Invalid data",
  );
  expect(cleanDetail("x".repeat(400))).toHaveLength(160);
  expect(cleanDetail("\u0000\n")).toBe("unreadable");
});
