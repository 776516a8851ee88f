import { firstListener, RETURN_MS } from "../../../src/bot/first-listener.ts";
import { HeldMusic } from "../../../src/bot/held-music.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { ChannelChange, ChannelSession } from "../../../src/channel/session.ts";
import { RoomPlayer } from "../../../src/player/playback.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { FakePlane } from "../../fakes/plane.ts";

type Member = ReturnType<ChannelSession["members"]>[number];
const member = (connected: boolean): Member => ({ userId: "@ann:test", connected }) as Member;

function wait(members: Member[], patienceMs?: number): { clock: FakeClock; say: () => void; seen: string[] } {
  const clock = new FakeClock();
  const seen: string[] = [];
  let listener: ((change: ChannelChange) => void) | null = null;
  const onChange: ChannelSession["onChange"] = (heard) => {
    listener = heard;
    return () => (listener = null);
  };
  void firstListener({ members: () => members, onChange }, clock, patienceMs).then(() => seen.push("go"));
  return { clock, seen, say: () => listener?.({ kind: "media", open: true }) };
}

test("nobody to wait for, or somebody who hears already: at once", async () => {
  for (const members of [[], [member(true), member(false)]]) {
    const { clock, seen } = wait(members);
    await settle();
    expect([seen, clock.pending]).toEqual([["go"], 0]);
  }
});

test("it waits for the first connection, and not for ever", async () => {
  const members = [member(false), member(false)];
  const { clock, seen, say } = wait(members);
  await clock.advance(500);
  say();
  await settle();
  expect(seen).toEqual([]);
  members[1] = member(true);
  say();
  await settle();
  expect([seen, clock.pending]).toEqual([["go"], 0]);
  const never = wait([member(false)]);
  await never.clock.advance(3_000);
  expect(never.seen).toEqual(["go"]);
  // After a restart, where a homeserver that limits us may take its time for our offers.
  const late = wait([member(false)], RETURN_MS);
  await late.clock.advance(30_000);
  expect(late.seen).toEqual([]);
});

test("music that waits for its first listener goes on also after another kill in between; what a person paused does not", async () => {
  const clock = new FakeClock();
  const plane = new FakePlane({ clock });
  const documents = new FakeDocuments();
  const ice = { servers: [], allowPrivate: "auto" as const };
  await plane.request({ kind: "channel.open", channel: "room", ice, bitrate: 128_000 });
  const run = (): { player: RoomPlayer; held: HeldMusic } => {
    const player = new RoomPlayer({
      ...{ channel: "room", plane, documents, clock, log: silentLog, tell: () => undefined },
      open: () => Promise.resolve({ path: "x" }),
    });
    return { player, held: new HeldMusic({ player, documents }) };
  };
  const first = run();
  const source = { kind: "library", path: "x.mp3" } as const;
  const added = first.player.add({ source, title: "x", durationMs: 9e5, isDescribed: true }, "@ann:test");
  await clock.advance(500);
  await added;
  const second = run();
  second.held.restore();
  // Something is kept while it waits.
  second.player.setVolume(70);
  const third = run();
  third.held.restore();
  third.held.goOn();
  expect(third.player.nowPlaying()?.phase).toBe("playing");
  expect(third.player.volume()).toBe(70);
  third.player.pause();
  const fourth = run();
  fourth.held.restore();
  fourth.held.goOn();
  expect(fourth.player.nowPlaying()?.phase).toBe("paused");
  for (const { player } of [first, second, third, fourth]) player.close();
  await plane.close();
});
