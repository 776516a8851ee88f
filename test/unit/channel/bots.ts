import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import { encodeDescription } from "../../../src/channel/codec.ts";
import type { Form } from "../../../src/channel/codec.ts";
import type { ChannelRoomEvent } from "../../../src/channel/ports.ts";
import { ChannelSession } from "../../../src/channel/session.ts";
import type { ChannelChange } from "../../../src/channel/session.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakePlane } from "../../fakes/plane.ts";
import { FakeRoom } from "../../fakes/room.ts";
import type { FakeRoomOptions } from "../../fakes/room.ts";
import { FakeConnection, openConnections } from "../../fakes/wire.ts";
import { DialectMember } from "./dialects.ts";
import type { Dialect } from "./dialects.ts";

export const CHANNEL = "!room:hs";

/** A bot in a fake room, with a fake plane of its own. */
export class Bot {
  readonly userId: string;
  readonly key: string;
  readonly plane: FakePlane;
  readonly session: ChannelSession;
  readonly said: Sentence[] = [];
  readonly changes: ChannelChange[] = [];
  readonly #endSync: () => void;

  constructor(room: FakeRoom, clock: FakeClock, name: string, planeState: "up" | "down" = "up") {
    this.userId = `@${name}:hs`;
    this.key = `BOT@${name}:hs`;
    this.plane = new FakePlane({ clock, latencyMs: 5, state: planeState });
    this.session = new ChannelSession({
      channel: CHANNEL,
      ownKey: this.key,
      ownUserId: this.userId,
      clock,
      plane: this.plane,
      transport: room.transport(this.userId),
      ice: () => ({ servers: [], allowPrivate: "true" }),
      bitrate: 128_000,
      log: silentLog,
      tell: (sentence) => this.said.push(sentence),
    });
    this.session.onChange((change) => this.changes.push(change));
    this.#endSync = room.sync(this.session);
  }

  /** Keys of those whose media flows. */
  get connected(): string[] {
    return this.session
      .members()
      .filter((member) => member.connected)
      .map((member) => member.key)
      .sort();
  }

  get memberKeys(): string[] {
    return this.session.members().map((member) => member.key);
  }

  /** Phases it went through. */
  get phases(): string[] {
    return this.changes.flatMap((change) => (change.kind === "state" ? [change.new] : []));
  }

  /** Keys of the sentences that the room was told. */
  get told(): string[] {
    return this.said.map((sentence) => sentence.key);
  }

  async close(): Promise<void> {
    this.#endSync();
    this.session.close();
    await this.plane.close();
  }
}

/** Somebody with a client of their own, who does what the test says: a browser's connection and raw events. */
export class Person {
  readonly userId: string;
  readonly key: string;
  /** Signalling of the channel that this person would see as sent to them, oldest first. */
  readonly inbox: { rtcType: string; body: unknown; sender: unknown }[] = [];
  readonly #room: FakeRoom;
  readonly #clock: FakeClock;
  readonly #connections: FakeConnection[] = [];
  readonly #endSync: () => void;

  constructor(room: FakeRoom, clock: FakeClock, name: string, key = `Chrome-${name}`) {
    this.#room = room;
    this.#clock = clock;
    this.userId = `@${name}:hs`;
    this.key = key;
    this.#endSync = room.sync({ handle: (event) => this.#receive(event) });
  }

  joined(timestamp: unknown = this.#clock.wall(), rest: Partial<ChannelRoomEvent> = {}): string {
    return this.#room.send(this.userId, { join_state: "JOINED", timestamp }, this.key, rest);
  }

  left(rest: Partial<ChannelRoomEvent> = {}): string {
    const content = { join_state: "LEFT", timestamp: this.#clock.wall() };
    return this.#room.send(this.userId, content, this.key, rest);
  }

  /** A new connection on this side. */
  connection(): FakeConnection {
    const made = new FakeConnection(this.#clock, { onState() {}, onSound() {} });
    this.#connections.push(made);
    return made;
  }

  offer(receiver: string, form: Form = "web", rest: Partial<ChannelRoomEvent> = {}): FakeConnection {
    const connection = this.connection();
    const content = encodeDescription(form, "offer", this.key, receiver, connection.describe("actpass"));
    this.#room.send(this.userId, content, null, rest);
    return connection;
  }

  /** Answers the newest offer that came, from a new connection. */
  answer(receiver: string, form: Form = "web"): FakeConnection {
    const connection = this.connection();
    connection.setRemote(this.newest("offer"));
    const content = encodeDescription(form, "answer", this.key, receiver, connection.describe("active"));
    this.#room.send(this.userId, content);
    return connection;
  }

  send(content: object): void {
    this.#room.send(this.userId, content);
  }

  /** SDP of the newest offer or answer for this person, in whatever form it came. */
  newest(rtcType: "offer" | "answer"): string {
    const body = this.inbox.findLast((signal) => signal.rtcType === rtcType)?.body;
    if (typeof body !== "string") throw new Error(`no ${rtcType} came`);
    return body.startsWith("v=0") ? body : (JSON.parse(body) as { sdp: string }).sdp;
  }

  count(rtcType: string): number {
    return this.inbox.filter((signal) => signal.rtcType === rtcType).length;
  }

  close(): void {
    this.#endSync();
    for (const connection of this.#connections) connection.vanish();
  }

  #receive(event: ChannelRoomEvent): void {
    const content = event.content as Record<string, unknown>;
    const { receiver, rtc_type: rtcType, body, sender } = content;
    if (event.stateKey !== null || sender === this.key) return;
    if (receiver !== undefined && receiver !== this.key) return;
    this.inbox.push({ rtcType: String(rtcType), body, sender });
  }
}

export interface Scene {
  clock: FakeClock;
  room: FakeRoom;
  bot: (name: string, planeState?: "up" | "down") => Bot;
  person: (name: string, key?: string) => Person;
  /** A member who keeps strictly to one dialect, by itself. */
  member: (name: string, dialect: Dialect) => DialectMember;
  /** A bot that is in the channel already. */
  botInside: (name: string) => Promise<Bot>;
}

/** Plays a scene in a room of its own and closes everything. @throws Error when a connection or timer is left over. */
export async function scene(
  play: (scene: Scene) => Promise<void>,
  options: Omit<FakeRoomOptions, "clock"> = {},
): Promise<void> {
  const clock = new FakeClock();
  const room = new FakeRoom({ clock, ...options });
  const bots: Bot[] = [];
  const people: { close(): void }[] = [];
  const bot = (name: string, planeState?: "up" | "down"): Bot => {
    const made = new Bot(room, clock, name, planeState);
    bots.push(made);
    return made;
  };
  try {
    await play({
      clock,
      room,
      bot,
      person(name, key) {
        const made = new Person(room, clock, name, key);
        people.push(made);
        return made;
      },
      member(name, dialect) {
        const made = new DialectMember(room, clock, name, dialect);
        people.push(made);
        return made;
      },
      async botInside(name) {
        const made = bot(name);
        const joined = made.session.join();
        await clock.advance(1000);
        await joined;
        return made;
      },
    });
  } finally {
    for (const one of people) one.close();
    for (const one of bots) await one.close();
    await clock.advance(120_000);
  }
  if (openConnections() > 0) throw new Error(`${openConnections()} connections were left open`);
  if (clock.pending > 0) throw new Error(`${clock.pending} timers were left running`);
}

/** The code a promise was rejected with; null when it was not. */
export async function codeOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return error instanceof BotError ? error.code : "not a BotError";
  }
}
