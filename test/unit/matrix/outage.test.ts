// Homeservers that are away, overloaded, or hidden behind a gateway that answers for them: what the session asks of them,
// what it keeps, and what the operator reads.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BotError } from "../../../src/base/errors.ts";
import type { Log, LogEvent, LogFields, LogLevel } from "../../../src/base/log.ts";
import { HomeserverError } from "../../../src/matrix/homeserver.ts";
import { MatrixSession } from "../../../src/matrix/session.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeHomeserver, limitExceeded, type FakeRequest } from "../../fakes/homeserver.ts";
import { rejection } from "../../support/rejection.ts";

const bot = "@bot:voice.test";
const roomId = "!r";
const MINUTE_MS = 60_000;
const unreachable = (): BotError => new BotError("homeserver", "not reachable", { retryable: true });
const gateway = (status: number): HomeserverError => new HomeserverError(status, "", "<html>", null);

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-outage-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

interface Line extends LogFields {
  level: LogLevel;
  event: LogEvent;
}

class Logbook implements Log {
  readonly lines: Line[] = [];
  debug = this.#writer("debug");
  info = this.#writer("info");
  warn = this.#writer("warn");
  error = this.#writer("error");

  child(): Log {
    return this;
  }

  /** What an operator reads at the default level. */
  read(...events: LogEvent[]): Line[] {
    return this.lines.filter(({ level, event }) => level !== "debug" && events.includes(event));
  }

  #writer(level: LogLevel): (event: LogEvent, fields?: LogFields) => void {
    return (event, fields = {}) => void this.lines.push({ ...fields, level, event });
  }
}

/** A started session in one room, whose homeserver then holds each poll until its time is up, unless told otherwise. */
class World {
  readonly clock = new FakeClock();
  readonly log = new Logbook();
  readonly homeserver = new FakeHomeserver();
  readonly fatal: BotError[] = [];
  readonly synced: boolean[] = [];
  readonly live: string[] = [];
  readonly session: MatrixSession;
  /** When a live event is done with. */
  handled: Promise<void> | undefined;
  poll: (request: FakeRequest) => unknown;
  #batch = 1;

  private constructor() {
    this.poll = (request) => this.hold(request);
    const room = { join: { [roomId]: this.#block([this.#state("m.room.create", ""), this.#member()]) } };
    this.homeserver
      .on("GET", /whoami$/, () => ({ user_id: bot, device_id: "DEV" }))
      .on("PUT", /./, () => ({ event_id: "$done" }))
      .on("GET", /\/sync$/, (request) =>
        request.query["since"] === undefined ? { next_batch: "s1", rooms: room } : this.#bounded(request),
      );
    this.session = new MatrixSession({
      homeserver: this.homeserver,
      accessToken: "syt_token",
      dataDir,
      invitesAllow: null,
      keptStateTypes: [],
      handlers: {
        onRoomJoined: () => {},
        onRoomLeft: () => {},
        onRoomEvent: (_, { origin, content }) => {
          if (origin !== "live") return;
          this.live.push(String(content["body"]));
          return this.handled;
        },
        onSynced: (afterFailure) => void this.synced.push(afterFailure),
      },
      onFatal: (error) => this.fatal.push(error),
      clock: this.clock,
      log: this.log,
      random: () => 0.5,
    });
  }

  static async start(): Promise<World> {
    const world = new World();
    await world.session.start();
    await settle();
    return world;
  }

  get polls(): FakeRequest[] {
    return this.homeserver.requests.filter(({ path }) => path.endsWith("/sync"));
  }

  get puts(): FakeRequest[] {
    return this.homeserver.requests.filter(({ method }) => method === "PUT");
  }

  /** A long poll with nothing to tell. */
  hold({ query }: FakeRequest): Promise<object> {
    const { promise, resolve } = Promise.withResolvers<object>();
    this.clock.timer(Number(query["timeout"]), () => resolve({ next_batch: `s${this.#batch}`, rooms: {} }));
    return promise;
  }

  /** An answer at once, with a new position. */
  news(...bodies: string[]): object {
    const events = bodies.map((body) => ({
      ...{ event_id: `$${body}`, type: "m.room.message", sender: "@ada:voice.test", origin_server_ts: 1 },
      content: { msgtype: "m.text", body },
    }));
    const timeline = { timeline: { events } };
    return {
      next_batch: `s${++this.#batch}`,
      rooms: events.length === 0 ? {} : { join: { [roomId]: timeline } },
    };
  }

  say(body: string): Promise<string> {
    return this.session.notice(roomId, { text: body, html: body });
  }

  /** A loop that never waits would keep a test from ever ending. */
  #bounded(request: FakeRequest): unknown {
    return this.polls.length > 2000 ? new Promise(() => {}) : this.poll(request);
  }

  #block(events: object[]): object {
    return { state: { events }, timeline: { events: [] } };
  }

  #state(type: string, key: string, content: object = {}): object {
    const event_id = `$${type}${key}`;
    return { event_id, type, sender: bot, origin_server_ts: 1, state_key: key, content };
  }

  #member(): object {
    return this.#state("m.room.member", bot, { membership: "join" });
  }
}

describe("a homeserver that is away for two minutes", () => {
  test("is asked every few seconds, and what is new is known soon after it is back", async () => {
    const world = await World.start();
    world.poll = () => {
      throw unreachable();
    };
    await world.clock.advance(2 * MINUTE_MS);
    const asked = world.polls.length;
    expect(asked).toBeGreaterThan(15);
    expect(asked).toBeLessThan(60);
    let told = false;
    world.poll = (request) => {
      if (told) return world.hold(request);
      told = true;
      return world.news("hello");
    };
    await world.clock.advance(10_000);
    expect(world.live).toEqual(["hello"]);
    await world.session.stop();
  });

  test("is told once in words, and once more when it is back", async () => {
    const world = await World.start();
    world.poll = () => {
      throw unreachable();
    };
    await world.clock.advance(2 * MINUTE_MS);
    const [line, ...more] = world.log.read("homeserver_unreachable", "sync_failed");
    expect(line).toMatchObject({ level: "warn", hint: expect.stringContaining("by itself") });
    expect(more).toEqual([]);
    world.poll = (request) => world.hold(request);
    await world.clock.advance(MINUTE_MS);
    expect(world.log.read("homeserver_back")).toMatchObject([{ level: "info" }]);
    await world.session.stop();
  });

  test("the rooms are told that they have heard nothing meanwhile", async () => {
    const world = await World.start();
    expect(world.synced).toEqual([false]);
    let failures = 3;
    world.poll = (request) => {
      if (failures-- > 0) throw unreachable();
      return world.hold(request);
    };
    await world.clock.advance(3 * MINUTE_MS);
    expect(world.synced.slice(0, 4)).toEqual([false, false, true, false]);
    await world.session.stop();
  });

  test.each([
    ["is not there", unreachable],
    ["has a gateway that answers 502", () => gateway(502)],
    ["has a gateway that answers 403", () => gateway(403)],
    ["cannot reach its database", () => new HomeserverError(500, "M_UNKNOWN", "Internal server error", null)],
  ])("a reply is sent all the same when it %s, at once with the first answer to a sync", async (_, error) => {
    const world = await World.start();
    world.homeserver.on("PUT", /./, () => {
      throw error();
    });
    world.poll = () => {
      throw error();
    };
    const sent = world.say("Now playing");
    let settled = "";
    sent.then(
      () => (settled = "sent"),
      () => (settled = "lost"),
    );
    await world.clock.advance(2 * MINUTE_MS);
    expect(settled).toBe("");
    expect(world.puts.length).toBeLessThan(30);
    world.homeserver.on("PUT", /./, () => ({ event_id: "$late" }));
    world.poll = (request) => (world.synced.at(-1) === true ? world.hold(request) : world.news());
    while (world.synced.at(-1) !== true) await world.clock.advance(100);
    await settle();
    expect(settled).toBe("sent");
    await world.session.stop();
  });
});

describe("a homeserver that answers nonsense", () => {
  test.each([
    ["says 0 ms", () => limitExceeded(0)],
    ["says less than nothing", () => limitExceeded(-7)],
    ["does not say", () => new HomeserverError(429, "M_LIMIT_EXCEEDED", "", null)],
    ["says a thousand years", () => limitExceeded(3e13)],
  ])("429 on everything that %s: asked seldom, and again within a minute", async (_, error) => {
    const world = await World.start();
    world.homeserver.on("PUT", /./, () => {
      throw error();
    });
    world.poll = () => {
      throw error();
    };
    await world.clock.advance(30_000);
    void world.say("a").catch(() => {});
    void world.session.outbox
      .send(roomId, { kind: "state", type: "t", stateKey: "k", content: {} }, { priority: "refresh" })
      .catch(() => {});
    const before = [world.polls.length, world.puts.length];
    await world.clock.advance(4 * MINUTE_MS);
    const asked = [world.polls.length - before[0]!, world.puts.length - before[1]!];
    for (const count of asked) {
      expect(count).toBeGreaterThanOrEqual(3);
      expect(count).toBeLessThanOrEqual(4 * 40);
    }
    expect(world.log.read("sync_failed", "homeserver_unreachable")).toHaveLength(1);
    await world.session.stop();
  });

  test("answers to a sync that are empty and at once do not make us spin", async () => {
    const world = await World.start();
    world.poll = () => world.news();
    await world.clock.advance(MINUTE_MS);
    expect(world.polls.length).toBeLessThan(120);
    await world.session.stop();
  });

  test("replies that wait for the limit hold up what follows them: told once, not for each event", async () => {
    const world = await World.start();
    world.handled = new Promise(() => {});
    let rest = 5;
    world.poll = (request) => (rest-- > 0 ? world.news(`message ${rest}`) : world.hold(request));
    await world.clock.advance(3 * MINUTE_MS);
    expect(world.live).toHaveLength(5);
    // Positions are written to real files, which takes real time.
    await world.session.stop();
    expect(world.log.read("handler_failed")).toHaveLength(1);
  });

  test("a gateway's 400 does not lose the position: nothing said meanwhile is missed", async () => {
    const world = await World.start();
    world.poll = () => {
      throw gateway(400);
    };
    await world.clock.advance(20_000);
    expect(world.polls.slice(1).every(({ query }) => query["since"] === "s1")).toBe(true);
    await world.session.stop();
  });

  test("something else than an event id for a reply: it is sent again, with the same transaction", async () => {
    const world = await World.start();
    world.homeserver.on("PUT", /./, () =>
      world.puts.length < 3 ? "<html>Welcome</html>" : { event_id: "$ok" },
    );
    const sent = world.say("hello");
    await world.clock.advance(5000);
    await expect(sent).resolves.toBe("$ok");
    expect(new Set(world.puts.map(({ path }) => path)).size).toBe(1);
    await world.session.stop();
  });

  test("403 of a gateway is not a ban: only a Matrix error forbids", () => {
    expect(gateway(403)).toMatchObject({ code: "homeserver", retryable: true });
    expect(gateway(404)).toMatchObject({ code: "homeserver", retryable: true });
    expect(gateway(413)).toMatchObject({ code: "media_too_large", retryable: false });
    expect(new HomeserverError(403, "M_FORBIDDEN", "", null)).toMatchObject({ code: "forbidden" });
  });
});

describe("a token that is not accepted any more", () => {
  const refusal = new HomeserverError(401, "M_UNKNOWN_TOKEN", "Invalid access token", null);

  test("met by a write ends everything at once, with a sentence that says what to do", async () => {
    const world = await World.start();
    world.homeserver.on("PUT", /./, () => {
      throw refusal;
    });
    const sent = rejection(world.say("a"));
    await settle();
    expect(await sent).toMatchObject({ code: "cancelled" });
    expect(world.fatal).toMatchObject([
      { code: "forbidden", message: expect.stringMatching(/VOICEBOT_ACCESS_TOKEN.*start/) },
    ]);
    expect(await rejection(world.say("b"))).toMatchObject({ code: "cancelled" });
    expect(world.puts).toHaveLength(1);
    await world.clock.advance(MINUTE_MS);
    expect(world.polls).toHaveLength(2);
    await world.session.stop();
  });

  test("met by several at once is told once", async () => {
    const world = await World.start();
    world.homeserver.on("PUT", /./, () => {
      throw refusal;
    });
    world.poll = () => {
      throw refusal;
    };
    await Promise.all(["a", "b"].map((body) => rejection(world.say(body))));
    await world.clock.advance(MINUTE_MS);
    expect(world.fatal).toHaveLength(1);
    await world.session.stop();
  });
});
