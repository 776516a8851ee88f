// The commands about the queue as people give them, on a real player over a media plane that makes no sound.
import { silentLog } from "../../../src/base/log.ts";
import { render } from "../../../src/base/messages/catalogue.ts";
import { toBotError } from "../../../src/base/errors.ts";
import { Choices } from "../../../src/commands/choices.ts";
import type { RoomContext } from "../../../src/commands/room-context.ts";
import { findCommand } from "../../../src/commands/table.ts";
import { RoomPlayer } from "../../../src/player/playback.ts";
import { MAX_QUEUE, type QueueRules } from "../../../src/player/queue.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { FakePlane } from "../../fakes/plane.ts";

const [ANN, BEN, MOD] = ["@ann:test", "@ben:test", "@mod:test"] as const;
const CHANNEL = "!room:test";

let clock: FakeClock;
let plane: FakePlane;
let documents: FakeDocuments;
let player: RoomPlayer;
let rules: QueueRules;
let onRules: () => void;
let alone: string | null;

const found = (path: string) => ({
  source: { kind: "library", path } as const,
  title: path,
  durationMs: 60_000,
});
function newPlayer(): RoomPlayer {
  return new RoomPlayer({
    ...{ channel: CHANNEL, plane, documents, clock, log: silentLog, tell: () => undefined },
    open: ({ kind }) => Promise.resolve({ path: `/media/${kind}` }),
    rules: () => rules,
    onRules: (listener) => ((onRules = listener), (): void => undefined),
  });
}

beforeEach(async () => {
  clock = new FakeClock();
  plane = new FakePlane({ clock, durationOf: () => 60_000 });
  documents = new FakeDocuments();
  rules = { fair: false, maxPerPerson: 0 };
  alone = null;
  player = newPlayer();
  const ice = { servers: [], allowPrivate: "auto" as const };
  await plane.request({ kind: "channel.open", channel: CHANNEL, ice, bitrate: 128_000 });
});
afterEach(async () => {
  player.close();
  await plane.close();
});

/** Gives a command as the dispatcher does, and returns what is answered. */
async function say(body: string, sender: string = ANN): Promise<string> {
  const [name = "", ...rest] = body.split(" ");
  const command = findCommand(name);
  if (!command) throw new Error(`no command ${name}`);
  const room = {
    ...{ prefix: "!", language: "en", player, displayName: (userId: string) => userId.slice(1, 4) },
    channel: { joined: true, people: 2, isAlone: (userId: string) => userId === alone },
    sources: {
      resolve: ({ text }: { text: string }) =>
        Promise.resolve(
          text === "album" ? { title: text, items: ["x1", "x2", "x3"].map(found) } : found(text),
        ),
    },
    powerOf: (userId: string) => (userId === MOD ? 50 : 0),
    settings: { get: () => 200 },
  } as unknown as RoomContext;
  const invocation = {
    ...{
      room,
      args: rest.join(" "),
      repliesTo: null,
      ageMs: 0,
      recentUpload: null,
      choices: new Choices(clock),
    },
    signal: new AbortController().signal,
    unlessSoon: () => () => undefined,
    message: { eventId: "$1", type: "m.room.message", sender, ageMs: 0, originServerTs: 0, content: {} },
  };
  const needed = typeof command.power === "number" ? command.power : command.power(invocation);
  if (room.powerOf(sender) < needed) return "refused";
  try {
    const answer = Promise.resolve(command.run(invocation));
    answer.catch(() => undefined);
    await clock.advance(100);
    const sentence = await answer;
    return sentence ? render(sentence).text : "";
  } catch (error) {
    return render(toBotError(error).say).text;
  }
}
const now = (): string | undefined => player.nowPlaying()?.track.title;
const waiting = (): string =>
  player
    .queue()
    .map(({ title }) => title)
    .join(" ");
async function play(...names: string[]): Promise<void> {
  for (const name of names) await say(`play ${name}`);
}

test("playnext comes before what waits, also a whole folder, and says so; what is there already is said", async () => {
  await play("a", "b", "c");
  expect(await say("pn d")).toMatch(/Added d \(1:00\) to the queue at position 1, in about (1:00|0:59)\./);
  expect(waiting()).toBe("d b c");
  expect(await say("playnext album")).toBe("Added 3 tracks of album to the queue.");
  expect(waiting()).toBe("x1 x2 x3 d b c");
  expect(await say("play b")).toMatch(/^Added b .*once more, at position 7/);
  expect(await say("playnext")).toMatch(/!playnext \[name\]/);
});

test("remove takes ranges of what is there, from who may", async () => {
  await play("a", "b", "c", "d", "e", "f", "g");
  expect(await say("remove 2")).toBe("Removed c from the queue.");
  expect(await say("remove 1,3-4")).toBe("Removed 3 tracks from the queue.");
  expect(waiting()).toBe("d g");
  expect(await say("remove 3")).toBe("There is no position 3: 2 are waiting.");
  expect(await say("remove x")).toMatch(/!remove 3\|2-5/);
  await say("play h", BEN);
  expect(await say("remove 2-3", BEN)).toBe("refused");
  expect(await say("remove 3", BEN)).toBe("Removed h from the queue.");
  expect(await say("remove 1-2", MOD)).toMatch(/2 tracks/);
  expect(await say("remove 1", MOD)).toBe("Nothing is waiting in the queue.");
});

test("move, shuffle and clear need all that is moved to be one's own, or to be alone there", async () => {
  await play("a", "b", "c");
  await say("play d", BEN);
  expect(await say("move 3 1", BEN)).toBe("refused");
  expect(await say("move 1 3")).toBe("b is at position 3 now.");
  expect(waiting()).toBe("c d b");
  expect(await say("move 3 1")).toBe("refused");
  expect(await say("move 4 1", MOD)).toBe("There is no position 4: 3 are waiting.");
  expect(await say("move 1 0", MOD)).toBe("There is no position 0: 3 are waiting.");
  expect(await say("move 1")).toMatch(/!move 3 1/);
  for (const command of ["shuffle", "clear", "loop queue"]) expect(await say(command)).toBe("refused");
  alone = ANN;
  expect(await say("shuffle")).toBe("Shuffled what waits (3).");
  expect(await say("clear")).toBe("Removed what was waiting (3). What is on goes on.");
  expect([now(), waiting()]).toEqual(["a", ""]);
  expect(await say("clear")).toBe("Nothing is waiting in the queue.");
});

test("skip takes a number, of those that one may skip", async () => {
  await play("a", "b");
  await say("play c", BEN);
  await play("d", "e");
  expect(await say("skip 3")).toBe("refused");
  expect(await say("skip 0")).toMatch(/!skip \[n\]/);
  expect(await say("skip 2")).toBe("Skipped 2 tracks. Now playing c (1:00).");
  expect(await say("fs")).toBe("refused");
  expect(await say("fs", MOD)).toBe("Already skipped.");
  await clock.advance(2_000);
  expect(await say("forceskip", MOD)).toBe("Skipped c. Now playing d (1:00).");
  await clock.advance(2_000);
  expect(await say("skip 9")).toBe("Skipped 2 tracks.");
});

test("previous, replay and history go back", async () => {
  expect(await say("previous")).toBe("Nothing was on before.");
  expect(await say("history")).toBe("Nothing was on before.");
  await play("a", "b");
  await say("skip");
  expect(await say("history")).toBe("What was on, the latest first:\n1. a (1:00)");
  expect(await say("previous")).toBe("Back to a (1:00).");
  expect([now(), waiting()]).toEqual(["a", "b"]);
  await clock.advance(20_000);
  expect(await say("replay")).toBe("a (1:00), from the beginning.");
  await clock.advance(1_100);
  expect(player.nowPlaying()?.positionMs).toBeLessThan(2_000);
  expect(await say("replay", BEN)).toBe("refused");
});

test("seek goes there by starting the track there, and refuses what cannot be", async () => {
  expect(await say("seek 10")).toBe("Nothing is playing.");
  await play("a");
  expect(await say("seek 0:40")).toBe("a goes on at 0:40.");
  await clock.advance(5_500);
  expect(player.nowPlaying()?.positionMs).toBeGreaterThan(43_500);
  // From where it is, also between two words of the plane about that.
  expect(await say("seek -10")).toMatch(/^a goes on at 0:3[56]\.$/);
  expect(await say("seek -5m")).toBe("a goes on at 0:00.");
  expect(await say("seek 1:00")).toBe("That is beyond its end: it has 1:00.");
  expect(await say("seek soon")).toMatch(/!seek 1:23/);
  expect(await say("seek 5", BEN)).toBe("refused");
  player.pause();
  await settle();
  expect(await say("seek 30")).toBe("a goes on at 0:30.");
  await clock.advance(3_000);
  expect(player.nowPlaying()).toMatchObject({ phase: "paused", positionMs: 30_000 });
  player.resume();
  await clock.advance(40_000);
  expect(player.nowPlaying()).toBeNull();
});

test("loop repeats, says so in the queue, and is kept", async () => {
  await play("a", "b");
  expect(await say("loop")).toBe("Nothing is repeated.");
  expect(await say("loop track")).toBe("This track is repeated.");
  await clock.advance(130_000);
  expect([now(), waiting()]).toEqual(["a", "b"]);
  expect(await say("queue")).toBe(
    "▶ a (1:00) – This track is repeated.\n1. b (1:00) – ann\n1 waiting, 1:00 in all.",
  );
  expect(await say("loop queue")).toBe("The whole queue is repeated.");
  await clock.advance(60_000);
  expect([now(), waiting()]).toEqual(["b", "a"]);
  expect(await say("loop sometimes")).toMatch(/!loop \[off\|track\|queue\]/);
  player.close();
  player = newPlayer();
  player.restore();
  expect(await say("loop")).toBe("The whole queue is repeated.");
});

test("queue comes in pages of ten with who asked and how long until then", async () => {
  await play("on");
  await player.addMany(
    Array.from({ length: 23 }, (_, index) => found(`t${index + 1}`)),
    BEN,
  );
  player.pause();
  const lines = async (command: string): Promise<string[]> => (await say(command)).split("\n");
  const first = await lines("queue");
  expect(first[0]).toBe("▶ on (1:00)");
  expect(first[1]).toMatch(/^1\. t1 \(1:00\) – ben, in (1:00|0:59)$/);
  expect(first[10]).toMatch(/^10\. t10 \(1:00\) – ben, in (10:00|9:59)$/);
  expect(first[11]).toBe("23 waiting, 23:00 in all, page 1 of 3.");
  expect((await lines("q 3")).slice(1).map((line) => line.split(" ")[0])).toEqual([
    "21.",
    "22.",
    "23.",
    "23",
  ]);
  expect(await lines("q 99")).toEqual(await lines("q 3"));
  expect(await say("q 0")).toMatch(/!queue \[page\]/);
  expect(await say("history x")).toMatch(/!history \[page\]/);
});

test("people take turns as soon as the room sets so, and have so many waiting", async () => {
  await play("a0", "a1", "a2");
  await say("play b0", BEN);
  expect(waiting()).toBe("a1 a2 b0");
  rules = { fair: true, maxPerPerson: 3 };
  onRules();
  expect(waiting()).toBe("b0 a1 a2");
  await say("play b1", BEN);
  expect(waiting()).toBe("b0 a1 b1 a2");
  await play("a3");
  expect(await say("play a4")).toBe(
    "You have 3 tracks waiting already, which is what one person may have here.",
  );
  await say("play b2", BEN);
  expect(await say("play album", BEN)).toMatch(/You have 3 tracks/);
  rules = { fair: true, maxPerPerson: 5 };
  expect(await say("play album", BEN)).toBe(
    "Added 2 tracks of album to the queue. One person may have no more in it here; left out: 1.",
  );
});

test("lists are saved, shown, loaded and deleted by who may", async () => {
  expect(await say("save party")).toBe("There is nothing to keep: nothing plays or waits.");
  await play("a", "b", "c");
  expect(await say("save Party Mix")).toBe("Kept 3 tracks as Party Mix. !load Party Mix adds them again.");
  expect(await say("save party mix", BEN)).toBe("refused");
  expect(await say("unlist party mix", BEN)).toBe("refused");
  expect(await say("lists", BEN)).toBe(
    "Lists of this room:\n– Party Mix: 3 tracks, kept by ann\n!load name adds one to the queue.",
  );
  player.stop();
  player.close();
  player = newPlayer();
  expect(await say("load party mix", BEN)).toBe("Added 3 tracks of Party Mix to the queue.");
  expect([now(), waiting(), player.nowPlaying()?.track.requester]).toEqual(["a", "b c", BEN]);
  expect(await say("load partymix")).toBe("There is no list partymix. Did you mean Party Mix?");
  for (const name of ["save", "load", "unlist"]) expect(await say(name)).toContain(`!${name} <name>`);
  expect(await say("unlist PARTY MIX", MOD)).toBe("The list Party Mix is deleted.");
  expect(await say("lists")).toBe("I keep no lists for this room.");
});

test("a list that does not fit says how much of it did", async () => {
  const many = Array.from({ length: MAX_QUEUE - 1 }, (_, index) => found(`t${index}`));
  await play("a", "b");
  await say("save two");
  await player.addMany(many.slice(1), ANN);
  expect(await say("load two")).toBe("Added 1 track of two to the queue; 1 more did not fit.");
  expect(await say("load two")).toMatch(/queue is full/);
});
