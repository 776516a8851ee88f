import { silentLog } from "../../../src/base/log.ts";
import { BotError } from "../../../src/base/errors.ts";
import { NO_FILTERS } from "../../../src/player/filters.ts";
import { RoomPlayer } from "../../../src/player/playback.ts";
import { emptyQueue, etasMs } from "../../../src/player/queue.ts";
import type { Found } from "../../../src/player/resolver/resolver.ts";
import { StandBy } from "../../../src/player/stand-by.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { FakePlane } from "../../fakes/plane.ts";

/** One track follows another without a hole: the next one is opened ahead, and is the one that is wanted, whatever happens. */

const CHANNEL = "!room:test";
let clock: FakeClock;
let plane: FakePlane;
let documents: FakeDocuments;
let player: RoomPlayer;
let opened: string[];
/** What opening of a file waits for. */
let gates: Map<string, Promise<void>>;
let signals: Map<string, AbortSignal>;

const newPlayer = (more: Partial<ConstructorParameters<typeof RoomPlayer>[0]> = {}): RoomPlayer =>
  new RoomPlayer({
    ...{ channel: CHANNEL, plane, documents, clock, log: silentLog, tell: () => undefined, ...more },
    open: async (source, signal) => {
      const path = source.kind === "library" ? source.path : source.kind === "url" ? source.url : "";
      opened.push(path);
      signals.set(path, signal);
      await gates.get(path);
      if (path.startsWith("gone")) throw new BotError("not_found", "gone");
      return { path };
    },
  });
const openChannel = (channel = CHANNEL): Promise<unknown> =>
  plane.request({
    ...{ kind: "channel.open", channel, bitrate: 128_000 },
    ice: { servers: [], allowPrivate: "auto" },
  });

beforeEach(async () => {
  clock = new FakeClock();
  plane = new FakePlane({ clock, durationOf: () => 60_000 });
  documents = new FakeDocuments();
  [opened, gates, signals] = [[], new Map(), new Map()];
  player = newPlayer();
  await openChannel();
  plane.requests.length = 0;
});
afterEach(async () => {
  player.close();
  await plane.close();
});

/** What was asked of the plane since the last call. */
function asked(): string[] {
  const all = plane.requests.splice(0).flatMap((request) => {
    if (request.kind === "play.start")
      return [`start ${pathOf(request.source)} ${Math.round(request.positionMs / 1_000)}`];
    if (request.kind === "play.next") return [`next ${request.next ? pathOf(request.next.source) : "-"}`];
    return request.kind.startsWith("play.") && request.kind !== "play.volume" ? [request.kind] : [];
  });
  opened.length = 0;
  return all;
}
const pathOf = (source: object): string => ("path" in source ? String(source.path) : "");

const known = { artist: null, durationMs: 60_000, isDescribed: true };

/** From the web: opened no sooner than it must be. */
async function add(...names: string[]): Promise<void> {
  const found = names.map((name) => ({ source: { kind: "url", url: name } as const, title: name, ...known }));
  await player.addMany(found, "@ann:test");
  await clock.advance(100);
}

/** Of the media folder. */
async function addNear(...names: string[]): Promise<void> {
  const source = (path: string): Found["source"] => ({ kind: "library", path });
  await player.addMany(
    names.map((name) => ({ source: source(name), title: name, ...known })),
    "@ann:test",
  );
  await clock.advance(100);
}

/** Another room beside the player's, and one place in stand-by for the two. */
async function anotherRoom(): Promise<RoomPlayer> {
  const standBy = new StandBy(1);
  const other = newPlayer({ channel: "!other:test", standBy, documents: new FakeDocuments() });
  await openChannel("!other:test");
  player.close();
  player = newPlayer({ standBy });
  return other;
}

const sounds = (): string | undefined => player.nowPlaying()?.track.title;

test("the next one is opened shortly before the end, not before, and then follows in the plane", async () => {
  await add("one", "two", "three");
  expect(asked()).toEqual(["start one 0"]);
  await clock.advance(44_000);
  expect([asked(), opened]).toEqual([[], []]);
  await clock.advance(3_000);
  expect(asked()).toEqual(["next two"]);
  await clock.advance(14_000);
  // The plane went on by itself: nothing was asked for.
  expect([asked(), sounds()]).toEqual([[], "two"]);
  await clock.advance(60_000);
  expect([asked(), sounds()]).toEqual([["next three"], "three"]);
  await clock.advance(60_000);
  expect([asked(), sounds()]).toEqual([[], undefined]);
});

test("every change of the queue changes what follows, to the last moment", async () => {
  await add("one", "two", "three");
  await clock.advance(50_000);
  expect(asked()).toEqual(["start one 0", "next two"]);
  player.edit.move(player.queue()[1]!.id, 0);
  await settle();
  // What is not wanted any more goes at once, whatever the other takes.
  expect(asked()).toEqual(["next -", "next three"]);
  player.edit.remove([player.queue()[0]!.id]);
  await settle();
  expect(asked()).toEqual(["next -", "next two"]);
  player.edit.clear();
  await settle();
  expect(asked()).toEqual(["next -"]);
  player.edit.loop("track");
  await settle();
  expect(asked()).toEqual(["next one"]);
  player.edit.loop("off");
  await add("four");
  expect(asked()).toEqual(["next -", "next four"]);
  player.pause();
  await settle();
  // A room that pauses costs no decoder for what comes after.
  expect(asked()).toEqual(["play.pause", "next -"]);
  player.resume();
  await clock.advance(12_000);
  expect([asked(), sounds()]).toEqual([["play.resume", "next four"], "four"]);
});

test("a track that comes again and again follows itself", async () => {
  player.edit.loop("track");
  await add("one");
  await clock.advance(185_000);
  expect(asked()).toEqual(["start one 0", "next one", "next one", "next one"]);
  expect(sounds()).toBe("one");
  expect(plane.playing(CHANNEL)?.track).toBe(`${player.nowPlaying()?.track.id}.3`);
});

test("a change that meets the plane's own step to the next track is put right", async () => {
  await add("one", "two", "three");
  await clock.advance(50_000);
  asked();
  // The plane has gone on to "two" when this is said; its word of it is still under way.
  const [, two] = [player.nowPlaying(), player.queue()[0]];
  plane.emit({
    ...{
      kind: "track.ended",
      channel: CHANNEL,
      track: player.nowPlaying()?.track.id ?? "",
      reason: "finished",
    },
    ...{ positionMs: 60_000, detail: null, follows: "somebody else" },
  });
  await settle();
  expect([asked(), sounds()]).toEqual([["start two 0"], two?.title]);
});

test("a skip takes what was opened ahead, and a seek keeps what follows", async () => {
  await add("one", "two", "three");
  await clock.advance(50_000);
  asked();
  player.skip();
  await clock.advance(100);
  expect([asked(), sounds()]).toEqual([["start two 0"], "two"]);
  player.edit.seek({ kind: "to", ms: 50_000 });
  await clock.advance(1_200);
  expect(asked()).toEqual(["start two 50", "next three"]);
  await clock.advance(10_000);
  expect(sounds()).toBe("three");
});

test("what takes its time to be fetched holds nothing up, is not fetched twice, and not to the end when it is not wanted", async () => {
  const gate = Promise.withResolvers<void>();
  gates.set("slow", gate.promise);
  await add("one", "slow", "three");
  await clock.advance(50_000);
  player.pause();
  await settle();
  player.resume();
  await settle();
  expect(asked()).toEqual(["start one 0", "play.pause", "play.resume"]);
  await clock.advance(15_000);
  expect([asked(), sounds()]).toEqual([[], "slow"]);
  gate.resolve();
  await settle();
  expect([asked(), opened]).toEqual([["start slow 0"], []]);
  await add("never");
  gates.set("three", new Promise(() => undefined));
  await clock.advance(50_000);
  expect(asked()).toEqual([]);
  expect(signals.get("three")?.aborted).toBe(false);
  player.edit.remove([player.queue()[0]!.id]);
  await settle();
  expect(signals.get("three")?.aborted).toBe(true);
  expect(asked()).toEqual(["next never"]);
});

test("what is still on its way when its turn comes is given up by whoever skips it", async () => {
  gates.set("slow", new Promise(() => undefined));
  await add("one", "slow");
  await clock.advance(65_000);
  expect([sounds(), signals.get("slow")?.aborted]).toEqual(["slow", false]);
  player.skip();
  await settle();
  expect(signals.get("slow")?.aborted).toBe(true);
});

test("what cannot be opened is told when its turn comes, not before, and not tried again and again", async () => {
  await add("one", "gone", "three");
  await clock.advance(58_000);
  expect(asked()).toEqual(["start one 0"]);
  await clock.advance(3_000);
  expect([asked(), sounds()]).toEqual([["start three 0"], "three"]);
  await add("unfit");
  plane.failNext("play.next", new BotError("media_unreadable", "x"));
  await clock.advance(57_000);
  expect(asked()).toEqual(["next unfit"]);
  await clock.advance(3_000);
  expect([asked(), sounds()]).toEqual([["start unfit 0"], "unfit"]);
});

test("a crash near the end: the track goes on where it was, and what follows is opened again", async () => {
  await add("one", "two");
  await clock.advance(50_000);
  asked();
  plane.crash();
  plane.up();
  await openChannel();
  player.channelOpened();
  await clock.advance(2_000);
  expect(asked()).toEqual(["start one 50", "next two"]);
  await clock.advance(12_000);
  expect(sounds()).toBe("two");
});

test("of unknown length: the plane says that it is ending", async () => {
  const found = { source: { kind: "url", url: "odd" } as const, title: "odd", durationMs: null };
  await player.addMany([found, { ...found, title: "two", source: { kind: "url", url: "two" } }], "@ann:test");
  await clock.advance(58_000);
  expect(asked()).toEqual(["start odd 0"]);
  await clock.advance(1_500);
  expect(asked()).toEqual(["next two"]);
  await clock.advance(1_000);
  expect([asked(), sounds()]).toEqual([[], "two"]);
});

test("filters: for what is on and all to come, kept over a restart, and positions, lengths and turns are in the track's time", async () => {
  await add("one", "two");
  await clock.advance(10_000);
  asked();
  player.setFilters({ ...NO_FILTERS, speed: 2, bassDb: 6 });
  await clock.advance(9_000);
  expect(asked()).toEqual(["play.filters"]);
  const { positionMs } = player.nowPlaying() ?? { positionMs: 0 };
  expect(positionMs).toBeGreaterThan(26_000);
  expect(positionMs).toBeLessThan(28_500);
  const [etaMs] = etasMs(player.state());
  expect(etaMs).toBe((60_000 - positionMs) / 2);
  await clock.advance(2_000);
  // 15 s before it is heard to end, which is 30 s of the track.
  expect(asked()).toEqual(["next two"]);
  player.close();
  player = newPlayer();
  player.restore();
  player.resume();
  await clock.advance(100);
  expect(asked().slice(0, 2)).toEqual(["play.filters", "start one 32"]);
  expect(player.state().filters).toEqual({ ...NO_FILTERS, speed: 2, bassDb: 6 });
  player.setFilters(NO_FILTERS);
  await settle();
  expect(asked()).toContain("play.filters");
  expect(emptyQueue.filters).toEqual(NO_FILTERS);
});

describe("what is near stands by as soon as what is on runs", () => {
  test("so that a skip has it opened already; before the end it is looked up again, and the plane keeps it", async () => {
    await addNear("one", "two", "three");
    expect(asked()).toEqual(["start one 0"]);
    await clock.advance(2_000);
    expect([[...opened], asked()]).toEqual([["two"], ["next two"]]);
    player.skip();
    await clock.advance(100);
    // Nothing was opened for it.
    expect([[...opened], asked(), sounds()]).toEqual([[], ["start two 0"], "two"]);
    await clock.advance(2_000);
    expect(asked()).toEqual(["next three"]);
    await clock.advance(44_000);
    expect([[...opened], asked()]).toEqual([["three"], []]);
    await clock.advance(14_000);
    expect([asked(), sounds()]).toEqual([[], "three"]);
  });

  test("what comes from the web, or would be of the past, does not", async () => {
    await addNear("one");
    await add("far");
    await clock.advance(30_000);
    expect([asked(), opened]).toEqual([["start one 0"], []]);
  });

  test("what comes from the web does once its bytes are here", async () => {
    player.close();
    player = newPlayer({ isHere: async (source) => source.kind === "url" && source.url !== "far" });
    await add("one", "fetched", "far");
    await clock.advance(2_000);
    expect([[...opened], asked()]).toEqual([
      ["one", "fetched"],
      ["start one 0", "next fetched"],
    ]);
    player.skip();
    await clock.advance(30_000);
    expect([[...opened], asked(), sounds()]).toEqual([[], ["start fetched 0"], "fetched"]);
    await clock.advance(17_000);
    expect([[...opened], asked()]).toEqual([["far"], ["next far"]]);
  });

  test("what is not here keeps no other room from having it so", async () => {
    const other = await anotherRoom();
    await add("far one", "far two");
    await clock.advance(2_000);
    const first = player;
    player = other;
    await addNear("three", "four");
    await clock.advance(5_000);
    expect(asked()).toEqual(["start far one 0", "start three 0", "next four"]);
    player.close();
    player = first;
  });

  test("who seeks again and again has nothing opened beside it that nobody hears", async () => {
    await addNear("one", "two");
    await clock.advance(2_000);
    asked();
    for (const ms of [10_000, 20_000, 30_000]) {
      player.edit.seek({ kind: "to", ms });
      await clock.advance(600);
    }
    expect(asked()).toEqual(["start one 10", "start one 20", "start one 30"]);
    await clock.advance(600);
    expect(asked()).toEqual(["next two"]);
  });

  test("a failure of long ago is no failure now", async () => {
    await addNear("one", "two", "gone", "three");
    gates.set("two", Promise.reject(new BotError("media_unreadable", "not there for a moment")));
    await clock.advance(3_000);
    expect(asked()).toEqual(["start one 0"]);
    gates.delete("two");
    player.skip();
    await clock.advance(1_500);
    expect([asked(), sounds()]).toEqual([["start two 0"], "two"]);
    // What is still wrong is told at its turn, after it was tried again shortly before.
    await clock.advance(60_000);
    expect([asked(), sounds()]).toEqual([["start three 0"], "three"]);
  });

  test("one that the plane refused is offered again when its turn is near", async () => {
    await addNear("one", "two");
    plane.failNext("play.next", new BotError("media_unreadable", "x"));
    await clock.advance(30_000);
    expect(asked()).toEqual(["start one 0", "next two"]);
    await clock.advance(17_000);
    expect(asked()).toEqual(["next two"]);
  });

  test("with other filters it is looked up again: the plane may have found its file gone", async () => {
    await addNear("one", "two");
    await clock.advance(3_000);
    asked();
    player.setFilters({ ...NO_FILTERS, bassDb: 6 });
    await settle();
    expect([[...opened], asked()]).toEqual([["two"], ["play.filters", "next two"]]);
  });

  test("in so many rooms at once, and as soon as one of them does without in another", async () => {
    const other = await anotherRoom();
    await addNear("one", "two");
    await clock.advance(2_000);
    const first = player;
    player = other;
    await addNear("three", "four");
    await clock.advance(5_000);
    expect(asked()).toEqual(["start one 0", "next two", "start three 0"]);
    first.pause();
    await clock.advance(2_000);
    expect(asked()).toEqual(["play.pause", "next -", "next four"]);
    player.close();
    first.resume();
    await clock.advance(2_000);
    expect(asked()).toEqual(["play.resume", "next two"]);
    player = first;
  });

  test("a room that has given up after several failures does without", async () => {
    const other = await anotherRoom();
    await addNear("one", "two", "three", "four", "five", "six");
    for (let failures = 0; failures < 5; failures++) {
      await clock.advance(2_000);
      const { track } = plane.playing(CHANNEL)!;
      const end = { reason: "failed", positionMs: 0, detail: "broken", follows: null } as const;
      plane.emit({ kind: "track.ended", channel: CHANNEL, track, ...end });
    }
    await clock.advance(2_000);
    expect([sounds(), player.queue().length]).toEqual([undefined, 1]);
    const first = player;
    player = other;
    asked();
    await addNear("seven", "eight");
    await clock.advance(5_000);
    expect(asked()).toEqual(["start seven 0", "next eight"]);
    first.close();
  });

  test("a room that is left while the plane is asked keeps no place", async () => {
    plane = new FakePlane({ clock, durationOf: () => 60_000, latencyMs: 100 });
    const open = openChannel();
    await clock.advance(200);
    await open;
    const standBy = new StandBy(1);
    player = newPlayer({ standBy, documents: new FakeDocuments() });
    const adding = addNear("one", "two");
    await clock.advance(5_000);
    await adding;
    expect(standBy.claim({})).toBe(false);
    player.setVolume(50);
    await clock.advance(50);
    player.close();
    await clock.advance(1_000);
    expect(standBy.claim({})).toBe(true);
  });
});
