// What should sound and does not: noticed, tried once more, passed over with the reason. And what is no such thing.
import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import type { PeerStats, PlaneEvent, PlaneRequest } from "../../../src/media/plane.ts";
import { RoomPlayer } from "../../../src/player/playback.ts";
import type { PlayerPlane } from "../../../src/player/sound.ts";
import { QUIET_MS } from "../../../src/player/watchdog.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { FakePlane } from "../../fakes/plane.ts";

const CHANNEL = "!room:test";
const ANSWER_MS = 5_000;

let clock: FakeClock;
let plane: FakePlane;
let told: Sentence[];
let player: RoomPlayer;
let connected: number;
/** Whose sound stops: the plane says nothing of it any more. */
let mute: (event: PlaneEvent) => boolean;
/** Requests that are never answered, but for the plane's own bound. */
let deaf: (request: PlaneRequest) => boolean;
/** Requests that nothing ever becomes of. */
let hangs: (request: PlaneRequest) => boolean;
let packetsSent: () => number;
/** What the plane would tell of a listener. */
let listener: PeerStats | null;

/** The fake plane behind a wire that a test can cut. */
function wired(): PlayerPlane {
  return {
    get state() {
      return plane.state;
    },
    onState: (listener) => plane.onState(listener),
    onEvent: (listener) => plane.onEvent((event) => void (mute(event) || listener(event))),
    request: async (request) => {
      if (hangs(request)) return new Promise(() => undefined);
      if (deaf(request)) {
        await new Promise<void>((resolve) => clock.timer(ANSWER_MS, resolve));
        throw new BotError("timeout", "no answer", { retryable: true });
      }
      const result = await plane.request(request);
      if (request.kind !== "stats" || listener === null) return result;
      return { ...result, peers: [{ ...listener, state: "connected", packetsSent: packetsSent() }] };
    },
  };
}

beforeEach(async () => {
  clock = new FakeClock();
  plane = new FakePlane({ clock, durationOf: () => 600_000 });
  told = [];
  connected = 2;
  mute = () => false;
  deaf = () => false;
  hangs = () => false;
  listener = null;
  player = new RoomPlayer({
    ...{ channel: CHANNEL, plane: wired(), documents: new FakeDocuments(), clock, log: silentLog },
    open: (source) => Promise.resolve({ path: source.kind === "library" ? source.path : "" }),
    tell: (sentence) => told.push(sentence),
    connected: () => connected,
  });
  const ice = { servers: [], allowPrivate: "auto" as const };
  await plane.request({ kind: "channel.open", channel: CHANNEL, ice, bitrate: 128_000 });
  for (const name of ["one", "two", "three", "four"]) {
    const found = { source: { kind: "library", path: name } as const, title: name, durationMs: 600_000 };
    const work = player.add({ ...found, isDescribed: true }, "@ann:test");
    await clock.advance(100);
    await work;
  }
});
afterEach(async () => {
  player.close();
  await plane.close();
});

/** What was started in the plane, and from where in s. */
const starts = (): string[] =>
  plane.requests.flatMap((request) =>
    request.kind === "play.start" && "path" in request.source
      ? [`${request.source.path} ${Math.round(request.positionMs / 1_000)}`]
      : [],
  );
const on = (): string | undefined => player.nowPlaying()?.track.title;
const cut =
  (...names: string[]) =>
  (event: PlaneEvent): boolean =>
    event.kind.startsWith("track.") && names.includes(on() ?? "");
const playing = (ms: number): Promise<void> => clock.advance(ms);

test("a position that stands still: once more from where it was, then the next one, with the reason", async () => {
  await playing(20_000);
  mute = cut("one");
  await playing(QUIET_MS + 3_000);
  expect(starts()).toEqual(["one 0", "one 20"]);
  expect(told).toEqual([]);
  await playing(QUIET_MS + 3_000);
  expect(starts()).toEqual(["one 0", "one 20", "two 0"]);
  expect(told).toMatchObject([{ key: "player.failed", params: { title: "one" } }]);
  expect(String(told[0]?.params?.["reason"])).toMatch(/no sound/);
  await playing(60_000);
  expect(told).toHaveLength(1);
  expect(on()).toBe("two");
});

test("a stall that is over at the second attempt is not told", async () => {
  await playing(20_000);
  mute = cut("one");
  await playing(QUIET_MS + 3_000);
  mute = () => false;
  await playing(300_000);
  expect([starts(), told]).toEqual([["one 0", "one 20"], []]);
});

test("a source that gives nothing, as the plane says: once more, then the next", async () => {
  const stall = (): void =>
    plane.emit({
      ...{ kind: "track.ended", channel: CHANNEL, reason: "failed", positionMs: 30_000, follows: null },
      ...{ detail: "no data for 10 s", stalled: true, track: lastStarted() },
    });
  await playing(5_000);
  stall();
  await playing(2_000);
  expect(starts()).toEqual(["one 0", "one 30"]);
  stall();
  await playing(2_000);
  expect(starts()).toEqual(["one 0", "one 30", "two 0"]);
  expect(String(told[0]?.params?.["reason"])).toMatch(/ten seconds/);
  await playing(60_000);
  expect(told).toHaveLength(1);
});

const lastStarted = (): string =>
  plane.requests.flatMap((request) => (request.kind === "play.start" ? [request.track] : [])).at(-1) ?? "";

test("a start without an answer: once more, then the next; three in a row are held, and nothing is lost", async () => {
  await playing(5_000);
  deaf = ({ kind }) => kind === "play.start";
  player.skip();
  await playing(ANSWER_MS + 1_000);
  expect(on()).toBe("two");
  await playing(ANSWER_MS);
  expect([on(), told]).toMatchObject(["three", [{ params: { title: "two" } }]]);
  await playing(5 * ANSWER_MS);
  expect(told.map(({ key }) => key)).toEqual(["player.failed", "player.failed", "stall.held"]);
  expect(player.nowPlaying()).toMatchObject({ track: { title: "four" }, phase: "paused" });
  deaf = () => false;
  player.resume();
  await playing(2_000);
  expect(starts().at(-1)).toBe("four 0");
});

test("a start that hangs on its way to the plane is one without an answer", async () => {
  await playing(5_000);
  hangs = ({ kind }) => kind === "play.start";
  player.skip();
  await playing(60_000);
  expect(told.map(({ key, params }) => [key, params?.["title"]])).toEqual([
    ["player.failed", "two"],
    ["player.failed", "three"],
    ["stall.held", undefined],
  ]);
});

test("nothing leaves for those who got it until now: once more, then held with the reason", async () => {
  await plane.request({ kind: "peer.offer", channel: CHANNEL, peer: "ann" });
  const { peers } = await plane.request({ kind: "stats", channel: CHANNEL });
  listener = peers[0] ?? null;
  packetsSent = () => 500 + clock.now() / 20;
  await playing(60_000);
  expect(starts()).toEqual(["one 0"]);
  packetsSent = () => 4_000;
  await playing(120_000);
  const asked = plane.requests.flatMap((request) => (request.kind === "play.start" ? [request.paused] : []));
  expect(asked).toEqual([false, false, true]);
  expect(told).toMatchObject([{ key: "stall.held_unsent" }]);
  expect(player.nowPlaying()?.phase).toBe("paused");
});

test.each<[string, number, BotError, readonly string[], readonly string[]]>([
  ["is slow once", 1, slow("timeout"), ["url 0"], []],
  ["stays slow", 9, slow("timeout"), ["one 0"], ["player.failed"]],
  ["breaks off once", 1, slow("fetch_failed"), ["url 0"], []],
  ["is refused", 9, new BotError("fetch_refused", "no"), ["one 0"], ["player.failed"]],
])(
  "an address that %s at its turn: fetched once more where that may help",
  async (_, times, error, on, said) => {
    player.close();
    let attempts = 0;
    player = new RoomPlayer({
      ...{ channel: CHANNEL, plane: wired(), documents: new FakeDocuments(), clock, log: silentLog },
      open: async (source) => {
        if (source.kind === "library") return { path: source.path };
        await new Promise<void>((resolve) => clock.timer(10_000, resolve));
        if (++attempts <= times) throw error;
        return { path: "url" };
      },
      tell: (sentence) => told.push(sentence),
      connected: () => connected,
    });
    const found = { title: "T", durationMs: 600_000, isDescribed: true };
    const adding = [
      player.add({ ...found, source: { kind: "url", url: "https://slow.example/a" } }, "@ann:test"),
      player.add({ ...found, source: { kind: "library", path: "one" } }, "@ann:test"),
    ];
    await playing(30_000);
    await Promise.allSettled(adding);
    expect(starts().slice(-1)).toEqual(on);
    expect(told.map(({ key }) => key)).toEqual(said);
    expect(attempts).toBe(error.retryable ? 2 : 1);
  },
);

function slow(code: "timeout" | "fetch_failed"): BotError {
  return new BotError(code, "slow", { retryable: true });
}

describe("no alarm", () => {
  test("when it is paused, for however long, and right after it goes on", async () => {
    await playing(5_000);
    player.pause();
    await playing(3_600_000);
    player.resume();
    mute = cut("one");
    await playing(QUIET_MS - 3_000);
    expect([starts(), told]).toEqual([["one 0"], []]);
    // Nothing is looked at meanwhile.
    player.pause();
    await playing(1_000);
    expect(clock.pending).toBe(0);
  });

  test("when its source gives up while it is paused: it goes on from where it was", async () => {
    await playing(5_000);
    player.pause();
    await playing(1_000);
    for (let i = 0; i < 2; i++) {
      plane.emit({
        ...{ kind: "track.ended", channel: CHANNEL, reason: "failed", positionMs: 5_000, follows: null },
        ...{ detail: "no data for 10 s", stalled: true, track: lastStarted() },
      });
      await playing(60_000);
    }
    expect([starts(), told]).toEqual([["one 0"], []]);
    player.resume();
    await playing(1_000);
    expect([starts(), told]).toEqual([["one 0", "one 5"], []]);
  });

  test("when nobody is connected, and whoever comes has missed nothing yet", async () => {
    await playing(5_000);
    connected = 0;
    mute = cut("one");
    await playing(600_000);
    connected = 1;
    await playing(QUIET_MS - 3_000);
    expect([starts(), told]).toEqual([["one 0"], []]);
  });

  test("while the media plane is away, or the channel is", async () => {
    await playing(5_000);
    plane.crash();
    await playing(40_000);
    expect(told).toEqual([]);
    expect(on()).toBe("one");
  });

  test("while somebody seeks again and again", async () => {
    for (let i = 0; i < 60; i++) {
      player.edit.seek({ kind: "to", ms: 1_000 * i });
      await playing(500);
    }
    expect(told).toEqual([]);
    expect(on()).toBe("one");
  });

  test("on a machine that did nothing for a minute", async () => {
    await playing(5_000);
    // All timers are late at once, the plane's too.
    mute = () => true;
    const suspended = { now: clock.now.bind(clock) };
    clock.now = () => suspended.now() + 60_000;
    await playing(3_500);
    mute = () => false;
    await playing(60_000);
    expect([starts(), told]).toEqual([["one 0"], []]);
  });

  test("because a track is fetched slowly before it begins", async () => {
    let there = (): void => undefined;
    player.close();
    const slow = new Promise<void>((resolve) => (there = resolve));
    player = new RoomPlayer({
      ...{ channel: CHANNEL, plane: wired(), documents: new FakeDocuments(), clock, log: silentLog },
      open: () => slow.then(() => ({ path: "slow" })),
      tell: (sentence) => told.push(sentence),
      connected: () => connected,
    });
    const source = { kind: "upload", mxc: "mxc://a/b" } as const;
    const work = player.add({ source, title: "slow", durationMs: 9_000, isDescribed: true }, "@ann:test");
    await playing(120_000);
    await work;
    there();
    await playing(1_000);
    expect(starts().at(-1)).toBe("slow 0");
    expect(told).toEqual([]);
  });
});
