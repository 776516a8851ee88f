import { silentLog } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import { nowName, positionText } from "../../../src/commands/format.ts";
import type { PlaneEvent } from "../../../src/media/plane.ts";
import { RoomPlayer } from "../../../src/player/playback.ts";
import { playName, type StoredSource } from "../../../src/player/queue.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { FakePlane } from "../../fakes/plane.ts";

const CHANNEL = "!room:test";
const STATION: StoredSource = { kind: "stream", url: "https://radio.example/live", format: "icy" };

let clock: FakeClock;
let plane: FakePlane;
let documents: FakeDocuments;
let told: Sentence[];
let player: RoomPlayer;
/** The plane says no positions any more: nothing sounds. */
let isSilent: boolean;

function newPlayer(): RoomPlayer {
  return new RoomPlayer({
    ...{ channel: CHANNEL, documents, clock, log: silentLog, connected: () => 1 },
    plane: {
      get state() {
        return plane.state;
      },
      request: (request) => plane.request(request),
      onState: (listener) => plane.onState(listener),
      onEvent: (listener) =>
        plane.onEvent((event) => void ((isSilent && event.kind === "track.position") || listener(event))),
    },
    open: () => Promise.resolve({ stream: { url: "https://radio.example/live", kind: "icy" } }),
    tell: (sentence) => told.push(sentence),
  });
}

beforeEach(async () => {
  clock = new FakeClock();
  plane = new FakePlane({ clock });
  documents = new FakeDocuments();
  told = [];
  isSilent = false;
  player = newPlayer();
  const ice = { servers: [], allowPrivate: "auto" as const };
  await plane.request({ kind: "channel.open", channel: CHANNEL, ice, bitrate: 128_000 });
  const added = player.add(
    { source: STATION, title: "Night Wave", durationMs: null, isDescribed: true },
    "@ann:test",
  );
  await clock.advance(200);
  await added;
});
afterEach(async () => {
  player.close();
  await plane.close();
});

type TrackEvent = Extract<PlaneEvent, { track: string }>;
/** The plane says this of what is on. */
function says(event: { kind: TrackEvent["kind"] } & Record<string, unknown>): void {
  const track = playName(player.state()) ?? "";
  plane.emit({ channel: CHANNEL, track, ...event } as PlaneEvent);
}
const shown = (): string => {
  const now = player.nowPlaying();
  return now ? `${nowName(now)} | ${positionText(now, "en")}` : "";
};

test("a station is shown with what is on in it, as that changes, and as live", async () => {
  expect(shown()).toBe("Night Wave | live");
  const changes: string[] = [];
  player.onChange(() => changes.push(shown()));
  says({ kind: "track.title", title: "One - First" });
  says({ kind: "track.title", title: "Two - Second" });
  says({ kind: "track.title", title: null });
  expect(changes).toEqual(["Night Wave: One - First | live", "Night Wave: Two - Second | live", shown()]);
  expect(shown()).toBe("Night Wave | live");
  plane.emit({ kind: "track.title", channel: CHANNEL, track: "another", title: "x" });
  expect(shown()).toBe("Night Wave | live");
  await clock.advance(1_000);
});

test("an address that turns out to be a station when its turn comes is known as one from then on", async () => {
  const url = "https://list.example/1";
  await player.add({ source: { kind: "url", url }, title: "From a list", durationMs: null }, "@ann:test");
  await clock.advance(5_000);
  player.skip();
  await clock.advance(200);
  expect(player.nowPlaying()?.track.source).toEqual(STATION);
  expect(shown()).toBe("From a list | live");
});

test("there is nothing to wind in it, and what comes next starts after a skip", async () => {
  expect(() => player.edit.seek({ kind: "to", ms: 10_000 })).toThrow(
    expect.objectContaining({ say: { key: "player.no_length" } }),
  );
  const other = { source: { kind: "library", path: "a" } as const, title: "a", durationMs: 60_000 };
  await player.add({ ...other, isDescribed: true }, "@ann:test");
  await clock.advance(5_000);
  player.skip();
  await clock.advance(200);
  expect(player.nowPlaying()?.track.title).toBe("a");
  expect(player.nowPlaying()?.onAir).toBeUndefined();
});

test("what turns out to be complete has a length, and can be wound", async () => {
  says({ kind: "track.length", durationMs: 90_000 });
  await clock.advance(2_000);
  expect(shown()).toMatch(/^Night Wave \| 0:0\d \/ 1:30$/);
  player.edit.seek({ kind: "to", ms: 60_000 });
  await clock.advance(200);
  expect(plane.requests).toContainEqual(expect.objectContaining({ kind: "play.start", positionMs: 60_000 }));
});

test("an outage is told once, is not taken for stuck while it is being seen to, and ends with its reason", async () => {
  await clock.advance(20_000);
  const before = plane.requests.length;
  const starts = (): number =>
    plane.requests.slice(before).filter(({ kind }) => kind === "play.start").length;
  isSilent = true;
  await clock.advance(8_000);
  says({ kind: "track.interrupted", detail: "reset" });
  await clock.advance(60_000);
  says({ kind: "track.interrupted", detail: "reset" });
  expect(told).toEqual([{ key: "player.interrupted", params: { title: "Night Wave" } }]);
  expect(starts()).toBe(0);
  const say = { key: "fetch.unreachable", params: { host: "radio.example" } };
  says({ ...{ kind: "track.ended", reason: "failed", positionMs: 20_000 }, detail: "x", follows: null, say });
  const reason = "I cannot reach radio.example. Please try again later, or another address";
  expect(told.at(-1)).toEqual({ key: "player.failed", params: { title: "Night Wave", reason } });
  expect(player.nowPlaying()).toBeNull();
});

test("one that goes on after an outage is watched again", async () => {
  await clock.advance(20_000);
  const before = plane.requests.length;
  says({ kind: "track.interrupted", detail: "reset" });
  await clock.advance(5_000);
  isSilent = true;
  await clock.advance(20_000);
  expect(plane.requests.slice(before).map(({ kind }) => kind)).toContain("play.start");
});

test("a station that was on is on again after a restart", async () => {
  says({ kind: "track.title", title: "One - First" });
  await clock.advance(5_000);
  player.close();
  const before = plane.requests.length;
  player = newPlayer();
  expect(player.restore()).toBe(true);
  player.resume();
  await clock.advance(200);
  expect(plane.requests.slice(before)).toContainEqual(
    expect.objectContaining({
      kind: "play.start",
      source: { stream: { url: "https://radio.example/live", kind: "icy" } },
    }),
  );
  expect(shown()).toBe("Night Wave | live");
});
