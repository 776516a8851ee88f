// The now-playing card: a real player over a silent media plane, the real outbox, and Synapse's limiter by the letter.
import { silentLog } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import { CardButtons } from "../../../src/bot/card/buttons.ts";
import { RoomCard } from "../../../src/bot/card/room-card.ts";
import { RoomReactions } from "../../../src/bot/reactions.ts";
import type { Press } from "../../../src/commands/dispatcher.ts";
import { SkipVotes } from "../../../src/commands/skip-votes.ts";
import { HomeserverError, type Homeserver } from "../../../src/matrix/homeserver.ts";
import { Outbox } from "../../../src/matrix/outbox.ts";
import type { RoomEvent } from "../../../src/matrix/session.ts";
import type { Cover } from "../../../src/player/cover/covers.ts";
import { RoomPlayer } from "../../../src/player/playback.ts";
import { RoomSettings } from "../../../src/settings/room-settings.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { limitExceeded } from "../../fakes/homeserver.ts";
import { SynapseLimiter } from "../../fakes/limiter.ts";
import { FakePlane } from "../../fakes/plane.ts";

const ROOM = "!room:test";
const BOT = "@bot:test";
const [ANN, BEN] = ["@ann:test", "@ben:test"] as const;

interface Sent {
  atMs: number;
  /** post, edit, react, redact */
  what: string;
  eventId: string;
  content: Record<string, unknown>;
  path: string;
}

let clock: FakeClock;
let plane: FakePlane;
let documents: FakeDocuments;
let settings: RoomSettings;
let limiter: SynapseLimiter | null;
let outbox: Outbox;
let player: RoomPlayer;
let votes: SkipVotes;
let card: RoomCard;
let buttons: RoomReactions;
/** Covers of what is on, by its title, and who waits for them. */
let covers: Map<string, Cover>;
let coverListeners: Set<() => void>;
let present: Set<string>;
let encrypted: boolean;
let sent: Sent[];
let refusals: number;
let pressed: Press[];
/** What the homeserver says to a kind of event from now on. */
let refuse: Record<string, Error | undefined>;
let transactions: Map<string, string>;
let ids: number;

const homeserver: Homeserver = {
  baseUrl: "http://hs",
  request: async (_method, path, { body } = {}) => {
    await new Promise<void>((resolve) => clock.timer(30, resolve));
    const content = (body ?? {}) as Record<string, unknown>;
    const relation = content["m.relates_to"] as { rel_type?: string } | undefined;
    const what = path.includes("/state/")
      ? "refresh"
      : path.includes("/redact/")
        ? "redact"
        : relation?.rel_type === "m.annotation"
          ? "react"
          : relation?.rel_type === "m.replace"
            ? "edit"
            : "post";
    const known = transactions.get(path);
    if (known !== undefined) return { event_id: known };
    const error = refuse[what];
    if (error) throw error;
    const answer = limiter?.take(clock.now()) ?? { taken: true };
    if (!answer.taken) {
      refusals++;
      throw limitExceeded(answer.retryAfterMs);
    }
    const eventId = `$${what}${++ids}`;
    transactions.set(path, eventId);
    sent.push({ atMs: clock.now(), what, eventId, content, path: decodeURIComponent(path) });
    return { event_id: eventId };
  },
};

function open(): void {
  const language = (): "en" | "de" => settings.get("language");
  settings = new RoomSettings({ documents, prefix: "!", log: silentLog, tell: () => undefined });
  outbox = new Outbox({
    ...{ homeserver, clock, log: silentLog, isEncrypted: () => encrypted, random: () => 0.5 },
  });
  player = new RoomPlayer({
    ...{ channel: ROOM, plane, documents, clock, log: silentLog, tell: () => undefined },
    open: () => Promise.resolve({ path: "/media/x" }),
  });
  votes = new SkipVotes({
    present: () => present,
    share: () => 51,
    now: () => player.nowPlaying()?.track.id ?? null,
  });
  const room = {
    id: ROOM,
    get encrypted() {
      return encrypted;
    },
    displayName: (userId: string) => userId.slice(1, -5),
  };
  const parts = { player, votes, settings };
  const coverPort = {
    of: (id: string) => {
      const { now } = player.state();
      return now?.track.id === id ? (covers.get(now.track.title) ?? null) : null;
    },
    onChange: (listener: () => void) => (coverListeners.add(listener), () => coverListeners.delete(listener)),
  };
  const kept = { documents, language, clock, log: silentLog };
  card = new RoomCard({ room, session: { outbox }, ...parts, covers: coverPort, ...kept });
  const press = (what: Press): Promise<void> => Promise.resolve(void pressed.push(what));
  buttons = new RoomReactions(BOT, [new CardButtons({ card, ...parts, press })]);
}
function close(): void {
  card.close();
  player.close();
  outbox.close();
}

beforeEach(async () => {
  clock = new FakeClock();
  plane = new FakePlane({ clock, durationOf: () => 200_000 });
  documents = new FakeDocuments();
  limiter = new SynapseLimiter();
  [present, encrypted, sent, refusals] = [new Set([ANN, BEN]), false, [], 0];
  [covers, coverListeners] = [new Map(), new Set()];
  [pressed, refuse, transactions, ids] = [[], {}, new Map(), 0];
  open();
  const ice = { servers: [], allowPrivate: "auto" as const };
  await plane.request({ kind: "channel.open", channel: ROOM, ice, bitrate: 128_000 });
});
afterEach(async () => {
  close();
  await plane.close();
});

async function add(
  title: string,
  requester: string = ANN,
  durationMs: number | null = 200_000,
): Promise<void> {
  const source = { kind: "library", path: title } as const;
  const adding = player.add({ source, title, durationMs, isDescribed: true }, requester);
  await clock.advance(200);
  await adding;
}
/** As the answer to a command. */
async function answer(key: Sentence["key"], eventId = "$command"): Promise<Sentence | null> {
  const { say } = card.answer(eventId, { key, params: { title: "x" } });
  await clock.advance(200);
  return say;
}
const event = (fields: Partial<RoomEvent>): RoomEvent => ({
  ...{ eventId: `$e${++ids}`, roomId: ROOM, type: "m.room.message", sender: ANN, stateKey: null, ageMs: 0 },
  ...{ originServerTs: 0, content: {}, prevContent: null, redacts: null, origin: "live" as const },
  ...fields,
});
function talk(count: number): void {
  for (let i = 0; i < count; i++) card.handle(event({}));
}
const reaction = (key: string, fields: Partial<RoomEvent> = {}): RoomEvent => {
  const target = sent.findLast(({ what }) => what === "post")?.eventId;
  const content = { "m.relates_to": { rel_type: "m.annotation", event_id: target, key } };
  return event({ type: "m.reaction", content, ...fields });
};
const whats = (): string => sent.map(({ what }) => what).join(" ");
const textOf = ({ content }: Sent): string => {
  const now = (content["m.new_content"] ?? content) as { body: string };
  return now.body;
};
const last = (what: string): Sent => sent.findLast((each) => each.what === what) ?? fail(what);
function fail(what: string): never {
  throw new Error(`nothing was sent as ${what}`);
}
const forbidden = (): HomeserverError => new HomeserverError(403, "M_FORBIDDEN", "no", null);

test("what a !play starts is answered by the card itself: one notice that pings nobody, with nothing of strangers in its HTML", async () => {
  await add("<b>@ann:test</b> & co");
  await add("second", BEN);
  expect(await answer("play.now")).toBeNull();
  expect(whats()).toMatch(/^post( react)?$/);
  expect(sent[0]?.content).toMatchObject({
    ...{ msgtype: "m.notice", "m.mentions": {} },
    "m.relates_to": { "m.in_reply_to": { event_id: "$command" } },
  });
  expect(String(sent[0]?.content["body"])).toMatch(
    /^▶ Now playing <b>@ann:test<\/b> & co\n●─{15} 0:0\d \/ 3:20\nFor ann · volume 100 %\nNext: second \(3:20\)$/,
  );
  const html = String(sent[0]?.content["formatted_body"]);
  expect(html).toContain("<strong>&lt;b&gt;@ann:test&lt;/b&gt; &amp; co</strong><br>");
  expect(html.replaceAll(/<\/?strong>|<br>/g, "")).not.toMatch(/[<>]/);
  await clock.advance(10_000);
  expect(whats()).toMatch(/^post( react)+$/);
});

test("without a command it comes by itself, five seconds into the track", async () => {
  await add("one");
  await clock.advance(4_500);
  expect(sent).toEqual([]);
  await clock.advance(1_000);
  expect(whats()).toMatch(/^post( react)?$/);
  expect(sent[0]?.content["m.relates_to"]).toBeUndefined();
});

test("edits are replacements that mention nobody: for a change at once, for the bar alone once a minute", async () => {
  await add("one");
  await add("two", BEN);
  await answer("play.now");
  await clock.advance(45_000);
  expect(whats()).toBe("post react react react react react");
  const posted = sent[0]?.eventId;
  expect(sent.slice(1).map(({ content }) => (content["m.relates_to"] as { key: string }).key)).toEqual([
    ...["⏯️", "⏭️", "⏹️", "🔀", "🔁"],
  ]);
  await clock.advance(30_000);
  expect(whats()).toBe("post react react react react react edit");
  expect(last("edit").content).toMatchObject({
    "m.mentions": {},
    "m.new_content": { msgtype: "m.notice", "m.mentions": {} },
    "m.relates_to": { rel_type: "m.replace", event_id: posted },
  });
  expect(textOf(last("edit"))).toMatch(/━━━━●─+ 1:0\d \/ 3:20/);
  player.pause();
  await clock.advance(3_500);
  expect(textOf(last("edit"))).toMatch(/^⏸ Paused: one/);
  const count = sent.length;
  await clock.advance(600_000);
  expect(sent).toHaveLength(count); // Nothing moves.
  player.resume();
  player.setVolume(60);
  player.edit.loop("queue");
  await clock.advance(3_000);
  expect(sent).toHaveLength(count + 1);
  expect(textOf(last("edit"))).toMatch(/volume 60 %\nThe whole queue is repeated\.\nNext: two/);
  player.skip();
  await clock.advance(3_500);
  expect(textOf(last("edit"))).toMatch(/^▶ Now playing two/);
  player.stop();
  await clock.advance(3_500);
  expect(textOf(last("edit"))).toBe("⏹ Nothing is playing.");
  expect(sent.filter(({ what }) => what === "post")).toHaveLength(1);
});

test("it is wound: the bar is another at once", async () => {
  await add("one");
  await answer("play.now");
  await clock.advance(10_000);
  player.edit.seek({ kind: "to", ms: 100_000 });
  await clock.advance(4_000);
  expect(textOf(last("edit"))).toMatch(/━{8}●─{7} 1:4\d/);
});

test("while nothing sounds for a while there is nothing to write", async () => {
  await add("one");
  await answer("play.now");
  await clock.advance(60_000);
  plane.crash();
  const count = sent.length;
  await clock.advance(600_000);
  // Until it is held, which is told.
  expect(sent.slice(count).map((each) => textOf(each).slice(0, 8))).toEqual(["⏸ Paused"]);
});

describe("the cover of what is on", () => {
  const IMAGE = '<br><img src="mxc://hs/cover" alt="" width="160" height="120">';
  const htmlOf = ({ content }: Sent): string =>
    ((content["m.new_content"] ?? content) as { formatted_body: string }).formatted_body;
  const found = (title: string): void => {
    covers.set(title, { mxc: "mxc://hs/cover", width: 320, height: 240 });
    for (const listener of coverListeners) listener();
  };

  test("is in the card when it is there by then, and in its HTML alone", async () => {
    await add("one");
    found("one");
    await clock.advance(5_500);
    expect(whats()).toMatch(/^post( react)?$/);
    expect(htmlOf(sent[0] ?? fail("post"))).toMatch(new RegExp(`${IMAGE}$`));
    expect(textOf(sent[0] ?? fail("post"))).not.toMatch(/mxc|img/);
  });

  test("comes with one edit where it is later, not at once; another track takes it away", async () => {
    await add("one");
    await add("two");
    await answer("play.now");
    found("one");
    await clock.advance(20_000);
    expect(whats()).toMatch(/^post (react )?edit( react)*$/);
    expect(htmlOf(last("edit"))).toMatch(new RegExp(`${IMAGE}$`));
    player.skip();
    await clock.advance(3_500);
    expect(htmlOf(last("edit"))).toMatch(/two/);
    expect(htmlOf(last("edit"))).not.toMatch(/img/);
  });

  test("comes soon also where the homeserver's limit leaves nothing for buttons, and waits while it leaves nothing", async () => {
    await add("one");
    await answer("play.now");
    await clock.advance(30_000);
    const owed = { kind: "message", type: "m.room.message", content: {} } as const;
    const owe = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) void outbox.send(ROOM, owed, { priority: "answer" });
      await clock.advance(500);
      sent = [];
    };
    await owe(3);
    found("one");
    await clock.advance(3_500);
    expect(whats()).toBe("edit");
    await add("two");
    player.skip();
    await clock.advance(5_000);
    await owe(8);
    found("two");
    await clock.advance(3_500);
    expect(whats()).not.toContain("edit");
    await clock.advance(120_000);
    expect(htmlOf(last("edit"))).toMatch(/two.*img/);
  });

  test("is left out where the room wants it plain, and taken away where it wants that later", async () => {
    await add("one");
    found("one");
    settings.set("card", "plain");
    await clock.advance(5_500);
    expect(htmlOf(sent[0] ?? fail("post"))).not.toMatch(/img/);
    settings.set("card", "on");
    await clock.advance(40_000);
    expect(htmlOf(last("edit"))).toMatch(/img/);
    settings.set("card", "plain");
    await clock.advance(10_000);
    expect(htmlOf(last("edit"))).not.toMatch(/img/);
  });
});

describe("in a room that talks", () => {
  test("another track moves the card down: a new one, and the old one is removed; the same track does not", async () => {
    await add("one");
    await add("two");
    await answer("play.now");
    await clock.advance(30_000);
    talk(7);
    player.skip();
    await clock.advance(30_000);
    expect(sent.filter(({ what }) => what === "post")).toHaveLength(1);
    talk(9);
    player.edit.replay();
    await clock.advance(30_000);
    expect(sent.filter(({ what }) => what === "post")).toHaveLength(1);
    await add("three");
    sent = [];
    player.skip();
    await clock.advance(20_000);
    expect(whats()).toMatch(/^post redact/);
    expect(textOf(sent[0] ?? fail("post"))).toMatch(/^▶ Now playing three/);
    expect(sent[1]?.path).toContain("/redact/$post1/");
  });

  test("edits and its own message are no talk", async () => {
    await add("one");
    await add("two");
    await answer("play.now");
    for (let i = 0; i < 20; i++) {
      card.handle(event({ content: { "m.relates_to": { rel_type: "m.replace", event_id: "$x" } } }));
      card.handle(event({ eventId: sent[0]?.eventId ?? "", sender: BOT }));
    }
    player.skip();
    await clock.advance(20_000);
    expect(sent.filter(({ what }) => what === "post")).toHaveLength(1);
  });

  test("a skip is answered without what the card says; out of sight the card is the answer", async () => {
    for (const title of ["one", "two", "three", "four"]) await add(title);
    expect(await answer("player.skipped_now")).toBeNull(); // There is none yet.
    player.skip();
    const owed = { kind: "message", type: "m.room.message", content: {} } as const;
    for (let i = 0; i < 4; i++) void outbox.send(ROOM, owed, { priority: "answer" });
    // The card cannot say it soon.
    expect(await answer("player.skipped_now")).toEqual({ key: "player.skipped_now", params: { title: "x" } });
    await clock.advance(60_000);
    expect(await answer("player.skipped_now")).toEqual({ key: "player.skipped", params: { title: "x" } });
    expect(await answer("player.paused")).toEqual({ key: "player.paused", params: { title: "x" } });
    talk(8);
    await clock.advance(3_000);
    player.skip();
    expect(await answer("vote.skipped_now", "$vote")).toBeNull();
    expect(textOf(last("post"))).toMatch(/wanted that: skipped x\.\n▶ Now playing three/);
    expect(last("post").content["formatted_body"]).toMatch(/<strong>x<\/strong>\.<br>▶ Now playing <strong>/);
    expect(last("post").content["m.relates_to"]).toEqual({ "m.in_reply_to": { event_id: "$vote" } });
    player.stop();
    expect(await answer("player.stopped")).not.toBeNull();
  });
});

test("where the room lets nobody remove messages, the old card says that it is none", async () => {
  refuse["redact"] = forbidden();
  await add("one");
  await answer("play.now");
  await answer("play.now", "$again");
  await clock.advance(20_000);
  expect(last("edit").content).toMatchObject({ "m.relates_to": { event_id: sent[0]?.eventId } });
  expect(textOf(last("edit"))).toBe("⤵ Further down.");
});

test("off: the answer is the old one, what stands is removed; on again: it comes back", async () => {
  await add("one");
  await answer("play.now");
  settings.set("card", "off");
  await clock.advance(3_000);
  expect(last("redact").path).toContain(`/redact/${sent[0]?.eventId}/`);
  expect(await answer("play.now")).toEqual({ key: "play.now", params: { title: "x" } });
  const count = sent.length;
  await clock.advance(60_000);
  expect(sent).toHaveLength(count);
  settings.set("card", "on");
  await clock.advance(10_000);
  expect(last("post").atMs).toBeGreaterThan(clock.now() - 10_000);
});

test("nothing is sent in an encrypted room", async () => {
  encrypted = true;
  await add("one");
  expect(await answer("play.now")).not.toBeNull();
  await clock.advance(60_000);
  expect(sent).toEqual([]);
});

test("a card that somebody removes comes back with the next track, not before", async () => {
  await add("one");
  await add("two");
  await answer("play.now");
  card.handle(event({ type: "m.room.redaction", redacts: sent[0]?.eventId ?? "" }));
  player.setVolume(50);
  await clock.advance(60_000);
  expect(sent.filter(({ what }) => what === "post")).toHaveLength(1);
  player.skip();
  await clock.advance(10_000);
  expect(textOf(last("post"))).toMatch(/^▶ Now playing two/);
});

describe("after a restart", () => {
  test("the card is taken over: edited, with the buttons that it has; before the queue is there nothing is said of it", async () => {
    await add("one");
    await answer("play.now");
    await clock.advance(60_000);
    close();
    sent = [];
    open();
    await clock.advance(20_000);
    expect(sent).toEqual([]);
    player.restore();
    player.resume();
    card.begin();
    await clock.advance(5_000);
    expect(whats()).toBe("edit");
    expect(last("edit").content).toMatchObject({ "m.relates_to": { event_id: "$post1" } });
    expect(textOf(last("edit"))).toMatch(/^▶ Now playing one\n.* 1:\d\d/);
    expect(card.is("$post1")).toBe(true);
    await clock.advance(40_000);
    expect(whats()).toBe("edit");
  });

  test("a kill while it was being posted leaves no second one", async () => {
    await add("one");
    await clock.advance(4_820);
    // The homeserver takes it, and the bot is killed before it learns that.
    const kept = new Map(documents.kept);
    expect(sent).toEqual([]);
    await clock.advance(20);
    expect(whats()).toBe("post");
    close();
    documents.kept.clear();
    for (const [name, text] of kept) documents.kept.set(name, text);
    open();
    player.restore();
    player.resume();
    card.begin();
    await clock.advance(10_000);
    expect(sent.filter(({ what }) => what === "post")).toHaveLength(1);
    expect(textOf(last("edit"))).toMatch(/^▶ Now playing one/);
  });

  test("the card of a room that this one has replaced stays there", async () => {
    documents.write("card", {
      ...{ room: "!old:test", old: ["$x"], posting: null },
      standing: { eventId: "$y", track: null, buttons: 0 },
    });
    close();
    open();
    card.begin();
    await add("one");
    await answer("play.now");
    await clock.advance(5_000);
    expect(whats()).toMatch(/^post/);
    expect(whats()).not.toMatch(/redact/);
  });
});

test("an outbox that is closed is left alone", async () => {
  await add("one");
  await answer("play.now");
  outbox.close();
  player.setVolume(10);
  let sends = 0;
  const send = outbox.send.bind(outbox);
  outbox.send = (...args) => (sends++, send(...args));
  await clock.advance(60_000);
  expect(sends).toBeLessThan(10);
});

describe("buttons", () => {
  beforeEach(async () => {
    for (const [title, requester] of [
      ["one", ANN],
      ["two", BEN],
      ["three", ANN],
    ] as const) {
      await add(title, requester);
    }
    await answer("play.now");
  });
  const names = (): string[] => pressed.map(({ name, args }) => `${name} ${args}`.trim());

  test("are commands of who presses, whoever has put them there; of a style or another", async () => {
    for (const key of ["⏯", "⏭️", "⏹", "🔀", "🔁", "🔉", "🔊", "👍", "⏭⏭"]) {
      await buttons.handle(reaction(key, { sender: BEN }));
    }
    expect(names()).toEqual(["pause", "skip", "stop", "shuffle", "loop track", "volume 90", "volume 110"]);
    expect(new Set(pressed.map(({ sender }) => sender))).toEqual(new Set([BEN]));
    expect(pressed[0]?.on).toBe(sent[0]?.eventId);
    pressed = [];
    player.pause();
    player.edit.loop("queue");
    settings.set("volume-max", "105");
    for (const key of ["⏯️", "🔁", "🔊"]) await buttons.handle(reaction(key));
    expect(names()).toEqual(["resume", "loop off", "volume 105"]);
  });

  test("of other messages, of ourselves, of before the bot came, and malformed ones do nothing", async () => {
    await buttons.handle(reaction("⏭", { sender: BOT }));
    await buttons.handle(reaction("⏭", { ageMs: 31_000 }));
    await buttons.handle(reaction("⏭", { origin: "state" }));
    const elsewhere = { "m.relates_to": { rel_type: "m.annotation", event_id: "$other", key: "⏭" } };
    await buttons.handle(event({ type: "m.reaction", content: elsewhere }));
    await buttons.handle(event({ type: "m.reaction", content: { "m.relates_to": { key: "⏭" } } }));
    expect(pressed).toEqual([]);
  });

  test("a press is about the track that the card showed, unless it has shown an old one for long", async () => {
    const first = player.nowPlaying()?.track.id;
    player.skip();
    // The edit is on its way, or held back: who presses sees the first.
    await buttons.handle(reaction("⏭"));
    expect(pressed.at(-1)?.track).toBe(first);
    await clock.advance(4_000);
    await buttons.handle(reaction("⏭"));
    expect(pressed.at(-1)?.track).toBe(player.nowPlaying()?.track.id);
    await buttons.handle(reaction("⏭", { ageMs: 3_000 }));
    expect(pressed.at(-1)?.track).toBe(first);
    refuse["edit"] = forbidden();
    player.skip();
    await clock.advance(16_000);
    await buttons.handle(reaction("⏭"));
    expect(pressed.at(-1)?.track).toBeNull();
  });

  test("a reaction taken back presses once more, by who made it alone; ⏹ does not, and a vote is withdrawn by it", async () => {
    const play = reaction("⏯");
    await buttons.handle(play);
    const back = (redacts: string, sender: string = ANN): RoomEvent =>
      event({ type: "m.room.redaction", redacts, sender });
    await buttons.handle(back(play.eventId, BEN));
    expect(names()).toEqual(["pause"]);
    await buttons.handle(back(play.eventId));
    await buttons.handle(back(play.eventId));
    expect(names()).toEqual(["pause", "pause"]);
    expect(new Set(pressed.map(({ eventId }) => eventId)).size).toBe(2);
    const stop = reaction("⏹");
    await buttons.handle(stop);
    await buttons.handle(back(stop.eventId));
    expect(names()).toEqual(["pause", "pause", "stop"]);
    const skip = reaction("⏭", { sender: BEN });
    await buttons.handle(skip);
    votes.vote(BEN);
    await buttons.handle(back(skip.eventId, BEN));
    expect([votes.tally(), names().length]).toEqual([null, 4]);
  });

  test("votes are seen on the card, and gone from it with who leaves", async () => {
    votes.vote(BEN);
    await clock.advance(4_000);
    expect(textOf(last("edit"))).toMatch(/\n1 of 2 want to skip this\.$/);
    present = new Set([ANN]);
    votes.peopleChanged();
    await clock.advance(4_000);
    expect(textOf(last("edit"))).not.toMatch(/want to skip/);
  });
});

describe("the budget", () => {
  test("an hour of music and talk keeps to it: never refused, and always enough left for three who join at once", async () => {
    for (let i = 0; i < 30; i++) await add(`t${i}`);
    await answer("play.now");
    let least = Infinity;
    for (let second = 0; second < 3600; second++) {
      if (second % 14 === 0) {
        const content = { second };
        const refresh = { kind: "state", type: "x", stateKey: "k", content } as const;
        void outbox.send(ROOM, refresh, { priority: "refresh" }).catch(() => undefined);
      }
      if (second % 20 === 0) talk(1);
      if (second % 120 === 60) player.skip();
      await clock.advance(1_000);
      // What Synapse would still take now, by its own meter.
      least = Math.min(least, left());
    }
    expect(refusals).toBe(0);
    expect(least).toBeGreaterThanOrEqual(3);
    expect(sent.filter(({ what }) => what === "post").length).toBeGreaterThan(5);
  });

  test("while the homeserver limits us the card is quiet, and then says what is, not what was", async () => {
    await add("one");
    await add("two");
    await answer("play.now");
    limiter = new SynapseLimiter(0.2, 1);
    limiter.take(clock.now());
    const outgoing = { kind: "message", type: "m.room.message", content: {} } as const;
    void outbox.send(ROOM, outgoing, { priority: "answer" });
    await clock.advance(1_000);
    expect([outbox.limited, refusals]).toEqual([true, 1]);
    limiter = new SynapseLimiter();
    sent = [];
    player.skip();
    player.setVolume(10);
    await clock.advance(20_000);
    expect(whats()).toBe("post"); // The answer that was owed.
    player.setVolume(20);
    await clock.advance(120_000);
    expect(whats()).toBe("post edit"); // No buttons, no bar.
    expect(textOf(last("edit"))).toMatch(/^▶ Now playing two[^]*volume 20 %/);
  });

  test("an exempt bot has all buttons, and a bar that moves twice a minute", async () => {
    limiter = null;
    for (let i = 0; i < 14; i++) {
      const outgoing = { kind: "message", type: "m.room.message", content: { i } } as const;
      void outbox.send(ROOM, outgoing, { priority: "answer" });
    }
    await clock.advance(2_000);
    expect(outbox.budget).toBe("unlimited");
    sent = [];
    await add("one");
    await answer("play.now");
    await clock.advance(2_000);
    expect(whats()).toBe("post react react react react react react react");
    await clock.advance(60_000);
    expect(sent.filter(({ what }) => what === "edit")).toHaveLength(2);
  });

  /** Events that Synapse would take at once now. */
  function left(): number {
    const meter = new SynapseLimiter();
    for (const { atMs } of sent) meter.take(atMs);
    let count = 0;
    while (meter.take(clock.now()).taken) count++;
    return count;
  }
});
