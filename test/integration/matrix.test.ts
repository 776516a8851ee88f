// The Matrix session on a real Synapse with its default limits.
import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { readEventState } from "../../src/matrix/event-state.ts";
import type { Homeserver } from "../../src/matrix/homeserver.ts";
import { removeMedia } from "../../src/matrix/media-removal.ts";
import { openHomeserver } from "../../src/matrix/sdk-client.ts";
import type { Outgoing } from "../../src/matrix/outbox.ts";
import type { Priority } from "../../src/matrix/outbox-state.ts";
import { MatrixSession, type RoomEvent } from "../../src/matrix/session.ts";
import { Successors } from "../../src/matrix/successors.ts";
import { readTurnServers } from "../../src/matrix/turn.ts";
import { matrixRequest } from "../support/matrix-http.ts";
import { callStateType, Person } from "../support/people.ts";
import { rejection } from "../support/rejection.ts";
import { startSynapse, type Synapse, type SynapseUser } from "../support/synapse.ts";

let synapse: Synapse;
let ada: Person;
let dir: string;
/** Those of the test that runs. */
const sessions: MatrixSession[] = [];
const outliving: MatrixSession[] = [];
let limited: ReturnType<typeof beyondTheLimit>;
let bots = 0;

beforeAll(async () => {
  synapse = await startSynapse({ maxUploadSize: "2M" });
  ada = await Person.start(await synapse.createUser("ada", { exempt: true, displayName: "Ada" }));
  dir = await mkdtemp(join(tmpdir(), "voicebot-matrix-"));
  limited = beyondTheLimit();
  limited.catch(() => undefined);
}, 60_000);

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.stop()));
});

afterAll(async () => {
  await Promise.all(outliving.map((session) => session.stop()));
  await ada?.stop();
  await synapse?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** A bot account that nobody has limited the invitations of yet. */
function newBot(): Promise<SynapseUser> {
  return synapse.createUser(`bot${bots++}`);
}

interface Running {
  session: MatrixSession;
  /** `live m.room.message body`, `joined`, `left kicked` and so on, of what came so far. */
  seen: string[];
  wait: (line: string) => Promise<void>;
}

interface BotOptions {
  dataDir?: string;
  invitesAllow?: string[];
  takesInvite?: (roomId: string) => boolean;
  wrap?: (homeserver: Homeserver) => Homeserver;
  onEvent?: (event: RoomEvent, session: MatrixSession) => void | Promise<void>;
  /** It is not stopped with the test that runs, but with the last. */
  outlives?: boolean;
}

async function startBot(user: SynapseUser, options: BotOptions = {}): Promise<Running> {
  const seen: string[] = [];
  const real = await openHomeserver(user.baseUrl, user.accessToken);
  const session: MatrixSession = new MatrixSession({
    homeserver: options.wrap?.(real) ?? real,
    accessToken: user.accessToken,
    dataDir: options.dataDir ?? join(dir, user.deviceId),
    invitesAllow: options.invitesAllow ?? null,
    ...(options.takesInvite === undefined ? {} : { takesInvite: options.takesInvite }),
    keptStateTypes: [callStateType],
    handlers: {
      onRoomJoined: (_room, { fresh }) => void seen.push(fresh ? "joined fresh" : "joined"),
      onRoomLeft: (_id, { kind, by }) => void seen.push(`left ${kind} by ${by}`),
      onRoomEvent: (_room, event) => {
        const { body } = event.content as { body?: string };
        seen.push(`${event.origin} ${event.type} ${body ?? ""}`.trim());
        return options.onEvent?.(event, session);
      },
    },
    onFatal: (error) => seen.push(`fatal ${error.code}`),
    clock: systemClock,
    log: silentLog,
  });
  (options.outlives === true ? outliving : sessions).push(session);
  await session.start();
  const wait = async (line: string): Promise<void> => {
    for (let i = 0; i < 1000; i++) {
      if (seen.includes(line)) return;
      await sleep(10);
    }
    throw new Error(`never saw "${line}", but:\n${seen.join("\n")}`);
  };
  return { session, seen, wait };
}

/** A room with Ada and the bot in it; the bot's session is running. */
async function together(options: BotOptions = {}): Promise<Running & { user: SynapseUser; roomId: string }> {
  const user = await newBot();
  const bot = await startBot(user, options);
  const roomId = await ada.createVoiceRoom({ invite: [user.userId] });
  await bot.wait("joined fresh");
  return { ...bot, user, roomId };
}

/** Says more at once than the limit allows. Takes half a minute, in which the other tests run: each bot has its own limit. */
async function beyondTheLimit(): Promise<{
  replies: number;
  order: string[];
  beforeLeft: number;
  withLeft: number;
}> {
  const { session, roomId } = await together({ outlives: true });
  const order: string[] = [];
  const send = async (name: string, outgoing: Outgoing, priority: Priority): Promise<void> => {
    await session.outbox.send(roomId, outgoing, { priority });
    order.push(name);
  };
  const left: Outgoing = {
    kind: "state",
    type: callStateType,
    stateKey: "k",
    content: { join_state: "LEFT" },
  };
  const reply = (body: string): Outgoing => ({
    kind: "message",
    type: "m.room.message",
    content: { msgtype: "m.notice", body },
  });
  const replies = Array.from({ length: 11 }, (_, i) => send(`r${i}`, reply(`r${i}`), "reply"));
  while (!session.outbox.limited) {
    // So slow that some of the limit has come back: then it takes more of them.
    const said = replies.length;
    if (order.length === 100) throw new Error("there is no limit");
    if (order.length === said) replies.push(send(`r${said}`, reply(`r${said}`), "reply"));
    await sleep(10);
  }
  const beforeLeft = order.length;
  await send("left", left, "leave");
  const withLeft = order.length;
  await Promise.all(replies);
  return { replies: replies.length, order, beforeLeft, withLeft };
}

const live = (seen: string[]): string[] => seen.filter((line) => line.startsWith("live m.room.message"));

describe("following rooms", () => {
  test("the first sync is history, what comes after it is live", async () => {
    const { session, user, roomId } = await together();
    await ada.sendText(roomId, "before");
    await session.stop();
    const fresh = await startBot(user, { dataDir: join(dir, "fresh") });
    await ada.sendText(roomId, "after");
    await fresh.wait("live m.room.message after");
    expect(live(fresh.seen)).toEqual(["live m.room.message after"]);
    expect(fresh.session.room(roomId)).toMatchObject({ name: "Voice", encrypted: false, joinedCount: 2 });
    expect(fresh.session.room(roomId)?.displayName(ada.userId)).toBe("Ada");
    expect(fresh.session.room(roomId)?.powerOf(ada.userId)).toBe(Infinity);
    expect(fresh.session.room(roomId)?.can(user.userId, callStateType, true)).toBe(true);
  });

  test("a kill between handling and storing loses nothing and answers nothing twice", async () => {
    const answer = async (event: RoomEvent, session: MatrixSession): Promise<void> => {
      if (event.content["body"] !== "!ping") return;
      await session.reply(event.roomId, event.eventId, { text: "pong", html: "pong" });
      await session.reply(event.roomId, event.eventId, { text: "and pong", html: "and pong" });
    };
    const { session, user, roomId, wait } = await together({ onEvent: answer });
    await ada.sendText(roomId, "marker");
    await wait("live m.room.message marker");
    await sleep(200);
    // What a kill would leave: the position from before the answer.
    const killed = join(dir, "killed");
    await cp(join(dir, user.deviceId), killed, { recursive: true });
    await ada.sendText(roomId, "!ping");
    await ada.waitForMessage(roomId, /^and pong$/);
    await session.stop();

    const after = await startBot(user, { dataDir: killed, onEvent: answer });
    await ada.sendText(roomId, "end");
    await after.wait("live m.room.message end");
    expect(live(after.seen)).toContain("live m.room.message !ping");
    // Time for a second answer, if there were one.
    await sleep(500);
    const pongs = ada.events.filter(
      (e) => e.roomId === roomId && e.sender === user.userId && e.type === "m.room.message",
    );
    expect(pongs.map((e) => e.content["body"])).toEqual(["pong", "and pong"]);
    expect(pongs[0]?.content).toMatchObject({ msgtype: "m.notice", "m.mentions": {} });
  });

  test("a restart within two minutes gets no cached answer: nothing handled comes again", async () => {
    const { session, user, roomId, wait } = await together();
    await ada.sendText(roomId, "once");
    await wait("live m.room.message once");
    await session.stop();
    for (let i = 0; i < 3; i++) {
      const again = await startBot(user);
      await sleep(100);
      expect(live(again.seen)).toEqual([]);
      await again.session.stop();
    }
  });

  /** Sends many messages at once; returns what a reader of live messages must see, in the order of the room. */
  async function burst(roomId: string, count: number): Promise<string[]> {
    const position = ada.position;
    const sent = await Promise.all(Array.from({ length: count }, (_, i) => ada.sendText(roomId, `m${i}`)));
    await Promise.all(
      sent.map((eventId) => ada.waitForEvent((event) => event.eventId === eventId, 20_000, position)),
    );
    const ids = new Set(sent);
    const inOrder = ada.events.filter((event) => ids.has(event.eventId));
    return inOrder.map((event) => `live m.room.message ${String(event.content["body"])}`);
  }

  const phone = { join_state: "JOINED", timestamp: 1 };

  test("what a limited timeline left out while we were away is read back, in order and once", async () => {
    const { session, user, roomId } = await together();
    await session.stop();
    const expected = await burst(roomId, 150);
    await ada.sendState(roomId, callStateType, `phone@${ada.userId}`, phone);
    const back = await startBot(user);
    expect(live(back.seen)).toEqual(expected);
    expect(back.session.room(roomId)?.stateOf(callStateType)).toMatchObject([
      { sender: ada.userId, stateKey: `phone@${ada.userId}`, content: phone },
    ]);
  }, 60_000);

  test("and what it left out while we were running, with the state read again", async () => {
    let hold: Promise<void> | null = null;
    const { seen, session, roomId, wait } = await together({
      wrap: (homeserver) => ({
        baseUrl: homeserver.baseUrl,
        request: async (method, path, options) => {
          if (path.endsWith("/sync") && hold !== null) await hold;
          return homeserver.request(method, path, options);
        },
      }),
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    await ada.sendText(roomId, "first");
    await wait("live m.room.message first");
    await ada.sendState(roomId, callStateType, `phone@${ada.userId}`, phone);
    const expected = await burst(roomId, 150);
    resolve();
    await wait(expected.at(-1) ?? "");
    expect(live(seen)).toEqual(["live m.room.message first", ...expected]);
    expect(seen.filter((line) => line === `live ${callStateType}`)).toHaveLength(1);
    expect(session.room(roomId)?.stateOf(callStateType)).toHaveLength(1);
  }, 60_000);

  test("an encrypted room is known as such, and gets nothing but the clear notice", async () => {
    const user = await newBot();
    const bot = await startBot(user);
    const roomId = await ada.createVoiceRoom({ invite: [user.userId], encrypted: true });
    await bot.wait("joined fresh");
    expect(bot.session.room(roomId)?.encrypted).toBe(true);
    const refused = await rejection(bot.session.notice(roomId, { text: "psst", html: "psst" }));
    expect(refused).toMatchObject({ code: "room_encrypted" });
    const text = { text: "I cannot work here", html: "I cannot work here" };
    const first = await bot.session.clearNotice(roomId, text);
    expect(await bot.session.clearNotice(roomId, text)).toBe(first);
    await ada.waitForMessage(roomId, /cannot work here/);
  });
});

describe("invitations and leaving", () => {
  test("only whom the policy allows is followed, also what waited at start", async () => {
    const eve = new Person(await synapse.createUser("eve", { exempt: true }));
    const user = await newBot();
    const wanted = await ada.createVoiceRoom({ invite: [user.userId] });
    const unwanted = await eve.createVoiceRoom({ invite: [user.userId] });
    const bot = await startBot(user, { invitesAllow: ["@ada:*"] });
    await bot.wait("joined fresh");
    await sleep(300);
    expect([...bot.session.rooms.keys()]).toEqual([wanted]);
    await bot.session.stop();

    // The invitation is older than the stored position now; the policy has changed.
    const open = await startBot(user, { invitesAllow: ["*:voice.test"] });
    await open.wait("joined fresh");
    expect([...open.session.rooms.keys()].toSorted()).toEqual([wanted, unwanted].toSorted());
  });

  test("kicked while running, and banned while away", async () => {
    const { session, user, roomId, wait } = await together();
    await ada.kick(roomId, user.userId);
    await wait(`left kicked by ${ada.userId}`);
    expect(session.room(roomId)).toBeNull();
    const refused = await rejection(session.notice(roomId, { text: "x", html: "x" }));
    expect(refused).toMatchObject({ code: "room_encrypted" });

    const beforeInvite = ada.position;
    await ada.invite(roomId, user.userId);
    await ada.waitForEvent(
      (e) => e.roomId === roomId && e.stateKey === user.userId && e.content["membership"] === "join",
      30_000,
      beforeInvite,
    );
    await session.stop();
    await ada.ban(roomId, user.userId);
    const back = await startBot(user);
    expect(back.seen).toEqual([`left banned by ${ada.userId}`]);
  });
});

describe("media", () => {
  const audio = { mimeType: "audio/ogg", fileName: "one two?.ogg" };

  test("a file goes up and comes back, byte for byte", async () => {
    const { session, roomId } = await together();
    const bytes = randomBytes(1_500_000);
    const path = join(dir, "up.ogg");
    await writeFile(path, bytes);
    const mxc = await session.media.uploadFile(path, audio);
    const back = join(dir, "down.ogg");
    const got = await session.media.download(mxc, back, { maxBytes: bytes.length });
    expect(got).toEqual({ bytes: bytes.length, contentType: "audio/ogg" });
    expect((await readFile(back)).equals(bytes)).toBe(true);
    const message = { mxc, ...audio, size: bytes.length, audio: { durationMs: 1000, waveform: null } };
    await session.file(roomId, message, "recording 1");
    expect(await session.media.has(mxc)).toBe(true);
    expect(await session.media.has("mxc://voice.test/nothing")).toBe(false);
    const event = await ada.waitForEvent((e) => e.content["msgtype"] === "m.audio");
    expect(event.content).toMatchObject({ body: "one two?.ogg", info: { duration: 1000, size: 1_500_000 } });
  });

  test("an empty file goes up", async () => {
    const { session } = await together();
    const path = join(dir, "empty.ogg");
    await writeFile(path, "");
    await expect(session.media.uploadFile(path, audio)).resolves.toMatch(/^mxc:/);
  });

  test("one over the server's limit is refused before it is sent, with both sizes", async () => {
    const { session } = await together();
    const path = join(dir, "big.ogg");
    await writeFile(path, Buffer.alloc(3_000_000));
    expect(await rejection(session.media.uploadFile(path, audio))).toMatchObject({
      code: "media_too_large",
      say: { key: "media.upload_too_large", params: { size: "3.00", limit: "2.10" } },
    });
  });

  test("what was removed is told by the homeserver; its own copy only an administrator deletes", async () => {
    const { session, user, roomId } = await together();
    const homeserver = await openHomeserver(user.baseUrl, user.accessToken);
    const path = join(dir, "gone.ogg");
    await writeFile(path, "sound");
    const mxc = await session.media.uploadFile(path, audio);
    const eventId = await session.file(roomId, { mxc, ...audio, size: 5, audio: null }, "gone");
    const { signal } = new AbortController();
    expect(await readEventState(homeserver, roomId, eventId, signal)).toEqual({ state: "there" });
    await ada.redact(roomId, eventId);
    const redacted = { state: "redacted", by: ada.userId };
    expect(await readEventState(homeserver, roomId, eventId, signal)).toEqual(redacted);
    expect(await readEventState(homeserver, roomId, "$nothing", signal)).toEqual({ state: "unknown" });
    expect(await removeMedia(homeserver, mxc)).toBe(false);
    expect(await session.media.has(mxc)).toBe(true);
    const admin = await synapse.createUser("media-admin", { admin: true });
    expect(await removeMedia(await openHomeserver(user.baseUrl, admin.accessToken), mxc)).toBe(true);
    expect(await session.media.has(mxc)).toBe(false);
  });

  test("a download over the bound, of nothing, or of nonsense leaves no file", async () => {
    const { session } = await together();
    const mxc = await ada.uploadMedia(new Uint8Array(50_000), "audio/ogg", "a.ogg");
    const to = join(dir, "none", "x");
    const folder = await mkdtemp(join(dir, "folder-"));
    const path = join(folder, "x");
    const outcome = (uri: string): Promise<unknown> =>
      rejection(session.media.download(uri, path, { maxBytes: 49_999 }));
    expect(await outcome(mxc)).toMatchObject({ code: "media_too_large" });
    expect(await outcome("mxc://voice.test/nothing")).toMatchObject({ code: "not_found" });
    expect(await outcome("mxc://voice.test/../x")).toMatchObject({ code: "not_found" });
    expect(await readdir(folder)).toEqual([]);
    expect(await rejection(session.media.download(mxc, to, { maxBytes: 60_000 }))).toMatchObject({
      code: "not_found",
    });
  });
});

test("a homeserver without TURN gives none", async () => {
  const user = await newBot();
  const homeserver = await openHomeserver(user.baseUrl, user.accessToken);
  expect(await readTurnServers(homeserver)).toMatchObject({ servers: [] });
});

test("a wrong token is told as such", async () => {
  const user = await newBot();
  const failure = rejection(startBot({ ...user, accessToken: "wrong" }));
  expect(await failure).toMatchObject({ code: "forbidden" });
});

describe("room upgrades", () => {
  test("the replacement is joined once it lets us in, and says itself which room it replaces", async () => {
    const invitations: string[] = [];
    let successors: Successors | null = null;
    const { session, user, roomId } = await together({
      takesInvite: (id) => successors?.invited(id) ?? false,
    });
    successors = new Successors({
      homeserver: await openHomeserver(user.baseUrl, user.accessToken),
      onRefused: (from) => invitations.push(from),
      ...{ clock: systemClock, log: silentLog },
    });
    try {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/upgrade`;
      const answer = (await matrixRequest(ada.session, "POST", path, { new_version: "11" })) as {
        replacement_room: string;
      };
      const next = answer.replacement_room;
      const until = async (what: string, is: () => boolean): Promise<void> => {
        for (let i = 0; !is(); i++) {
          if (i === 500) throw new Error(`never: ${what}`);
          await sleep(10);
        }
      };
      await until("the tombstone", () => session.room(roomId)?.replacement != null);
      expect(session.room(roomId)?.replacement).toEqual({ roomId: next, by: ada.userId });
      successors.follow(roomId, session.room(roomId)!.replacement!);
      await until("refused", () => invitations.length > 0);
      expect(invitations).toEqual([roomId]);
      await ada.invite(next, user.userId);
      await until("in the new room", () => session.room(next) !== null);
      expect(session.room(next)?.predecessor).toBe(roomId);
      successors.forget(next);
      await successors.leave(roomId);
      await until("out of the old room", () => session.room(roomId) === null);
    } finally {
      successors.close();
    }
  });
});

test("the default limits are obeyed: everything goes out, a LEFT before what waits", async () => {
  const { replies, order, beforeLeft, withLeft } = await limited;
  expect(withLeft).toBe(beforeLeft + 1);
  const said = order.filter((name) => name !== "left");
  expect(said).toEqual(Array.from({ length: replies }, (_, i) => `r${i}`));
}, 60_000);
