// A member of the voice channel that is moved by hand, event by event, in whatever order a test likes, with real
// connections. It has no rules of its own, so nothing repairs what the test did.
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { HandReply, HandRequest } from "./member/hands.ts";
import { callStateType, type Person } from "./people.ts";

const CALL = "de.mtorials.test.call";

const program = fileURLToPath(new URL("./member/hands.ts", import.meta.url));
const CALL_MS = 15_000;

/** The connections of all hands, in a process of their own: a crash of the native library is not one of the test. */
export class Hands {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: HandReply) => void>();
  #next = 0;

  constructor() {
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#child = fork(program, [], { env, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (reply: HandReply) => this.#waiting.get(reply.id)?.(reply));
  }

  /** With an offer of theirs: one that answers it. */
  async make(offer?: string): Promise<{ connection: HandConnection; sdp: string }> {
    const number = this.#next++;
    const sdp = await this.call(offer === undefined ? "offer" : "answer", number, offer);
    return { connection: new HandConnection(this, number), sdp };
  }

  async call(call: HandRequest["call"], connection: number, sdp = ""): Promise<string> {
    const id = this.#next++;
    const reply = await new Promise<HandReply>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${call}`)), CALL_MS);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      });
      this.#child.send({ id, call, connection, sdp } satisfies HandRequest);
    });
    if (reply.error !== null) throw new Error(reply.error);
    return reply.value;
  }

  /** Ends the process. Can be called again. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

export class HandConnection {
  readonly #hands: Hands;
  readonly #number: number;

  constructor(hands: Hands, number: number) {
    this.#hands = hands;
    this.#number = number;
  }

  accept(sdp: string): Promise<string> {
    return this.#hands.call("accept", this.#number, sdp);
  }

  state(): Promise<string> {
    return this.#hands.call("state", this.#number);
  }

  close(): Promise<string> {
    return this.#hands.call("close", this.#number);
  }

  /** Waits until media flows, or will not. */
  async works(timeoutMs = 15_000): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const state = await this.state();
      if (state === "connected") return true;
      if (state === "failed" || state === "closed" || performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export class Hand {
  readonly key: string;
  readonly person: Person;
  readonly #roomId: string;
  readonly #botKey: string;
  readonly #hands: Hands;
  readonly #connections: HandConnection[] = [];
  readonly #startedAt: number;

  /** `key`: its state key. It speaks to the bot alone. */
  constructor(hands: Hands, person: Person, roomId: string, botKey: string, key: string) {
    this.#hands = hands;
    this.person = person;
    this.key = key;
    this.#roomId = roomId;
    this.#botKey = botKey;
    this.#startedAt = person.position;
  }

  async joined(more: object = {}): Promise<void> {
    const content = { join_state: "JOINED", timestamp: Date.now(), ...more };
    await this.person.sendState(this.#roomId, callStateType, this.key, content);
  }

  async left(): Promise<void> {
    const content = { join_state: "LEFT", timestamp: Date.now() };
    await this.person.sendState(this.#roomId, callStateType, this.key, content);
  }

  /** A connection that offers, not sent yet. */
  async prepare(): Promise<{ connection: HandConnection; sdp: string }> {
    const made = await this.#hands.make();
    this.#connections.push(made.connection);
    return made;
  }

  async send(type: "offer" | "answer", sdp: string): Promise<void> {
    await this.#say({ rtc_type: type, body: JSON.stringify({ type, sdp }) });
  }

  async sendCandidate(candidate: string): Promise<void> {
    const body = JSON.stringify({ candidate, sdpMid: "0", sdpMLineIndex: 0 });
    await this.#say({ rtc_type: "icecandidate", body });
  }

  /** Makes an offer and sends it. */
  async offer(): Promise<{ connection: HandConnection; sdp: string }> {
    const made = await this.prepare();
    await this.send("offer", made.sdp);
    return made;
  }

  /** Waits for the bot's nth answer (from 1) and takes it for the connection. */
  async accept(connection: HandConnection, ordinal = 1): Promise<void> {
    await connection.accept(await this.signal("answer", ordinal));
  }

  /** Answers the bot's nth offer (from 1), once it is there. */
  async answer(ordinal = 1, timeoutMs = 15_000): Promise<HandConnection> {
    const { connection, sdp } = await this.prepareAnswer(await this.signal("offer", ordinal, timeoutMs));
    await this.send("answer", sdp);
    return connection;
  }

  async prepareAnswer(offer: string): Promise<{ connection: HandConnection; sdp: string }> {
    const made = await this.#hands.make(offer);
    this.#connections.push(made.connection);
    return made;
  }

  /** SDP of the bot's nth signal of a kind to this key. */
  async signal(type: "offer" | "answer", ordinal = 1, timeoutMs = 15_000): Promise<string> {
    let count = 0;
    const event = await this.person.waitForEvent(
      ({ roomId, content }) =>
        roomId === this.#roomId &&
        content["sender"] === this.#botKey &&
        content["receiver"] === this.key &&
        content["rtc_type"] === type &&
        ++count === ordinal,
      timeoutMs,
      this.#startedAt,
    );
    return (JSON.parse(String(event.content["body"])) as { sdp: string }).sdp;
  }

  /** How many signals of a kind the bot sent to this key so far. */
  count(type: "offer" | "answer"): number {
    return this.person.events.filter(
      ({ roomId, content }) =>
        roomId === this.#roomId &&
        content["sender"] === this.#botKey &&
        content["receiver"] === this.key &&
        content["rtc_type"] === type,
    ).length;
  }

  /** Closes every connection of this key, without a word in the room. */
  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  async #say(content: object): Promise<void> {
    await this.person.send(this.#roomId, CALL, { sender: this.key, receiver: this.#botKey, ...content });
  }
}

/**
 * JOINED, an offer, the bot's answer: media flows. Two of the library sometimes fail at their first go, so a new offer
 * follows, as a person's client would have it.
 */
export async function connected(one: Hand): Promise<Awaited<ReturnType<Hand["offer"]>>> {
  await one.joined();
  return offered(one);
}

/** As `connected`, of one that is JOINED. */
export async function offered(one: Hand): Promise<Awaited<ReturnType<Hand["offer"]>>> {
  for (let attempt = 1; ; attempt++) {
    const ordinal = one.count("answer") + 1;
    const made = await one.offer();
    await one.accept(made.connection, ordinal);
    if (await made.connection.works()) return made;
    if (attempt === 3) throw new Error("three connections failed");
  }
}

/** Answers the bot's offers, from the nth (from 1) on, until media flows. */
export async function answered(one: Hand, first = 1): Promise<HandConnection> {
  for (let ordinal = first; ordinal < first + 3; ordinal++) {
    const connection = await one.answer(ordinal, 30_000);
    if (await connection.works()) return connection;
  }
  throw new Error("three connections failed");
}

/** Media flows on this connection, or on one that the bot offers because this one failed; which one. */
export async function flows(one: Hand, connection: HandConnection): Promise<HandConnection> {
  return (await connection.works()) ? connection : answered(one, one.count("offer") + 1);
}
