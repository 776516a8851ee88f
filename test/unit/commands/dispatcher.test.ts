import { BotError } from "../../../src/base/errors.ts";
import { silentLog, type Log, type LogFields } from "../../../src/base/log.ts";
import { render, type Sentence } from "../../../src/base/messages/catalogue.ts";
import { RoomCommands } from "../../../src/commands/dispatcher.ts";
import { otherName } from "../../../src/commands/other-names.ts";
import type { RoomContext, RoomMessage } from "../../../src/commands/room-context.ts";
import { SkipVotes } from "../../../src/commands/skip-votes.ts";
import { COMMANDS } from "../../../src/commands/table.ts";
import type { ChannelReport } from "../../../src/diagnosis/report.ts";
import type { BotStatus } from "../../../src/health/status.ts";
import { Editing } from "../../../src/player/editing.ts";
import { NO_FILTERS } from "../../../src/player/filters.ts";
import { emptyQueue, type NowPlaying, type Track } from "../../../src/player/queue.ts";
import { Undecided, type Ask, type Choice } from "../../../src/player/resolver/resolver.ts";
import { SavedLists } from "../../../src/player/saved-lists.ts";
import { RoomSettings } from "../../../src/settings/room-settings.ts";
import { SETTING_NAMES } from "../../../src/settings/table.ts";
import { botStatus } from "../../fakes/bot-status.ts";
import { aMember, aReport } from "../../fakes/channel-report.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { runningReport, runningStatus } from "../../fakes/running-recording.ts";

const ANN = "@ann:test";
const MOD = "@mod:test";
const song = { msgtype: "m.audio", url: "mxc://a/b", body: "x.mp3" };
const track = (id: string, requester = ANN): Track => ({
  ...{ id, title: id, artist: null, durationMs: 60_000, requester },
  source: { kind: "library", path: `${id}.mp3` },
});

const aFile = (path: string) => ({
  ...{ source: { kind: "library", path } as const, title: path, durationMs: null },
});
const OFFERED: Choice[] = ["one", "two"].map((name) => ({ label: name.toUpperCase(), found: aFile(name) }));

/** A room by hand: what commands did to it is in `did`, what it said in `said`. */
class FakeRoom implements RoomContext {
  readonly roomId = "!room:test";
  readonly ownUserId = "@bot:test";
  readonly prefix = "!";
  readonly language = "en";
  encrypted = false;
  now: NowPlaying | null = null;
  filters = NO_FILTERS;
  waiting: Track[] = [];
  joined = false;
  people = 1;
  /** Who is alone in the channel with the bot. */
  alone: string | null = null;
  botPower = 0;
  needed = 0;
  recording = false;
  joinError: BotError | null = null;
  gate: Promise<void> = Promise.resolve();
  /** What the upload mxc://a/slow waits for. */
  slow: Promise<void> = Promise.resolve();
  readonly signals: AbortSignal[] = [];
  readonly messages = new Map<string, RoomMessage>();
  readonly did: string[] = [];
  readonly said: { to: string; sentence: Sentence }[] = [];
  readonly sources = {
    stations: ["Night Wave", "Radio Nord"],
    resolve: async (ask: Ask, signal: AbortSignal) => {
      this.signals.push(signal);
      await (ask.kind === "upload" && ask.upload.mxc === "mxc://a/slow" ? this.slow : this.gate);
      const name = ask.kind === "words" ? ask.text : ask.upload.mxc;
      this.did.push(`resolve ${name}`);
      if (name === "nothing")
        throw new BotError("not_found", "x", { say: { key: "play.not_found", params: { query: name } } });
      if (name === "album/")
        return { title: "album", items: [aFile("album/1.mp3"), aFile("album/2.mp3"), aFile("album/3.mp3")] };
      if (name === "either") throw new Undecided("ambiguous", OFFERED, { key: "play.ambiguous" });
      return aFile(name);
    },
    search: (text: string, limit: number) =>
      Promise.resolve({ choices: text === "nothing" ? [] : OFFERED.slice(0, limit), more: false }),
  };
  readonly player: RoomContext["player"] = {
    addMany: (found) => {
      this.did.push(`add ${found.map(({ title }) => title).join(", ")}`);
      return Promise.resolve({ count: 2, left: found.length - 2, why: "full" });
    },
    add: ({ title }, requester) => {
      this.did.push(`add ${title}`);
      return Promise.resolve({ track: track(title, requester), position: 0, etaMs: 0, again: false });
    },
    skip: () => track("skipped"),
    meant: () => this.now?.track.id ?? null,
    stop: () => void this.did.push("stop"),
    pause: () => this.now ?? fail(),
    resume: () => (this.did.push("resume"), this.now ?? fail()),
    setVolume: (percent) => void this.did.push(`volume ${percent}`),
    setFilters: (filters) => void (this.filters = filters),
    volume: () => 80,
    nowPlaying: () => this.now,
    queue: () => this.waiting,
    state: () => ({ now: this.now, upcoming: this.waiting, history: [], loop: "off", filters: this.filters }),
    edit: new Editing({
      state: () => emptyQueue,
      change: ({ kind }) => (this.did.push(kind), []),
      isFair: () => false,
      positionMs: () => 0,
    }),
    lists: new SavedLists({ documents: new FakeDocuments(), tell: () => undefined }),
  };
  readonly settings = new RoomSettings({
    ...{ documents: new FakeDocuments(), prefix: "!", log: silentLog },
    tell: (sentence) => void this.said.push({ to: "", sentence }),
  });
  /** Who is in the channel, for votes. */
  present = new Set<string>();
  readonly votes = new SkipVotes({
    present: () => this.present,
    share: () => 51,
    now: () => this.now?.track.id ?? null,
  });
  readonly own = new Map<string, number | null>();
  readonly volumes: RoomContext["volumes"] = {
    of: (userId) => this.own.get(userId) ?? null,
    set: (userId, percent) => void this.own.set(userId, percent),
  };
  isHere = (userId: string): boolean => userId !== "@gone:test";
  usersCalled = (): string[] => [];
  readonly recordings: RoomContext["recordings"] = {
    list: () => [],
    find: () => fail(),
    details: () => fail(),
    keep: () => fail(),
    resend: () => fail(),
    confirmed: () => false,
    remove: () => fail(),
    keptUntil: () => null,
  };
  readonly clips: RoomContext["clips"] = {
    make: (by, seconds) => (this.did.push(`clip ${seconds} ${by}`), Promise.resolve()),
  };
  removed = { recordings: 0, files: 0, sent: 0 };
  readonly consent: RoomContext["consent"] = {
    recording: true,
    optOut: (userId, scope) => (this.did.push(`${userId} out of ${scope}`), Promise.resolve()),
    optIn: (userId, scope) => (this.did.push(`${userId} into ${scope}`), Promise.resolve()),
    remove: (userId) => (this.did.push(`${userId} removed`), Promise.resolve(this.removed)),
  };
  readonly recorder: RoomContext["recorder"] = {
    start: ({ userId }) => (this.did.push(`record ${userId}`), Promise.resolve()),
    stop: () => (this.did.push("record stop"), Promise.resolve()),
    status: () => (this.recording ? runningStatus : { phase: "idle" }),
    report: () => Promise.resolve(this.recording ? runningReport : null),
    pause: () => (this.did.push("record pause"), Promise.resolve()),
    unpause: () => void this.did.push("record resume"),
    note: (text) => (this.did.push(`note ${text}`), 61_000),
    discard: () => Promise.resolve(this.did.push("record discard") > 1),
  };

  get channel(): RoomContext["channel"] {
    const { joined, people } = this;
    const join = (): Promise<void> => {
      this.did.push("join");
      if (this.joinError) return Promise.reject(this.joinError);
      this.joined = true;
      return Promise.resolve();
    };
    const isAlone = (userId: string): boolean => this.alone === userId;
    return { joined, people, isAlone, join, leave: () => (this.did.push("leave"), Promise.resolve()) };
  }
  status = (): BotStatus => botStatus();
  channelReport = aReport();
  report = (): Promise<ChannelReport> => Promise.resolve(this.channelReport);
  powerOf = (userId: string): number => (userId === MOD ? 50 : userId === this.ownUserId ? this.botPower : 0);
  powerNeeded = (): number => this.needed;
  displayName = (userId: string): string => (userId === this.ownUserId ? "Bot" : userId.slice(1, 4));
  /** The thread of the last answer. */
  thread: string | null = null;
  reply(to: string, sentence: Sentence, thread: string | null = null): void {
    this.thread = thread;
    this.said.push({ to, sentence });
  }
  fetchMessage = (eventId: string): Promise<RoomMessage | null> =>
    Promise.resolve(this.messages.get(eventId) ?? null);
}
function fail(): never {
  throw new BotError("nothing_playing", "x", { say: { key: "player.nothing" } });
}

let room: FakeRoom;
let clock: FakeClock;
let documents: FakeDocuments;
let commands: RoomCommands;
let lines: { event: string; fields: LogFields }[];
let count = 0;
beforeEach(() => {
  room = new FakeRoom();
  clock = new FakeClock();
  lines = [];
  const note = (event: string, fields: LogFields = {}): void => void lines.push({ event, fields });
  const log: Log = { ...silentLog, info: note, warn: note, error: note };
  documents = new FakeDocuments();
  commands = new RoomCommands({ room, documents, clock, log });
});
afterEach(() => commands.close());

const message = (content: object, more: Partial<RoomMessage> = {}): RoomMessage => ({
  ...{
    eventId: `$${count++}`,
    type: "m.room.message",
    sender: ANN,
    ageMs: 100,
    originServerTs: clock.wall(),
    content,
  },
  ...more,
});
const text = (body: string, more: Partial<RoomMessage> = {}): RoomMessage =>
  message({ msgtype: "m.text", body }, more);
async function say(body: string, more: Partial<RoomMessage> = {}): Promise<string | undefined> {
  room.said.length = 0;
  await commands.handle(text(body, more));
  return room.said[0]?.sentence.key;
}

test("a command that was carried out before a kill is not carried out again by the next start", async () => {
  const once = text("!play first light");
  await commands.handle(once);
  expect(room.did).toContain("add first light");
  room.did.length = 0;
  const restarted = new RoomCommands({ room, documents, clock, log: silentLog });
  await restarted.handle(once);
  expect(room.did).toEqual([]);
  await restarted.handle(text("!play second"));
  expect(room.did).toContain("add second");
  restarted.close();
});

test("!status tells moderators how the bot is, and nothing of other rooms but numbers", async () => {
  await expect(say("!status")).resolves.toBe("error.not_permitted");
  await expect(say("!status", { sender: MOD })).resolves.toBe("status.list");
  const sentence = room.said[0]?.sentence;
  if (!sentence) throw new Error("no answer");
  const { text: said } = render(sentence);
  expect(said.split("\n").slice(1)).toEqual([
    "– version 1.2.3, running for 2 h 1 min",
    "– the homeserver last answered 12 s ago",
    "– the homeserver limits me at the moment (5 refusals in all): answers and refreshes come later",
    "– in 3 rooms, and in 1 voice channel with 4 people",
    "– audio processes: 1 (libdatachannel), 70 MB, 1 unexpected end",
    "– memory: 90 MB",
    "– recordings: 1 running, 2 to prepare or send, 0 files not sent",
  ]);
  expect(said).not.toContain("!one");
});

describe("!play", () => {
  test("joins, finds, queues and answers", async () => {
    await expect(say("!play first light")).resolves.toBe("play.now");
    expect(room.did).toEqual(["join", "resolve first light", "add first light"]);
  });

  test("!radio lists the stations, and plays one", async () => {
    await expect(say("!radio")).resolves.toBe("radio.list");
    expect(room.said.at(-1)?.sentence.params).toEqual({ list: "Night Wave\nRadio Nord" });
    await expect(say("!radio night wave")).resolves.toBe("play.now");
    // Looked for ahead of its turn, once.
    expect(room.did).toEqual(["resolve night wave", "join", "add night wave"]);
  });

  test("with nobody in the channel says so and does nothing", async () => {
    room.people = 0;
    await expect(say("!play x")).resolves.toBe("channel.empty");
    await expect(say("!record start", { sender: MOD })).resolves.toBe("channel.empty");
    expect(room.did).toEqual([]);
  });

  test("without the bot's power says what a moderator can do", async () => {
    room.needed = 50;
    await expect(say("!play x")).resolves.toBe("room.power");
    expect(room.said[0]?.sentence.params).toMatchObject({ needed: 50, actual: 0, suggested: 0 });
    await expect(say("!join")).resolves.toBe("room.power");
    expect(room.did).toEqual([]);
  });

  test("says why it could not join or find", async () => {
    await expect(say("!play nothing")).resolves.toBe("play.not_found");
    room.joined = false;
    room.joinError = new BotError("homeserver", "503");
    await expect(say("!play x")).resolves.toBe("error.internal");
  });

  test("goes on with what was held while the bot was away, and not with what somebody paused", async () => {
    room.now = { track: track("held"), phase: "paused", positionMs: 5_000 };
    await say("!play x");
    expect(room.did).toEqual(["join", "resolve x", "add x", "resume"]);
    room.did.length = 0;
    await say("!play y");
    expect(room.did).toEqual(["resolve y", "add y"]);
  });

  test("of a folder queues all that fit, and says how many did not", async () => {
    await expect(say("!play album/")).resolves.toBe("play.many_left");
    expect(room.did).toContain("add album/1.mp3, album/2.mp3, album/3.mp3");
    expect(room.said[0]?.sentence.params).toEqual({ title: "album", count: 2, left: 1 });
  });

  test("a number says which of those that were found is meant, by who has asked for them", async () => {
    await expect(say("2")).resolves.toBeUndefined();
    await expect(say("!search some words")).resolves.toBe("search.found");
    expect(room.said[0]?.sentence.params?.["names"]).toBe("1. ONE\n2. TWO");
    await expect(say("2", { sender: MOD })).resolves.toBeUndefined();
    await expect(say("2")).resolves.toBe("play.now");
    // From then on a number alone is talk, and with !play still an answer.
    await expect(say("1")).resolves.toBeUndefined();
    await expect(say("!play 1")).resolves.toBe("play.now");
    await expect(say("!play 3")).resolves.toBe("play.now");
    expect(room.did).toEqual(["join", "add two", "add one", "resolve 3", "add 3"]);
  });

  test("so it does where several match, and not when it is a part of talk", async () => {
    await expect(say("!play either")).resolves.toBe("play.ambiguous");
    for (const talk of ["1 of them", "0", "01", "123", "1.", "-1"])
      await expect(say(talk)).resolves.toBeUndefined();
    await commands.handle(message({ msgtype: "m.notice", body: "1" }));
    await commands.handle(
      message({ msgtype: "m.text", body: "1", "m.relates_to": { rel_type: "m.replace" } }),
    );
    expect(room.did).not.toContain("add one");
    await expect(say(" 1 ")).resolves.toBe("play.now");
    expect(room.did).toContain("add one");
  });

  test("nothing found offers nothing", async () => {
    await expect(say("!search nothing")).resolves.toBe("play.not_found");
    await expect(say("!search")).resolves.toBe("command.usage");
    await expect(say("1")).resolves.toBeUndefined();
  });

  test("bare means the audio it replies to", async () => {
    room.messages.set("$song", message(song));
    room.messages.set("$talk", text("hello"));
    const reply = (event_id: string): object => ({ "m.relates_to": { "m.in_reply_to": { event_id } } });
    await commands.handle(message({ msgtype: "m.text", body: "!play", ...reply("$song") }));
    expect(room.did).toContain("add mxc://a/b");
    await commands.handle(message({ msgtype: "m.text", body: "!play", ...reply("$talk") }));
    await commands.handle(message({ msgtype: "m.text", body: "!play", ...reply("$unknown") }));
    expect(room.said.slice(-2).map(({ sentence }) => sentence.key)).toEqual([
      "play.reply_not_audio",
      "play.reply_not_audio",
    ]);
  });

  test("bare means the file it is the caption of", async () => {
    await commands.handle(message({ ...song, filename: "x.mp3", body: "!play" }));
    expect(room.did).toContain("add mxc://a/b");
  });

  test("bare resumes what is paused, even with a recent upload", async () => {
    room.now = { track: track("t"), phase: "paused", positionMs: 5_000 };
    await commands.handle(message(song));
    await expect(say("!play")).resolves.toBe("player.resumed");
  });

  test("bare means the sender's own newest upload of the last five minutes, else the help", async () => {
    await commands.handle(message({ ...song, url: "mxc://a/old" }));
    await commands.handle(message(song));
    await expect(say("!play", { sender: MOD })).resolves.toBe("help.one");
    await expect(say("!play")).resolves.toBe("play.now");
    expect(room.did).toContain("add mxc://a/b");
    clock.tick(300_001);
    await expect(say("!play")).resolves.toBe("help.one");
  });

  test("tracks are queued in the order they were asked for", async () => {
    const gate = Promise.withResolvers<void>();
    room.gate = gate.promise;
    const both = [commands.handle(text("!play one")), commands.handle(text("!play two"))];
    await settle();
    await expect(say("!volume")).resolves.toBe("player.volume"); // Others do not wait.
    gate.resolve();
    await Promise.all(both);
    expect(room.did.filter((line) => line.startsWith("add"))).toEqual(["add one", "add two"]);
  });
});

describe("who may", () => {
  test.each([
    ["!stop", "error.not_yours"],
    ["!leave", "error.not_permitted"],
    ["!record start", "error.not_permitted"],
    ["!record stop", "error.not_permitted"],
    ["!record", "error.not_permitted"],
  ])("%s needs 50", async (body, refusal) => {
    room.joined = true;
    room.now = { track: track("x", MOD), phase: "playing", positionMs: 0 };
    await expect(say(body)).resolves.toBe(refusal);
    expect(room.said[0]?.sentence.params).toEqual({ level: 50, actual: 0, prefix: "!" });
    expect(room.did).toEqual([]);
    await say(body, { sender: MOD });
    expect(room.did.length).toBeGreaterThan(0);
  });

  test.each(["!play x", "!queue", "!np", "!volume 20", "!record status", "!help", "!ping", "!join"])(
    "%s is for everybody",
    async (body) => {
      await expect(say(body)).resolves.not.toBe("error.not_permitted");
    },
  );

  test("one's own track may be skipped, another's needs 50", async () => {
    room.now = { track: track("t", ANN), phase: "playing", positionMs: 0 };
    await expect(say("!skip")).resolves.toBe("player.skipped_now");
    room.now = { track: track("t", "@eve:test"), phase: "playing", positionMs: 0 };
    await expect(say("!skip")).resolves.toBe("vote.not_there");
    room.settings.set("vote-skip", "off");
    await expect(say("!skip")).resolves.toBe("error.not_yours");
    expect(room.said[0]?.sentence.params).toEqual({ level: 50, actual: 0, prefix: "!" });
    await expect(say("!skip", { sender: MOD })).resolves.toBe("player.skipped_now");
    room.alone = ANN;
    await expect(say("!skip")).resolves.toBe("player.skipped_now");
  });
});

describe("what is heard and what is not", () => {
  test("names count without case, by alias, and the nearest is offered for a wrong one", async () => {
    await expect(say("!PiNg")).resolves.toBe("ping");
    await expect(say("!v 30%")).resolves.toBe("player.volume_set");
    await expect(say("!plya x")).resolves.toBe("command.unknown_nearest");
    expect(room.said[0]?.sentence.params?.["nearest"]).toBe("play");
    await expect(say("!weather")).resolves.toBe("command.unknown");
  });

  test("what a stream cannot be is said, and done to whatever else comes", async () => {
    const stream = { kind: "stream", url: "https://radio.test/", format: "icy" } as const;
    room.now = { track: { ...track("radio"), source: stream }, phase: "playing", positionMs: 0 };
    await expect(say("!filter bass 3")).resolves.toBe("filter.now");
    await expect(say("!filter nightcore")).resolves.toBe("filter.now_stream");
    expect(room.filters).toMatchObject({ bassDb: 3, speed: 1.25, pitch: 3.86 });
    await expect(say("!filter")).resolves.toBe("filter.now_stream");
    room.now = { track: track("file"), phase: "playing", positionMs: 0 };
    await expect(say("!eq 60:+4")).resolves.toBe("filter.now");
    await expect(say("!eq 60:+4 70:+12")).resolves.toBe("filter.usage");
    await expect(say("!filter off")).resolves.toBe("filter.none");
  });

  test("a volume is somebody's own with me, and nobody needs a level for that", async () => {
    await expect(say("!volume me")).resolves.toBe("player.volume_me_none");
    await expect(say("!volume me 60")).resolves.toBe("player.volume_me_set");
    expect(room.own).toEqual(new Map([[ANN, 60]]));
    await expect(say("!vol ME")).resolves.toBe("player.volume_me");
    room.settings.set("levels", "volume=50");
    await expect(say("!volume 30")).resolves.toBe("error.not_permitted");
    await expect(say("!v me 200%")).resolves.toBe("player.volume_me_set");
    await expect(say("!volume me off")).resolves.toBe("player.volume_me_off");
    expect(room.own.get(ANN)).toBeNull();
    await expect(say("!volume me 100")).resolves.toBe("player.volume_me_off");
    for (const bad of ["me 201", "me loud", "men 60"])
      await expect(say(`!volume ${bad}`)).resolves.toMatch(/^(command\.usage|error\.not_permitted)$/);
    expect(room.did).toEqual([]);
  });

  test("the volume goes up and down, as far as the room has it", async () => {
    for (const [written, percent] of [
      ["+10", 90],
      ["-15", 65],
      ["\u2212 5 %", 75],
      ["-100", 0],
      ["+999", 120],
    ] as const) {
      room.settings.set("volume-max", "120");
      await expect(say(`!volume ${written}`)).resolves.toBe("player.volume_set");
      expect(room.did.at(-1)).toBe(`volume ${percent}`);
    }
  });

  test("who pauses what is paused, or goes on with what plays, is told so", async () => {
    room.now = { track: track("x"), phase: "paused", positionMs: 5_000 };
    await expect(say("!pause")).resolves.toBe("player.paused_already");
    room.now = { track: track("x"), phase: "playing", positionMs: 5_000 };
    await expect(say("!resume")).resolves.toBe("player.playing_already");
    expect(room.did).toEqual([]);
  });

  test("what is not there is nobody's: the answer is that there is nothing", async () => {
    room.waiting = [track("x", MOD)];
    await expect(say("!move 2 1")).resolves.toBe("player.no_position");
    await expect(say("!move 1 1")).resolves.toBe("error.not_yours");
    room.waiting = [];
    await say("!stop");
    expect(room.did).toEqual(["stop"]);
  });

  test("a command in a thread is answered there, and what it is not chosen to reply to is no audio file", async () => {
    const thread = { rel_type: "m.thread", event_id: "$root", is_falling_back: true };
    const relation = { "m.relates_to": { ...thread, "m.in_reply_to": { event_id: "$last" } } };
    const handle = (body: string): Promise<void> =>
      commands.handle(message({ msgtype: "m.text", body, ...relation }));
    room.messages.set("$last", text("nice"));
    await handle("!play");
    expect(room.said.at(-1)?.sentence.key).toBe("help.one");
    expect(room.thread).toBe("$root");
    room.messages.set("$last", message(song));
    await handle("!play");
    expect(room.did).toContain("resolve mxc://a/b");
    await say("!ping");
    expect(room.thread).toBeNull();
  });

  test.each([
    ["next", "skip"],
    ["unpause", "resume"],
    ["Hilfe", "help"],
    ["disconnect", "leave"],
    ["plya", "play"],
  ])("!%s is answered with !%s", async (name, nearest) => {
    await expect(say(`!${name}`)).resolves.toBe("command.unknown_nearest");
    expect(room.said[0]?.sentence.params).toMatchObject({ nearest });
  });

  test("what other bots call a command is none of ours, and what it means is", () => {
    for (const { name, aliases } of COMMANDS) {
      for (const own of [name, ...aliases]) expect([own, otherName(own)]).toEqual([own, null]);
    }
    expect(COMMANDS.map(({ name }) => name)).toContain(otherName("next"));
  });

  test("help of a command is in the room's language, words of its usage included", async () => {
    await expect(say("!help q please")).resolves.toBe("help.one");
    expect(room.said[0]?.sentence.params).toMatchObject({ usage: "!queue [page] (q)" });
    Object.assign(room, { language: "de" });
    for (const { name } of COMMANDS) {
      await expect(say(`!help ${name}`, { sender: MOD })).resolves.toBe("help.one");
      const usage = String(room.said[0]?.sentence.params?.["usage"]);
      expect(usage).not.toMatch(/[{}]|\b(name|page|words|address|text|title|value|command)\b/);
    }
  });

  test.each(["201", "-1000", "loud", "1e2", "1000"])(
    "a volume of %s is answered with how it is used",
    async (value) => {
      await expect(say(`!volume ${value}`)).resolves.toBe("command.usage");
      expect(room.did).toEqual([]);
    },
  );

  test("the bot's own, old, repeated and other events are not commands", async () => {
    await expect(say("!ping", { sender: room.ownUserId })).resolves.toBeUndefined();
    room.settings.set("bots", "@radio:test");
    await expect(say("!ping", { sender: "@radio:test" })).resolves.toBeUndefined();
    await expect(say("!ping", { ageMs: 120_001 })).resolves.toBeUndefined();
    expect(lines.at(-1)).toMatchObject({ event: "event_dropped", fields: { reason: "command_too_old" } });
    await expect(say("!ping", { type: "m.sticker" })).resolves.toBeUndefined();
    await expect(say("!ping", { eventId: "$same" })).resolves.toBe("ping");
    await expect(say("!ping", { eventId: "$same" })).resolves.toBeUndefined();
    // A server that gives no age: the sender's clock has to do.
    await expect(
      say("!ping", { ageMs: null, originServerTs: clock.wall() - 200_000 }),
    ).resolves.toBeUndefined();
  });

  test("an encrypted room is told once, and nothing is done in it", async () => {
    room.encrypted = true;
    await expect(say("!play x")).resolves.toBe("room.encrypted");
    await expect(say("!play x")).resolves.toBeUndefined();
    expect(room.did).toEqual([]);
  });

  test("a flood of many is dropped beyond a bound", async () => {
    room.gate = Promise.withResolvers<void>().promise;
    for (let index = 0; index < 30; index++)
      void commands.handle(text(`!play ${index}`, { sender: `@p${index}:test` }));
    await settle();
    expect(lines.filter(({ fields }) => fields["reason"] === "too_many_commands")).toHaveLength(10);
  });

  test("500 commands of one stranger get a few answers, once in a while why, and others are served", async () => {
    for (let index = 0; index < 500; index++) {
      await commands.handle(text(["!ping", "!help", "!nonsense", "!play nothing", "!stop"][index % 5] ?? ""));
      clock.tick(240); // two minutes in all
    }
    expect(room.said.length).toBeLessThanOrEqual(12 + 2 * 6 + 1);
    const keys = room.said.map(({ sentence }) => sentence.key);
    expect(keys.filter((key) => key === "command.too_many")).toHaveLength(1);
    await expect(say("!ping", { sender: "@ben:test" })).resolves.toBe("ping");
    clock.tick(60_000);
    await expect(say("!ping")).resolves.toBe("ping");
  });

  test("talk is no command and costs nothing", async () => {
    for (let index = 0; index < 500; index++) await commands.handle(text(`what a nice day ${index}`));
    await expect(say("!ping")).resolves.toBe("ping");
  });

  test("whoever moderates may do more", async () => {
    for (let index = 0; index < 40; index++)
      await expect(say("!ping", { sender: MOD })).resolves.toBe("ping");
  });

  test("one person's commands that hang leave room for everybody else's", async () => {
    room.gate = Promise.withResolvers<void>().promise;
    for (let index = 0; index < 30; index++) void commands.handle(text(`!play ${index}`));
    await settle();
    expect(room.signals).toHaveLength(1);
    await expect(say("!ping", { sender: "@ben:test" })).resolves.toBe("ping");
    expect(lines.filter(({ fields }) => fields["reason"] === "too_many_of_one")).toHaveLength(20);
  });

  test("somebody who queues an album at once is not taken for a flood", async () => {
    for (let index = 0; index < 10; index++) void commands.handle(text(`!play ${index}`));
    await settle();
    expect(room.did.filter((line) => line.startsWith("add"))).toHaveLength(10);
  });

  test("an upload that comes slowly keeps nobody else waiting", async () => {
    const slow = Promise.withResolvers<void>();
    room.slow = slow.promise;
    const work = commands.handle(message({ ...song, url: "mxc://a/slow", filename: "x.mp3", body: "!play" }));
    await settle();
    await expect(say("!play first", { sender: "@ben:test" })).resolves.toBe("play.now");
    slow.resolve();
    await work;
    expect(room.did.filter((line) => line.startsWith("add"))).toEqual(["add first", "add mxc://a/slow"]);
  });

  test("a download that takes over two seconds is told of once, one that fails or is soon there is not", async () => {
    const slow = Promise.withResolvers<void>();
    room.gate = slow.promise;
    const keys = (): string[] => room.said.map(({ sentence }) => sentence.key);
    const work = commands.handle(text("!play https://example.org/a.mp3?key=secret"));
    await clock.advance(1_900);
    expect(keys()).toEqual([]);
    await clock.advance(10_000);
    expect(room.said.map(({ sentence }) => render(sentence).text)).toEqual([
      "Fetching it from example.org …",
    ]);
    slow.resolve();
    await work;
    await commands.handle(text("!play https://example.org/b.mp3"));
    await clock.advance(10_000);
    expect(keys()).toEqual(["fetch.fetching", "play.now", "play.now"]);
  });

  test("each command leaves one line without what was written", async () => {
    room.now = { track: track("x", MOD), phase: "playing", positionMs: 0 };
    await say("!play secret words");
    await say("!stop");
    expect(lines.filter(({ event }) => event === "command").map(({ fields }) => fields)).toEqual([
      { name: "play", room: room.roomId, ok: true, ms: 0 },
      { name: "stop", room: room.roomId, ok: false, code: "not_permitted", ms: 0 },
    ]);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  test("a fault of ours is answered and logged as such", async () => {
    room.player.volume = () => {
      throw new TypeError("oops");
    };
    await expect(say("!volume")).resolves.toBe("error.internal");
    expect(lines.map(({ event }) => event)).toContain("command_failed");
  });

  test("a command that hangs is answered in the end", async () => {
    room.gate = Promise.withResolvers<void>().promise;
    const work = commands.handle(text("!play x"));
    await clock.advance(121_000);
    await work;
    expect(room.said[0]?.sentence).toMatchObject({ key: "error.internal", params: { code: "timeout" } });
    // What it waited for is ended, or it would hold up everybody's next.
    expect(room.signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});

test("!leave ends recording and music before it goes", async () => {
  room.joined = true;
  room.recording = true;
  room.now = { track: track("t"), phase: "playing", positionMs: 0 };
  await expect(say("!leave", { sender: MOD })).resolves.toBe("channel.left");
  expect(room.did).toEqual(["record stop", "stop", "leave"]);
  room.joined = false;
  await expect(say("!leave", { sender: MOD })).resolves.toBe("command.not_in_channel");
});

test("!queue and !np show titles safely in both languages", async () => {
  room.now = { track: { ...track("<b>now</b>"), artist: "A & B" }, phase: "playing", positionMs: 5_000 };
  room.waiting = Array.from({ length: 12 }, (_, index) => track(`t${index}`));
  await say("!queue");
  const sentence = room.said[0]?.sentence;
  if (!sentence) throw new Error("no answer");
  expect(render(sentence, "en").text).toContain("12 waiting, 12:00 in all");
  expect(render(sentence, "de").html).toContain("A &amp; B – &lt;b&gt;now&lt;/b&gt; (1:00)<br>1. t0 (1:00)");
  await say("!np");
  expect(render(room.said[0]?.sentence ?? sentence).text).toContain(
    "playing 0:05 / 1:00 – for ann, volume 80 %",
  );
});

test("!np says how many hear it, when somebody is there to; !check says what is wrong", async () => {
  room.now = { track: track("t"), phase: "playing", positionMs: 5_000 };
  room.joined = true;
  await expect(say("!np")).resolves.toBe("player.now");
  room.channelReport = aReport([aMember("Kim"), aMember("Robin", { link: "interrupted" })]);
  await expect(say("!np")).resolves.toBe("player.now_heard");
  const text = (): string => render(room.said[0]?.sentence ?? { key: "ping" }).text;
  expect(text()).toContain("heard by 1 of 2.");
  await say("!check");
  expect(text()).toMatch(/✗ Robin: interrupted – Nothing arrives from Robin any more.*\n✓ Kim: connected/);
});

test("!settings shows all to everybody, explains one, and lets moderators change it, in the room's words", async () => {
  expect(await say("!settings")).toBe("settings.list");
  const list = room.said[0]?.sentence ?? fail();
  for (const name of SETTING_NAMES) expect(render(list).text).toContain(`${name} = `);
  expect(render(list, "de").text).not.toMatch(/\{\w+\}/);
  expect(await say("!settings record.auto")).toBe("settings.one");
  expect(await say("!settings record.auto 3")).toBe("error.not_permitted");
  expect(await say("!settings record.auto 3", { sender: MOD })).toBe("settings.changed");
  expect(room.said[0]?.sentence.params).toMatchObject({
    by: "mod",
    name: "record.auto",
    before: "off",
    value: 3,
  });
  expect(await say("!settings record.auto 3", { sender: MOD })).toBe("settings.same");
  expect(await say("!set record.auto default", { sender: MOD })).toBe("settings.changed");
  expect(room.settings.get("record.auto")).toBe("off");
  expect(await say("!settings record.auto 1", { sender: MOD })).toBe("settings.bad_value");
  expect(await say("!settings record.outo 3")).toBe("settings.unknown_nearest");
});

test("!clip takes the last minute, or up to two, from anybody, and refuses other lengths", async () => {
  room.settings.set("clip", "on");
  for (const args of ["", " 1", " 120", " 30s"]) expect(await say(`!clip${args}`)).toBeUndefined();
  expect(room.did).toEqual([60, 1, 120, 30].map((seconds) => `clip ${seconds} ${ANN}`));
  for (const args of ["0", "121", "-5", "1e2", "all", "99999"])
    expect(await say(`!clip ${args}`)).toBe("clip.seconds");
  [room.joined, room.people] = [true, 0];
  expect(await say("!clip")).toBe("clip.alone");
  expect(room.did).toHaveLength(4);
});

test("!settings says what clips mean to those in the channel, in both directions", async () => {
  for (const value of ["on", "off"]) {
    expect(await say(`!settings clip ${value}`, { sender: MOD })).toBe("settings.changed_note");
    const note = render(room.said[0]?.sentence ?? fail()).text;
    expect(note).toMatch(value === "on" ? /!optout always keeps your voice out/ : /deleted/);
    expect(note).not.toMatch(/[{}]/);
  }
});

test("!settings says what a change means for the recording that runs", async () => {
  room.recording = true;
  const note = async (args: string): Promise<unknown> => {
    const key = await say(`!settings ${args}`, { sender: MOD });
    return key === "settings.changed_note" ? room.said[0]?.sentence.params?.["note"] : key;
  };
  expect(await note("record.format flac")).toMatch(/next one/);
  expect(await note("record.consent opt-in")).toMatch(/at once/);
  expect(await note("record.consent opt-out")).toMatch(/next one/);
  expect(await note("language de")).toBe("settings.changed");
});

test("names and aliases are unique, and help knows each", async () => {
  const names = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
  await say("!help");
  const list = render(room.said[0]?.sentence ?? { key: "ping" }).text;
  for (const { name } of COMMANDS) expect(list).toContain(`!${name}`);
  await expect(say("!help vol")).resolves.toBe("help.one");
  await expect(say("!help !vol")).resolves.toBe("help.one");
  await expect(say("!help plya")).resolves.toBe("command.unknown_nearest");
});

test("!optout and !optin are everybody's own, for this recording or for good", async () => {
  expect(await say("!optout")).toBe("consent.out_recording");
  expect(await say("!optout always", { sender: MOD })).toBe("consent.out_room");
  expect(await say("!optin")).toBe("consent.in_recording");
  expect(await say("!optin always")).toBe("consent.in_room");
  expect(room.did).toEqual([
    `${ANN} out of recording`,
    `${MOD} out of room`,
    `${ANN} into recording`,
    `${ANN} into room`,
  ]);
  room.did.length = 0;
  expect(await say("!optout @mod:test")).toBe("command.usage");
  expect(await say("!optin delete")).toBe("command.usage");
  expect(room.did).toEqual([]);
});

test("!optout delete says what is gone, and what was sent before", async () => {
  expect(await say("!optout delete")).toBe("consent.deleted_nothing");
  room.removed = { recordings: 1, files: 2, sent: 0 };
  expect(await say("!optout delete always")).toBe("consent.deleted");
  room.removed = { recordings: 1, files: 2, sent: 3 };
  expect(await say("!optout DELETE")).toBe("consent.deleted_some");
  expect(room.did.filter((what) => what.startsWith(ANN))).toEqual([
    ...[`${ANN} out of recording`, `${ANN} removed`, `${ANN} out of room`, `${ANN} removed`],
    ...[`${ANN} out of recording`, `${ANN} removed`],
  ]);
});

test("a refusal is never too old nor one too many, a consent may be", async () => {
  expect(await say("!optout", { ageMs: 3_600_000 })).toBe("consent.out_recording");
  expect(await say("!optin", { ageMs: 3_600_000 })).toBeUndefined();
  for (let i = 0; i < 30; i++) await say("!ping");
  room.did.length = 0;
  await say("!optin");
  expect(room.did).toEqual([]);
  await say("!optout");
  expect(room.did).toEqual([`${ANN} out of recording`]);
  // Whose other commands are not taken any more gets no answer to this one either.
  expect(room.said).toEqual([]);
});
