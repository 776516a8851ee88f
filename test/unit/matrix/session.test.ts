import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { HomeserverError } from "../../../src/matrix/homeserver.ts";
import { MatrixSession, type RoomEvent, type SessionHandlers } from "../../../src/matrix/session.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { rejection } from "../../support/rejection.ts";
import { FakeHomeserver, Gate, limitExceeded, type FakeRequest } from "../../fakes/homeserver.ts";

const bot = "@bot:voice.test";
const ada = "@ada:voice.test";
const roomId = "!r";
const callState = "de.mtorials.test.callstate";
const token = "syt_token";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-session-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

let serial = 0;

function raw(type: string, content: object, more: object = {}): object {
  return {
    event_id: `$${serial++}`,
    type,
    sender: ada,
    origin_server_ts: 1000,
    content,
    unsigned: { age: 7 },
    ...more,
  };
}

function message(body: string): object {
  return raw("m.room.message", { msgtype: "m.text", body });
}

function member(userId: string, membership: string, before?: string, sender = userId): object {
  const unsigned = before === undefined ? {} : { unsigned: { prev_content: { membership: before } } };
  return raw("m.room.member", { membership }, { state_key: userId, sender, ...unsigned });
}

function state(type: string, content: object, more: object = {}): object {
  return raw(type, content, { state_key: "", ...more });
}

interface Timeline {
  events?: object[];
  limited?: boolean;
  prev_batch?: string;
}

function joined(timeline: Timeline = {}, stateEvents: object[] = []): object {
  return { state: { events: stateEvents }, timeline: { events: [], ...timeline } };
}

const inRoom = (): object[] => [state("m.room.create", {}), member(bot, "join"), member(ada, "join")];

/** A session on a fake homeserver whose syncs a test answers one by one. */
class Bench {
  readonly clock = new FakeClock();
  readonly homeserver = new FakeHomeserver();
  readonly seen: string[] = [];
  readonly fatal: BotError[] = [];
  readonly session: MatrixSession;
  handle: (event: RoomEvent) => void | Promise<void> = () => {};
  readonly #polls: { request: FakeRequest; gate: Gate }[] = [];

  constructor(invitesAllow: string[] | null = null, random = 0.5) {
    this.homeserver
      .on("GET", /whoami$/, () => ({ user_id: bot, device_id: "DEV" }))
      .on("GET", /\/sync$/, (request) => {
        const gate = new Gate();
        this.#polls.push({ request, gate });
        return gate.promise;
      });
    const handlers: SessionHandlers = {
      onRoomJoined: (room, { fresh, inviter }) => {
        this.seen.push(`joined ${room.id}${fresh ? ` fresh by ${inviter}` : ""}`);
      },
      onRoomLeft: (id, { kind, by }) => {
        this.seen.push(`left ${id} ${kind} by ${by}`);
      },
      onRoomEvent: (_room, event) => {
        const { body, membership, name } = event.content as Record<string, string | undefined>;
        this.seen.push(
          `${event.origin} ${event.type.replace("m.room.", "")} ${body ?? membership ?? name ?? ""}`.trim(),
        );
        return this.handle(event);
      },
    };
    this.session = new MatrixSession({
      homeserver: this.homeserver,
      accessToken: token,
      dataDir,
      invitesAllow,
      keptStateTypes: [callState],
      handlers,
      onFatal: (error) => this.fatal.push(error),
      clock: this.clock,
      log: silentLog,
      random: () => random,
    });
  }

  /** The request of the poll that waits. */
  async poll(): Promise<{ request: FakeRequest; gate: Gate }> {
    // Files are real: reading the position takes real time.
    for (let i = 0; i < 2000; i++) {
      const poll = this.#polls[0];
      if (poll !== undefined) return poll;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error("no poll");
  }

  /** Answers the poll that waits, and waits for the next. */
  async answer(nextBatch: string, rooms: object = {}): Promise<FakeRequest> {
    const { request, gate } = await this.poll();
    this.#polls.shift();
    gate.open({ next_batch: nextBatch, rooms });
    await this.poll();
    return request;
  }

  async fail(error: unknown): Promise<void> {
    const { gate } = await this.poll();
    this.#polls.shift();
    gate.fail(error);
    await settle();
  }

  /** Starts with one known room. */
  async started(rooms: object = { join: { [roomId]: joined({}, inRoom()) } }): Promise<this> {
    const ready = this.session.start();
    await this.answer("s1", rooms);
    await ready;
    this.seen.length = 0;
    return this;
  }

  paths(pattern: RegExp): string[] {
    return this.homeserver.requests.map(({ path }) => path).filter((path) => pattern.test(path));
  }
}

/** Waits (in real time, bounded) until the stored position is this one. */
async function stored(nextBatch: string): Promise<void> {
  let text = "";
  for (let i = 0; i < 200; i++) {
    text = await readFile(join(dataDir, "sync.json"), "utf8").catch(() => "");
    if (text.includes(`"nextBatch":"${nextBatch}"`)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`stored is ${text}`);
}

async function storeBefore(nextBatch: string, userId = bot): Promise<void> {
  const position = { version: 1, homeserverUrl: "http://homeserver.test", userId, nextBatch };
  await writeFile(join(dataDir, "sync.json"), JSON.stringify(position));
}

describe("the first sync ever", () => {
  test("tells the rooms and their state; the timeline is history", async () => {
    const bench = new Bench();
    const ready = bench.session.start();
    const timeline = [message("old"), state("m.room.name", { name: "Lounge" })];
    const request = await bench.answer("s1", { join: { [roomId]: joined({ events: timeline }, inRoom()) } });
    await ready;
    expect(request.query).toMatchObject({ set_presence: "offline" });
    expect(request.query).not.toHaveProperty("since");
    expect(bench.seen).toEqual([
      "joined !r",
      "state create",
      "state member join",
      "state member join",
      "state name Lounge",
    ]);
    expect(bench.session.room(roomId)).toMatchObject({ name: "Lounge", encrypted: false, joinedCount: 2 });
    expect(bench.session.identity).toEqual({ userId: bot, deviceId: "DEV", serverName: "voice.test" });
    await bench.session.stop();
  });

  test("afterwards events are live, once each", async () => {
    const bench = await new Bench().started();
    const hello = message("hello");
    const first = await bench.answer("s2", { join: { [roomId]: joined({ events: [hello] }) } });
    await bench.answer("s3", { join: { [roomId]: joined({ events: [hello, message("again")] }) } });
    expect(first.query).toMatchObject({ since: "s1" });
    expect(bench.seen).toEqual(["live message hello", "live message again"]);
    await bench.session.stop();
  });
});

describe("the stored position", () => {
  test("is written when the handlers are done, readable for us only; the next poll does not wait", async () => {
    const bench = await new Bench().started();
    await stored("s1");
    const gate = new Gate<void>();
    bench.handle = () => gate.promise;
    await bench.answer("s2", { join: { [roomId]: joined({ events: [message("slow")] }) } });
    await bench.answer("s3");
    await stored("s1");
    gate.open();
    await stored("s3");
    expect((await stat(join(dataDir, "sync.json"))).mode & 0o777).toBe(0o600);
    await bench.session.stop();
  });

  test("is not written when we stop while handlers are running: the next start repeats them", async () => {
    const bench = await new Bench().started();
    await stored("s1");
    bench.handle = () => new Gate<void>().promise;
    await bench.answer("s2", { join: { [roomId]: joined({ events: [message("slow")] }) } });
    await bench.session.stop();
    await stored("s1");
    expect(bench.clock.pending).toBe(0);
  });

  test("is written after a minute although a handler hangs, and although one fails", async () => {
    const bench = await new Bench().started();
    bench.handle = () => Promise.reject(new Error("broken"));
    await bench.answer("s2", { join: { [roomId]: joined({ events: [message("a")] }) } });
    await stored("s2");
    bench.handle = () => new Gate<void>().promise;
    await bench.answer("s3", { join: { [roomId]: joined({ events: [message("b")] }) } });
    await bench.clock.advance(60_000);
    await stored("s3");
    await bench.session.stop();
  });

  test("is where a restart goes on: with the whole state, and what was missed is live", async () => {
    await storeBefore("s7");
    const bench = new Bench();
    const ready = bench.session.start();
    const request = await bench.answer("s8", {
      join: { [roomId]: joined({ events: [message("missed")] }, inRoom()) },
    });
    await ready;
    expect(request.query).toMatchObject({ since: "s7", full_state: true });
    expect(bench.seen.filter((line) => !line.startsWith("state"))).toEqual([
      "joined !r",
      "live message missed",
    ]);
    await bench.session.stop();
  });

  test("of another account, or damaged, is not used", async () => {
    for (const write of [() => storeBefore("s7", ada), () => writeFile(join(dataDir, "sync.json"), "{")]) {
      await write();
      const bench = new Bench();
      const ready = bench.session.start();
      expect((await bench.answer("s1")).query).not.toHaveProperty("since");
      await ready;
      await bench.session.stop();
    }
  });

  test("that the homeserver does not know is given up", async () => {
    await storeBefore("s7");
    const bench = new Bench();
    const ready = bench.session.start();
    await bench.fail(new HomeserverError(400, "M_UNKNOWN_POS", "no such position", null));
    expect((await bench.answer("s1")).query).not.toHaveProperty("since");
    await ready;
    await bench.session.stop();
  });
});

test("restarts ask in different words, because answers are cached", async () => {
  const timeouts: unknown[] = [];
  for (const random of [0.1, 0.9]) {
    const bench = new Bench(null, random);
    const ready = bench.session.start();
    timeouts.push((await bench.answer("s1")).query["timeout"]);
    await ready;
    await bench.session.stop();
  }
  expect(timeouts[0]).not.toBe(timeouts[1]);
});

describe("a limited timeline", () => {
  const gap = (events: object[]): object => ({
    join: { [roomId]: joined({ events, limited: true, prev_batch: "p1" }) },
  });

  test("is read back in order, once, and the state is read again", async () => {
    const bench = await new Bench().started();
    const pages = [[message("4"), message("3")], [message("2"), message("1")], []];
    bench.homeserver
      .on("GET", /\/messages$/, () => ({ chunk: pages.shift(), end: `p${9 - pages.length}` }))
      .on("GET", /\/state$/, () => [
        ...inRoom(),
        state("m.room.power_levels", { users: { [ada]: 7 } }),
        state(callState, { join_state: "JOINED" }, { state_key: "d" }),
      ]);
    const five = message("5");
    await bench.answer("s2", gap([five]));
    expect(bench.seen).toEqual([
      "live message 1",
      "live message 2",
      "live message 3",
      "live message 4",
      "live message 5",
      "state create",
      "state member join",
      "state member join",
      "state power_levels",
      `state ${callState}`,
    ]);
    const queries = bench.homeserver.requests.filter(({ path }) => path.endsWith("/messages"));
    expect(queries[0]?.query).toMatchObject({ from: "p1", to: "s1", dir: "b" });
    expect(queries).toHaveLength(3);
    expect(bench.session.room(roomId)?.powerOf(ada)).toBe(7);
    expect(bench.session.room(roomId)?.stateOf(callState)).toHaveLength(1);
    await bench.session.stop();
  });

  test("who lost power in the gap has none while it is delivered", async () => {
    const bench = await new Bench().started({
      join: { [roomId]: joined({}, [...inRoom(), state("m.room.power_levels", { users: { [ada]: 50 } })]) },
    });
    const powers: (number | undefined)[] = [];
    bench.handle = (event) => {
      if (event.type === "m.room.message") powers.push(bench.session.room(roomId)?.powerOf(ada));
    };
    bench.homeserver
      .on("GET", /\/messages$/, () => ({ chunk: [message("!stop")] }))
      .on("GET", /\/state$/, () => [...inRoom(), state("m.room.power_levels", { users: {} })]);
    await bench.answer("s2", gap([state("m.room.power_levels", { users: {} })]));
    expect(powers).toEqual([0]);
    await bench.session.stop();
  });

  test("reading back is bounded", async () => {
    const bench = await new Bench().started();
    bench.homeserver
      .on("GET", /\/messages$/, () => ({ chunk: [message("x")], end: "more" }))
      .on("GET", /\/state$/, () => inRoom());
    await bench.answer("s2", gap([]));
    expect(bench.paths(/\/messages$/)).toHaveLength(3);
    await bench.session.stop();
  });

  test("a state that cannot be read leaves the room in doubt, until it can", async () => {
    const bench = await new Bench().started();
    bench.homeserver
      .on("GET", /\/messages$/, () => ({ chunk: [] }))
      .on("GET", /\/state$/, () => {
        throw new HomeserverError(500, "M_UNKNOWN", "bug", null);
      });
    const answered = bench.answer("s2", gap([message("a")]));
    for (let i = 0; i < 3; i++) await bench.clock.advance(1000);
    await answered;
    expect(bench.session.room(roomId)?.encrypted).toBe(true);
    bench.homeserver.on("GET", /\/state$/, () => inRoom());
    await bench.answer("s3", { join: { [roomId]: joined({ events: [message("b")] }) } });
    expect(bench.session.room(roomId)?.encrypted).toBe(false);
    await bench.session.stop();
  });

  test("after a restart reads back from the stored position, and takes the state that came with it", async () => {
    await storeBefore("s7");
    const bench = new Bench();
    bench.homeserver.on("GET", /\/messages$/, () => ({ chunk: [message("missed")] }));
    const ready = bench.session.start();
    const block = joined({ events: [message("last")], limited: true, prev_batch: "p1" }, inRoom());
    await bench.answer("s8", { join: { [roomId]: block } });
    await ready;
    expect(bench.seen.filter((line) => line.startsWith("live"))).toEqual([
      "live message missed",
      "live message last",
    ]);
    expect(bench.paths(/\/state$/)).toEqual([]);
    await bench.session.stop();
  });
});

describe("state blocks", () => {
  test("an older state than the timeline's is not told", async () => {
    const bench = await new Bench().started();
    const live = raw(callState, { name: "JOINED" }, { state_key: "d", origin_server_ts: 2000 });
    const old = raw(callState, { name: "LEFT" }, { state_key: "d", origin_server_ts: 1700 });
    const fresh = raw(callState, { name: "LATER" }, { state_key: "d", origin_server_ts: 2300 });
    await bench.answer("s2", { join: { [roomId]: joined({ events: [live] }) } });
    await bench.answer("s3", { join: { [roomId]: joined({}, [old]) } });
    await bench.answer("s4", { join: { [roomId]: joined({}, [fresh]) } });
    expect(bench.seen).toEqual([`live ${callState} JOINED`, `state ${callState} LATER`]);
    await bench.session.stop();
  });

  test("a malformed event is dropped, and a malformed encryption event still encrypts", async () => {
    const bench = await new Bench().started();
    const broken: unknown[] = [{ type: "m.room.message" }, 7, raw("m.room.message", {}, { sender: "ada" })];
    await bench.answer("s2", {
      join: { [roomId]: joined({ events: [...broken, message("ok")] as object[] }) },
    });
    expect(bench.seen).toEqual(["live message ok"]);
    await bench.answer("s3", { join: { [roomId]: joined({ events: [{ type: "m.room.encryption" }] }) } });
    expect(bench.session.room(roomId)?.encrypted).toBe(true);
    await bench.session.stop();
  });
});

describe("joining and leaving", () => {
  const invitation = (inviter: string): object => ({
    invite_state: {
      events: [{ type: "m.room.member", sender: inviter, state_key: bot, content: { membership: "invite" } }],
    },
  });

  test("an invitation of our own server is accepted; what was before we came is history", async () => {
    const bench = await new Bench().started({});
    bench.homeserver.on("POST", /\/join\//, () => ({ room_id: "!new" }));
    await bench.answer("s2", { invite: { "!new": invitation(ada), "!evil": invitation("@eve:evil.test") } });
    await settle();
    expect(bench.paths(/\/join\//)).toEqual(["/_matrix/client/v3/join/!new"]);
    const events = [message("before"), member(bot, "join", "invite"), message("after")];
    await bench.answer("s3", {
      join: { "!new": joined({ events, limited: true, prev_batch: "p" }, [member(ada, "join")]) },
    });
    expect(bench.seen).toEqual([
      `joined !new fresh by ${ada}`,
      "state member join",
      "state member join",
      "live message after",
    ]);
    expect(bench.paths(/\/messages$/)).toEqual([]);
    await bench.session.stop();
  });

  test("a 429 on joining is waited for; an invitation that was taken back is not followed", async () => {
    const bench = await new Bench(["@*:voice.test"]).started({});
    bench.homeserver.on("POST", /\/join\//, () => {
      throw limitExceeded(5000);
    });
    await bench.answer("s2", { invite: { "!new": invitation(ada) } });
    await bench.clock.advance(4999);
    expect(bench.paths(/\/join\//)).toHaveLength(1);
    await bench.clock.advance(1);
    expect(bench.paths(/\/join\//)).toHaveLength(2);
    const gone = { timeline: { events: [member(bot, "leave", "invite", ada)] } };
    await bench.answer("s3", { leave: { "!new": gone } });
    await bench.clock.advance(60_000);
    expect(bench.paths(/\/join\//)).toHaveLength(2);
    expect(bench.seen).toEqual([]);
    await bench.session.stop();
  });

  test("a restart finds the invitations of before", async () => {
    await storeBefore("s7");
    const bench = new Bench();
    bench.homeserver.on("POST", /\/join\//, () => ({}));
    const ready = bench.session.start();
    await bench.answer("s8");
    await ready;
    // The second poll and the question for invitations come in either order.
    for (let i = 0; i < 2; i++) {
      const { request } = await bench.poll();
      if (request.query["since"] === undefined) break;
      await bench.answer(`t${i}`);
    }
    await bench.answer("x", { invite: { "!old": invitation(ada) } });
    await settle();
    expect(bench.paths(/\/join\//)).toEqual(["/_matrix/client/v3/join/!old"]);
    await bench.session.stop();
  });

  test.each([
    ["kicked", member(bot, "leave", "join", ada), ada],
    ["banned", member(bot, "ban", "join", ada), ada],
    ["left", member(bot, "leave", "join"), bot],
  ])("we are told that we were %s", async (kind, event, by) => {
    const bench = await new Bench().started();
    await bench.answer("s2", { leave: { [roomId]: { timeline: { events: [event] } } } });
    expect(bench.seen).toEqual([`left ${roomId} ${kind} by ${by}`]);
    expect(bench.session.room(roomId)).toBeNull();
    await bench.session.stop();
  });

  test("kicked and back within one response", async () => {
    const bench = await new Bench().started();
    const events = [
      member(bot, "leave", "join", ada),
      message("gone"),
      member(bot, "join", "leave"),
      message("hi"),
    ];
    await bench.answer("s2", { join: { [roomId]: joined({ events }, inRoom()) } });
    expect(bench.seen.filter((line) => !line.startsWith("state"))).toEqual([
      `left ${roomId} kicked by ${ada}`,
      `joined ${roomId} fresh by null`,
      "live message hi",
    ]);
    await bench.session.stop();
  });

  test("a new display name of ours is not a join", async () => {
    const bench = await new Bench().started();
    await bench.answer("s2", {
      join: { [roomId]: joined({ events: [message("a"), member(bot, "join", "join")] }) },
    });
    expect(bench.seen).toEqual(["live message a", "live member join"]);
    await bench.session.stop();
  });
});

describe("a homeserver that is not well", () => {
  test("is waited for at start, with a back-off", async () => {
    const bench = new Bench();
    let failures = 2;
    bench.homeserver.on("GET", /whoami$/, () => {
      if (failures-- > 0) throw new HomeserverError(502, "", "bad gateway", null);
      return { user_id: bot };
    });
    const ready = bench.session.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await bench.clock.advance(1000);
    await bench.clock.advance(2000);
    await bench.answer("s1");
    await ready;
    expect(bench.session.identity.deviceId).toBeNull();
    await bench.session.stop();
  });

  test("a failed poll is repeated from the same position, a 429 when it says", async () => {
    const bench = await new Bench().started();
    await bench.fail(new HomeserverError(500, "M_UNKNOWN", "bug", null));
    await bench.clock.advance(1000);
    await bench.fail(limitExceeded(7000));
    await bench.clock.advance(6999);
    expect(bench.paths(/\/sync$/)).toHaveLength(3);
    await bench.clock.advance(1);
    expect((await bench.answer("s2")).query).toMatchObject({ since: "s1" });
    await bench.session.stop();
  });

  test("nonsense instead of a sync answer is a failed poll", async () => {
    const bench = await new Bench().started();
    const { gate } = await bench.poll();
    gate.open("<html>");
    await settle();
    await bench.clock.advance(1000);
    expect(bench.paths(/\/sync$/)).toHaveLength(3);
    await bench.session.stop();
  });

  test("a refused token ends the start, or is told later", async () => {
    const refusal = new HomeserverError(401, "M_UNKNOWN_TOKEN", "unknown", null);
    const early = new Bench();
    early.homeserver.on("GET", /whoami$/, () => {
      throw refusal;
    });
    await expect(early.session.start()).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("VOICEBOT_ACCESS_TOKEN"),
    });
    const late = await new Bench().started();
    await late.fail(refusal);
    expect(late.fatal).toMatchObject([{ code: "forbidden" }]);
    await late.session.stop();
  });

  test("stop aborts the poll at once, also during start", async () => {
    const bench = new Bench();
    const outcome = rejection(bench.session.start());
    await bench.poll();
    await bench.session.stop();
    expect(await outcome).toMatchObject({ code: "cancelled" });
    const running = await new Bench().started();
    await running.session.stop();
    expect(running.fatal).toEqual([]);
    expect(running.clock.pending).toBe(0);
  });
});
