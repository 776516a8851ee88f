// Who may: power levels by command, DJs, who has asked, who is alone, and votes; with a real player and real settings.
import { silentLog } from "../../../src/base/log.ts";
import { render, type Sentence } from "../../../src/base/messages/catalogue.ts";
import { skipByVote } from "../../../src/bot/skip-by-vote.ts";
import { RoomCommands, type Press } from "../../../src/commands/dispatcher.ts";
import type { RoomContext } from "../../../src/commands/room-context.ts";
import { SkipVotes } from "../../../src/commands/skip-votes.ts";
import { RoomPlayer } from "../../../src/player/playback.ts";
import { RoomSettings } from "../../../src/settings/room-settings.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { FakePlane } from "../../fakes/plane.ts";

const [ANN, BEN, CAT, DAN, MOD, ADMIN] = ["ann", "ben", "cat", "dan", "mod", "admin"].map(
  (name) => `@${name}:test`,
) as [string, string, string, string, string, string];
const CHANNEL = "!room:test";

let clock: FakeClock;
let plane: FakePlane;
let player: RoomPlayer;
let settings: RoomSettings;
let votes: SkipVotes;
let commands: RoomCommands;
/** User ids of those in the channel. */
let present: Set<string>;
let recording: boolean;
let said: Sentence[];
let did: string[];
let count: number;

beforeEach(async () => {
  clock = new FakeClock();
  plane = new FakePlane({ clock, durationOf: () => 60_000 });
  const documents = new FakeDocuments();
  [present, recording, said, did, count] = [new Set([ANN, BEN, CAT]), false, [], [], 0];
  settings = new RoomSettings({ documents, prefix: "!", log: silentLog, tell: () => undefined });
  player = new RoomPlayer({
    ...{ channel: CHANNEL, plane, documents, clock, log: silentLog, tell: () => undefined },
    open: () => Promise.resolve({ path: "/media/x" }),
  });
  votes = new SkipVotes({
    present: () => present,
    share: () => (settings.get("vote-skip") === "off" ? null : Number(settings.get("vote-skip"))),
    now: () => player.nowPlaying()?.track.id ?? null,
  });
  const room = {
    ...{ roomId: CHANNEL, ownUserId: "@bot:test", prefix: "!", language: "en", encrypted: false },
    ...{ player, settings, votes },
    channel: {
      joined: true,
      people: 3,
      isAlone: (userId: string) => present.size === 1 && present.has(userId),
      leave: () => (did.push("leave"), Promise.resolve()),
    },
    recorder: { status: () => ({ phase: recording ? "recording" : "idle" }), stop: () => Promise.resolve() },
    powerOf: (userId: string) => (userId === MOD ? 50 : userId === ADMIN ? 100 : 0),
    displayName: (userId: string) => userId.slice(1, -5),
    isHere: (userId: string) => userId.endsWith(":test"),
    usersCalled: (name: string) => [ANN, BEN, CAT].filter((userId) => userId === `@${name}:test`),
    reply: (_: string, sentence: Sentence) => void said.push(sentence),
  } as unknown as RoomContext;
  commands = new RoomCommands({ room, documents, clock, log: silentLog });
  const ice = { servers: [], allowPrivate: "auto" as const };
  await plane.request({ kind: "channel.open", channel: CHANNEL, ice, bitrate: 128_000 });
  for (const [title, requester] of [
    ["a", ANN],
    ["b", BEN],
    ["c", CAT],
    ["d", DAN],
  ] as const) {
    const source = { kind: "library", path: title } as const;
    const adding = player.add({ source, title, durationMs: 60_000 }, requester);
    await clock.advance(100);
    await adding;
  }
  await clock.advance(3000);
});
afterEach(async () => {
  commands.close();
  player.close();
  await plane.close();
});

async function say(body: string, sender: string, content: object = {}, ageMs = 0): Promise<string> {
  said = [];
  await commands.handle({
    ...{ eventId: `$${count++}`, type: "m.room.message", sender, ageMs, originServerTs: clock.wall() },
    content: { msgtype: "m.text", body, ...content },
  });
  await settle();
  return said[0] ? render(said[0]).text : "";
}
const now = (): string | undefined => player.nowPlaying()?.track.title;
const waiting = (): string[] => player.queue().map(({ title }) => title);

describe("votes", () => {
  test("who may not skip votes, and the share of those in the channel decides; the bot is none of them", async () => {
    expect(await say("!skip", BEN)).toBe("1 of 2 want to skip a. !skip is a vote for it.");
    expect(await say("!skip", BEN)).toMatch(/^1 of 2 /); // One person has one vote.
    expect(now()).toBe("a");
    expect(await say("!skip", CAT)).toBe("2 of 2 wanted that: skipped a. Now playing b (1:00).");
    expect(now()).toBe("b");
    await clock.advance(3000);
    expect(await say("!skip", ANN)).toMatch(/^1 of 2 want to skip b/); // Those votes were for a.
  });

  test("a vote is gone with its track, and with who leaves the channel, also when they come back", async () => {
    await say("!skip", BEN);
    present = new Set([ANN, CAT]);
    votes.peopleChanged();
    present = new Set([ANN, BEN, CAT]);
    votes.peopleChanged();
    expect(votes.tally()).toBeNull();
    expect(now()).toBe("a");
    await say("!skip", BEN);
    await say("!skip", ANN); // Who has asked for it may.
    expect(now()).toBe("b");
    expect(votes.tally()).toBeNull();
  });

  test("of fewer people fewer have to want it: who leaves without having voted may decide it", async () => {
    const told: Sentence[] = [];
    const recount = (): void => skipByVote({ votes, player, tell: (sentence) => void told.push(sentence) });
    present = new Set([ANN, BEN, CAT, DAN, "@eve:test"]);
    await say("!skip", BEN);
    expect(await say("!skip", CAT)).toMatch(/^2 of 3/);
    present.delete("@eve:test");
    recount();
    expect([now(), told]).toEqual(["a", []]);
    present.delete(DAN);
    recount();
    expect(now()).toBe("b");
    expect(told.map((sentence) => render(sentence).text)).toEqual(["2 of 2 wanted that: skipped a."]);
    recount();
    expect(now()).toBe("b");
  });

  test("votes are of people in the channel, and can be switched off; !forceskip and several at once are none", async () => {
    expect(await say("!skip", DAN)).toMatch(/only who is in the voice channel can vote/);
    expect(await say("!forceskip", BEN)).toMatch(/^Only who asked for the tracks, .* power level 50/);
    expect(await say("!skip 2", BEN)).toMatch(/^Only who asked for the tracks/);
    expect(await say("!settings vote-skip off", MOD)).toMatch(/^mod set vote-skip to off \(before: 51\)/);
    expect(await say("!skip", BEN)).toMatch(/^Only who asked for the tracks/);
    expect(await say("!settings vote-skip 0", MOD)).toMatch(/cannot be “0”/);
    await say("!set vote-skip 30", MOD);
    expect(await say("!skip", BEN)).toMatch(/^1 of 1 wanted that/);
  });

  test("two who skip at once skip one track, and who was late for another's takes and votes nothing", async () => {
    player.skip();
    await clock.advance(3000);
    // Written while a was on.
    expect(await say("!skip", CAT, {}, 3500)).toBe("Already skipped.");
    expect(now()).toBe("b");
    expect(votes.tally()).toBeNull();
  });
});

describe("DJs", () => {
  test("are named by moderators, by id, mention or name; may with the music what moderators may, and no more", async () => {
    expect(await say("!dj", BEN)).toMatch(/^This room has no DJs/);
    expect(await say("!dj add @ben:test", BEN)).toMatch(/^Only people with power level 50/);
    expect(await say("!dj add @ben:test", MOD)).toBe("DJ of this room: ben.");
    const pill = { "m.mentions": { user_ids: ["@bot:test", CAT] } };
    expect(await say("!dj add The Cat", MOD, pill)).toBe("DJ of this room: cat.");
    expect(await say("!dj add ann", MOD)).toBe("DJ of this room: ann.");
    expect(await say("!dj", DAN)).toBe("DJs of this room: ben, cat, ann.");
    expect(settings.get("dj")).toBe(`${BEN} ${CAT} ${ANN}`);
    expect(await say("!skip", BEN)).toBe("Skipped a. Now playing b (1:00).");
    expect(await say("!remove 1-2", BEN)).toBe("Removed 2 tracks from the queue.");
    expect(await say("!settings fair on", BEN)).toMatch(/^ben set fair to on/);
    expect(await say("!settings clip on", BEN)).toMatch(/^Only people with power level 50/);
    expect(await say("!record start", BEN)).toMatch(/^Only people with power level 50/);
    expect(await say("!dj add @dan:test", BEN)).toMatch(/^Only people/);
    expect(await say("!stop", DAN)).toBe(
      "Only who asked for the tracks, who is alone in the voice channel with me, DJs of this room (!dj), or people with power level 50 or more may do that here; you have 0.",
    );
    expect(await say("!stop", CAT)).toBe("Stopped, and emptied the queue.");
  });

  test("are unmade; a refused name changes nothing", async () => {
    expect(await say("!dj add @stranger:elsewhere", MOD)).toMatch(
      /^I find nobody called @stranger:elsewhere/,
    );
    expect(await say("!dj add nobody", MOD)).toMatch(/^I find nobody/);
    expect(await say("!dj add @bot:test", MOD)).toMatch(/^I find nobody/);
    expect(await say("!dj promote ann", MOD)).toMatch(/used like this: !dj \[add\|remove @name\]/);
    expect(settings.get("dj")).toBe("off");
    await say("!dj add @ben:test", MOD);
    expect(await say("!dj remove cat", MOD)).toBe("cat is no DJ of this room.");
    expect(await say("!dj remove ben", MOD)).toBe("No DJ any more: ben.");
    expect(settings.get("dj")).toBe("off");
    expect(await say("!settings dj ben", MOD)).toMatch(/cannot be “ben”/);
    expect(await say(`!settings dj ${BEN}, ${CAT}`, MOD)).toMatch(/set dj to @ben:test @cat:test/);
  });
});

test("who is alone in the channel may everything about the music, but not send away a recording", async () => {
  expect(await say("!leave", BEN)).toMatch(/^Only people with power level 50/);
  present = new Set([BEN]);
  expect(await say("!skip", BEN)).toMatch(/^Skipped a/);
  expect(await say("!move 2 1", BEN)).toMatch(/^d is at position 1/);
  expect(await say("!stop", DAN)).toMatch(/^Only who asked/); // Not in the channel at all.
  recording = true;
  expect(await say("!leave", BEN)).toMatch(/^Only people with power level 50/);
  recording = false;
  expect(await say("!leave", BEN)).toBe("I have left the voice channel.");
  expect(did).toEqual(["leave"]);
});

describe("power levels by command", () => {
  test("a room sets its own; one's own tracks stay one's own", async () => {
    expect(await say("!level", BEN)).toMatch(/^Every command needs the power level that it needs by default/);
    expect(await say("!level play 10", BEN)).toMatch(/^Only people with power level 50/);
    expect(await say("!level p 10", MOD)).toBe("!play needs power level 10 in this room from now on.");
    expect(await say("!play x", BEN)).toBe(
      "Only people with power level 10 or more may do that here; you have 0.",
    );
    expect(await say("!level !skip 0", MOD)).toMatch(
      /^!skip needs power level 0 .* but for one's own tracks/,
    );
    expect(await say("!skip", BEN)).toMatch(/^Skipped a/);
    expect(await say("!level remove 100", ADMIN)).toMatch(/^!remove needs power level 100/);
    expect(await say("!remove 1", MOD)).toMatch(/power level 100 or more may do that here; you have 50/);
    expect(await say("!remove 1", CAT)).toBe("Removed c from the queue.");
    expect(waiting()).toEqual(["d"]);
    expect(await say("!levels", DAN)).toBe(
      "Power levels that this room has set for single commands:\n– !play: 10\n– !skip: 0\n– !remove: 100\n!level stop 25 sets one, !level stop default takes it back.",
    );
    expect(await say("!level play default", MOD)).toBe("!play needs what it needs by default again.");
    expect(settings.get("levels")).toBe("skip=0 remove=100");
  });

  test("nobody shuts themselves out, undoes what is above them, or takes a refusal to be recorded from others", async () => {
    expect(await say("!level stop 60", MOD)).toBe("That takes power level 60; you have 50.");
    await say("!level stop 100", ADMIN);
    expect(await say("!level stop 25", MOD)).toBe("That takes power level 100; you have 50.");
    for (const name of ["optout", "optin", "help", "settings", "level"]) {
      expect(await say(`!level ${name} 50`, ADMIN)).toBe(`The level of !${name} stays as it is.`);
    }
    expect(await say("!level skpi 5", MOD)).toMatch(/Did you mean !skip/);
    expect(await say("!level skip 101", MOD)).toMatch(/used like this/);
    expect(await say("!settings levels skip=0", MOD)).toBe("levels is changed by !level.");
    expect(settings.get("levels")).toBe("stop=100");
  });

  test("DJs count as moderators up to what moderators may", async () => {
    await say("!dj add @ben:test", MOD);
    await say("!level skip 51", ADMIN);
    settings.set("vote-skip", "off");
    expect(await say("!skip", BEN)).toMatch(/power level 51/);
    await say("!level skip 50", ADMIN);
    expect(await say("!skip", BEN)).toMatch(/^Skipped a/);
    // Also where a room has made something of everybody's theirs.
    await say("!level pause 50", ADMIN);
    expect(await say("!pause", CAT)).toMatch(/^Only DJs of this room \(!dj\) and people with power level 50/);
    expect(await say("!pause", BEN)).toMatch(/^Paused b/);
  });
});

test("the room's greatest volume bounds what people set", async () => {
  expect(await say("!settings volume-max 80", MOD)).toMatch(/set volume-max to 80 \(before: 200\)/);
  expect(await say("!volume 81", ADMIN)).toMatch(/^The volume goes up to 80 % in this room/);
  expect(player.volume()).toBe(100);
  expect(await say("!volume 80", BEN)).toBe("The volume is now 80 %.");
});

describe("a button", () => {
  let presses = 0;
  const press = async (name: string, sender: string, more: Partial<Press> = {}): Promise<string> => {
    said = [];
    const what = {
      eventId: `$press${presses++}`,
      on: "$card",
      sender,
      name,
      args: "",
      track: null,
      ageMs: 0,
    };
    await commands.press({ ...what, ...more });
    return said[0] ? render(said[0]).text : "";
  };

  test("does what its command does, by the same rights, without an answer; who may not is told once a minute", async () => {
    expect(await press("stop", BEN)).toMatch(/^ben: Only who asked for the tracks, .* power level 50/);
    expect(await press("stop", BEN)).toBe("");
    expect(await press("stop", CAT)).toMatch(/^cat: Only/);
    await clock.advance(60_000);
    expect(await press("stop", BEN)).toMatch(/^ben: Only/);
    expect(await press("loop", MOD, { args: "track" })).toBe("");
    expect(player.state().loop).toBe("track");
    expect(await press("pause", DAN)).toBe("");
    expect(player.nowPlaying()?.phase).toBe("paused");
    expect(await press("stop", MOD)).toBe("");
    expect(now()).toBeUndefined();
    expect(await press("skip", MOD)).toBe(""); // Nothing is on.
  });

  test("a ⏭ is a vote of who may not, which is not answered", async () => {
    expect(await press("skip", BEN)).toBe("");
    expect(votes.tally()).toEqual({ votes: 1, needed: 2 });
    expect(await press("skip", CAT)).toBe("");
    expect(now()).toBe("b");
  });

  test("two presses on one track advance once, however far apart, and so does one that is seen twice", async () => {
    const track = player.nowPlaying()?.track.id ?? null;
    await press("skip", MOD, { track, eventId: "$once" });
    await clock.advance(10_000);
    expect(now()).toBe("b");
    await press("skip", ADMIN, { track });
    await press("skip", MOD, { eventId: "$once" });
    // Nobody votes for what they did not see, either.
    await press("skip", CAT, { track });
    expect([now(), votes.tally()]).toEqual(["b", null]);
    await press("skip", MOD);
    expect(now()).toBe("c");
  });

  test("a flood of one person is passed over", async () => {
    for (let i = 0; i < 40; i++) await press("volume", ANN, { args: String(i) });
    expect([player.volume(), said]).toEqual([11, []]);
    await press("volume", ADMIN, { args: "90" });
    expect(player.volume()).toBe(90);
  });
});
