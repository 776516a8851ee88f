// A bot's channels and outbox against Synapse's limiter, everything else in memory and on one fake clock; the others are
// web clients without limits, as members that a moderator exempted.
import { createLog, type Log } from "../../../src/base/log.ts";
import { encodeDescription } from "../../../src/channel/codec.ts";
import { MEMBERSHIP_TYPE, type ChannelRoomEvent } from "../../../src/channel/ports.ts";
import { ChannelSession } from "../../../src/channel/session.ts";
import type { Homeserver } from "../../../src/matrix/homeserver.ts";
import type { Priority } from "../../../src/matrix/outbox-state.ts";
import { Outbox } from "../../../src/matrix/outbox.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { limitExceeded } from "../../fakes/homeserver.ts";
import { SynapseLimiter } from "../../fakes/limiter.ts";
import { FakePlane } from "../../fakes/plane.ts";
import { FakeRoom } from "../../fakes/room.ts";
import { FakeConnection } from "../../fakes/wire.ts";

const BOT = "@bot:hs";
const KEY = "BOT@bot:hs";
const WAY_MS = 30;
const FRESH_MS = 20_000;
const REFRESH_MS = 15_000;
const OFFER_AFTER_MS = 300;

/** A web client: one offer when it joins, to whom it holds for present; answers; forgets whose JOINED is 20 s old. */
export class WebClient {
  readonly key: string;
  readonly joinedMs: number;
  /** When its media with the bot began; null: not yet. */
  connectedMs: number | null = null;
  /** Times that it saw the bot as gone, looking every 20 s. */
  forgotten = 0;
  /** The bot's time was never older: from 20 s on it depends on when one looks. */
  oldestMs = 0;
  readonly #room: FakeRoom;
  readonly #clock: FakeClock;
  readonly #userId: string;
  readonly #end: () => void;
  #botStampMs: number | null = null;
  #connection: FakeConnection | null = null;
  #closed = false;

  constructor(room: FakeRoom, clock: FakeClock, name: string) {
    this.#room = room;
    this.#clock = clock;
    this.#userId = `@${name}:hs`;
    this.key = `Chrome-${name}`;
    this.joinedMs = clock.now();
    this.#end = room.sync({ handle: (event) => this.#handle(event) });
    this.#every(REFRESH_MS, () => this.#joined());
    this.#every(FRESH_MS, () => {
      if (!this.#botIsFresh()) this.forgotten++;
    });
    this.#joined();
    clock.timer(OFFER_AFTER_MS, () => this.#offer());
  }

  get connected(): boolean {
    return this.#connection?.state === "connected";
  }

  close(): void {
    this.#closed = true;
    this.#end();
    this.#connection?.vanish();
  }

  #hangUp(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  #joined(): void {
    this.#room.send(this.#userId, { join_state: "JOINED", timestamp: this.#clock.wall() }, this.key);
  }

  #offer(): void {
    if (this.#closed || !this.#botIsFresh() || this.#connection) return;
    this.#connection = this.#connect();
    this.#describe("offer");
  }

  #handle(event: ChannelRoomEvent): void {
    const content = event.content as Record<string, unknown>;
    if (event.type === MEMBERSHIP_TYPE && event.stateKey === KEY) {
      if (this.#botStampMs !== null) {
        this.oldestMs = Math.max(this.oldestMs, this.#clock.wall() - this.#botStampMs);
      }
      this.#botStampMs = content["join_state"] === "JOINED" ? Number(content["timestamp"]) : null;
      // Whoever wrote it.
      if (this.#botStampMs === null) this.#hangUp();
    }
    if (content["receiver"] !== this.key || event.sender !== BOT) return;
    const { sdp } = JSON.parse(String(content["body"])) as { sdp: string };
    if (content["rtc_type"] === "answer") this.#connection?.setRemote(sdp);
    if (content["rtc_type"] !== "offer") return;
    this.#connection?.close();
    this.#connection = this.#connect();
    this.#connection.setRemote(sdp);
    this.#describe("answer");
  }

  #describe(type: "offer" | "answer"): void {
    const sdp = this.#connection?.describe(type === "offer" ? "actpass" : "active") ?? "";
    this.#room.send(this.#userId, encodeDescription("web", type, this.key, KEY, sdp));
  }

  #connect(): FakeConnection {
    return new FakeConnection(this.#clock, {
      onState: (state) => {
        if (state === "connected") this.connectedMs ??= this.#clock.now();
      },
      onSound() {},
    });
  }

  #botIsFresh(): boolean {
    return this.#botStampMs !== null && this.#clock.wall() - this.#botStampMs <= FRESH_MS;
  }

  #every(periodMs: number, run: () => void): void {
    this.#clock.timer(periodMs, () => {
      if (this.#closed) return;
      run();
      this.#every(periodMs, run);
    });
  }
}

export interface Sent {
  roomId: string;
  atMs: number;
  what: string;
}

export class LimitedWorld {
  readonly clock = new FakeClock();
  readonly outbox: Outbox;
  readonly clients: WebClient[] = [];
  /** What the homeserver took of the bot, in order. */
  readonly sent: Sent[] = [];
  refusals = 0;
  /** Events of the log, in order. */
  readonly logged: string[] = [];
  readonly #limiter: SynapseLimiter | null;
  readonly #plane: FakePlane;
  readonly #rooms = new Map<string, FakeRoom>();
  readonly #sessions = new Map<string, ChannelSession>();
  readonly #log: Log;

  /** @param limiter null: the bot is exempt */
  constructor(roomIds: readonly string[], limiter: SynapseLimiter | null = new SynapseLimiter()) {
    const { clock } = this;
    this.#limiter = limiter;
    this.#plane = new FakePlane({ clock, latencyMs: 20, failMs: 30_000 });
    const write = (line: string): void => {
      this.logged.push(String((JSON.parse(line) as { event: unknown }).event));
    };
    this.#log = createLog("info", { write });
    const homeserver: Homeserver = {
      baseUrl: "http://hs",
      request: (_method, path, { body } = {}) => this.#put(path, body ?? {}),
    };
    this.outbox = new Outbox({
      ...{ homeserver, clock, log: this.#log, isEncrypted: () => false, random: () => 0.5 },
    });
    for (const roomId of roomIds) this.#open(roomId);
  }

  /** The bot joins the channels. */
  async join(): Promise<void> {
    const joined = Promise.all([...this.#sessions.values()].map((session) => session.join()));
    // With an empty budget a JOINED may take its time.
    await this.clock.advance(2000);
    await joined;
  }

  /** The bot leaves one channel. */
  leave(roomId: string): void {
    void this.#sessions.get(roomId)?.leave();
  }

  client(roomId: string): WebClient {
    const room = this.#rooms.get(roomId);
    if (!room) throw new Error(`no room ${roomId}`);
    const client = new WebClient(room, this.clock, `c${this.clients.length}`);
    this.clients.push(client);
    return client;
  }

  /** `count` join a room, evenly spread over a time, which passes. */
  async crowd(roomId: string, count: number, overMs: number): Promise<WebClient[]> {
    const clients: WebClient[] = [];
    for (let i = 0; i < count; i++) {
      if (i > 0) await this.clock.advance(overMs / (count - 1));
      clients.push(this.client(roomId));
    }
    return clients;
  }

  /** Somebody writes LEFT under the bot's key. */
  overwrite(roomId: string): void {
    this.#rooms.get(roomId)?.send("@mallory:hs", { join_state: "LEFT", timestamp: 1 }, KEY);
  }

  /** The bot says something. */
  say(roomId: string, priority: Priority = "reply"): Promise<string> {
    const outgoing = { kind: "message", type: "m.room.message", content: { body: "x" } } as const;
    const sent = this.outbox.send(roomId, outgoing, { priority });
    sent.catch(() => {});
    return sent;
  }

  /** Longest time between two JOINED in a room since `sinceMs`, until now. */
  longestRefreshMs(roomId: string, sinceMs = 0): number {
    const times = this.sent
      .filter((one) => one.roomId === roomId && one.what === "JOINED")
      .map(({ atMs }) => atMs);
    const counted = [...times.filter((atMs) => atMs >= sinceMs), this.clock.now()];
    return counted.slice(1).reduce((most, atMs, i) => Math.max(most, atMs - (counted[i] ?? atMs)), 0);
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    for (const session of this.#sessions.values()) session.close();
    this.outbox.close();
    await this.#plane.close();
  }

  #open(roomId: string): void {
    const { clock, outbox } = this;
    const room = new FakeRoom({ clock });
    this.#rooms.set(roomId, room);
    const session = new ChannelSession({
      ...{ channel: roomId, ownKey: KEY, ownUserId: BOT, clock, plane: this.#plane, bitrate: 128_000 },
      transport: {
        spare: () => outbox.spare,
        putMembership: (stateKey, content, priority) =>
          outbox.send(
            roomId,
            { kind: "state", type: MEMBERSHIP_TYPE, stateKey, content, stampField: "timestamp" },
            { priority },
          ),
        sendSignal: (content, priority, signal) =>
          outbox.send(roomId, { kind: "message", type: "call", content }, { priority, signal }),
      },
      ice: () => ({ servers: [], allowPrivate: "true" }),
      log: this.#log,
      tell: () => void this.say(roomId),
    });
    room.sync(session);
    this.#sessions.set(roomId, session);
  }

  async #put(path: string, body: object): Promise<unknown> {
    const { clock } = this;
    const pass = (ms: number): Promise<void> => new Promise((resolve) => clock.timer(ms, resolve));
    await pass(WAY_MS);
    const answer = this.#limiter?.take(clock.now()) ?? { taken: true };
    if (!answer.taken) {
      this.refusals++;
      await pass(SynapseLimiter.PAUSE_MS + WAY_MS);
      throw limitExceeded(answer.retryAfterMs);
    }
    const [roomId = "", kind, type, stateKey] =
      path.split("/rooms/")[1]?.split("/").map(decodeURIComponent) ?? [];
    const content = body as Record<string, string>;
    this.sent.push({
      roomId,
      atMs: clock.now(),
      what: content["join_state"] ?? content["rtc_type"] ?? "said",
    });
    // Plain messages are nothing to the channels.
    const isChannel = type === MEMBERSHIP_TYPE || type === "call";
    const eventId = isChannel
      ? (this.#rooms
          .get(roomId)
          ?.send(BOT, structuredClone(content), kind === "state" ? (stateKey ?? "") : null) ?? "$none")
      : "$said";
    await pass(WAY_MS);
    return { event_id: eventId };
  }
}
