/**
 * A member of the voice channel that knows the README of the protocol and nothing else, by the letter and with what that
 * costs: bodies are raw SDP and raw candidates, a candidate has no receiver, no JSON is understood, members are forgotten
 * 10 s after their last callstate. It runs in a process of its own (member.ts, `dialect`) and shares nothing with src/.
 */
import { Connection } from "./member/connection.ts";
import { Hearing } from "./member/hearing.ts";
import type { MemberConfig, MemberPeerStats, MemberState } from "./member/types.ts";
import { Voice } from "./member/voice.ts";
import { callStateType, Person, type MatrixEvent } from "./people.ts";

const CALL = "de.mtorials.test.call";
const REFRESH_MS = 5_000;
const EXPIRE_MS = 10_000;
/** Between the candidates that follow a description. */
const TRICKLE_MS = 100;

export class ReadmeMember {
  readonly voice = new Voice((payload, timestamp) => {
    for (const connection of this.#connections.values()) connection.send(payload, timestamp);
  });
  readonly #config: MemberConfig;
  readonly #person: Person;
  /** JOINED ones → when their last callstate came, by our clock. */
  readonly #others = new Map<string, number>();
  /** By key, the server's time of their newest callstate. */
  readonly #newest = new Map<string, number>();
  readonly #connections = new Map<string, Connection>();
  readonly #hearings = new Map<string, Hearing>();
  readonly #errors: string[] = [];
  #timers: NodeJS.Timeout[] = [];
  #joined = false;

  private constructor(config: MemberConfig, person: Person) {
    this.#config = config;
    this.#person = person;
  }

  /** Resolves when the room is known. */
  static async start(config: MemberConfig): Promise<ReadmeMember> {
    const member = new ReadmeMember(config, await Person.start(config.session));
    for (const event of member.#person.events) {
      const ageMs = Number(event.unsigned["age"] ?? 0);
      if (event.roomId === config.roomId) member.#onState(event, Date.now() - ageMs);
    }
    void member.#follow(member.#person.position);
    return member;
  }

  /** JOINED, then an offer to everybody who is there. */
  async join(): Promise<void> {
    if (this.#joined) return;
    this.#expire();
    this.#joined = true;
    await this.#put("JOINED");
    this.#timers = [
      setInterval(() => void this.#guard(() => this.#put("JOINED")), REFRESH_MS),
      setInterval(() => this.#expire(), 250),
    ];
    this.voice.start();
    for (const key of this.#others.keys()) await this.#guard(() => this.#offer(key));
  }

  async leave(): Promise<void> {
    if (!this.#joined) return;
    this.#joined = false;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const key of [...this.#connections.keys()]) this.#close(key);
    this.voice.stop();
    await this.#put("LEFT");
  }

  state(): MemberState {
    return {
      joined: this.#joined,
      members: [...this.#others.keys()],
      peers: Object.fromEntries([...this.#connections].map(([key, connection]) => [key, connection.state])),
      errors: this.#errors,
    };
  }

  stats(key: string): MemberPeerStats | null {
    return this.#connections.get(key)?.stats() ?? null;
  }

  hearing(key: string): Hearing {
    const hearing = this.#hearings.get(key) ?? new Hearing();
    this.#hearings.set(key, hearing);
    return hearing;
  }

  // --- what comes

  async #follow(position: number): Promise<void> {
    for (let next = position; ; next++) {
      let event: MatrixEvent;
      try {
        event = await this.#person.waitForEvent(() => true, 86_400_000, next);
      } catch {
        return;
      }
      if (event.roomId !== this.#config.roomId) continue;
      this.#onState(event, Date.now());
      if (event.type === CALL && this.#joined) void this.#guard(() => this.#onSignal(event));
    }
  }

  #onState({ type, stateKey, content, originServerTs }: MatrixEvent, seenMs: number): void {
    if (type !== callStateType || stateKey === undefined || stateKey === this.#config.key) return;
    // The state of a sync can hold an older LEFT after the JOINED.
    if (originServerTs < (this.#newest.get(stateKey) ?? 0)) return;
    this.#newest.set(stateKey, originServerTs);
    if (content["join_state"] === "JOINED") this.#others.set(stateKey, seenMs);
    if (content["join_state"] === "LEFT") {
      this.#others.delete(stateKey);
      this.#close(stateKey);
    }
  }

  #expire(): void {
    for (const [key, seenMs] of this.#others) {
      if (Date.now() - seenMs < EXPIRE_MS) continue;
      this.#others.delete(key);
      if (!this.#connections.has(key)) continue;
      this.#close(key);
      this.#fail(`expired ${key}`);
    }
  }

  async #onSignal({ content }: MatrixEvent): Promise<void> {
    const { rtc_type: type, sender, receiver, body } = content;
    if (typeof sender !== "string" || typeof body !== "string" || !this.#others.has(sender)) return;
    if (type === "candidate") {
      // For everybody: it may belong to another connection of the sender. There is no queue for one that is early.
      if (!body.startsWith("candidate:")) throw new Error(`no candidate: ${body.slice(0, 40)}`);
      const connection = this.#connections.get(sender);
      if (connection?.answered === true) connection.addCandidate({ candidate: body, sdpMid: "0" });
      return;
    }
    if (receiver !== this.#config.key) return;
    if ((type === "offer" || type === "answer") && !body.startsWith("v=0"))
      throw new Error(`no SDP in the ${type} of ${sender}: ${body.slice(0, 40)}`);
    if (type === "answer") this.#connections.get(sender)?.accept(body);
    if (type !== "offer") return;
    this.#close(sender);
    const { connection, sdp } = await Connection.answer(
      body,
      this.hearing(sender),
      () => {},
      (error) => this.#fail(error),
    );
    await this.#describe("answer", sender, connection, sdp);
  }

  // --- what goes

  async #offer(key: string): Promise<void> {
    const made = await Connection.offer(
      this.hearing(key),
      () => {},
      (error) => this.#fail(error),
    );
    await this.#describe("offer", key, made.connection, made.sdp);
  }

  /** Sends the description without its candidates, and those after it, one by one. */
  async #describe(
    type: "offer" | "answer",
    receiver: string,
    connection: Connection,
    sdp: string,
  ): Promise<void> {
    this.#close(receiver);
    this.#connections.set(receiver, connection);
    const lines = sdp.split("\r\n");
    const isCandidate = (line: string): boolean => /^a=(candidate:|end-of-candidates)/.test(line);
    const body = lines.filter((line) => !isCandidate(line)).join("\r\n");
    await this.#send({ rtc_type: type, sender: this.#config.key, receiver, body });
    for (const line of lines) {
      if (!line.startsWith("a=candidate:") || connection.state === "closed") continue;
      await new Promise((resolve) => setTimeout(resolve, TRICKLE_MS));
      await this.#send({ rtc_type: "candidate", sender: this.#config.key, body: line.slice(2) });
    }
  }

  #close(key: string): void {
    this.#connections.get(key)?.close();
    this.#connections.delete(key);
  }

  async #put(joinState: "JOINED" | "LEFT"): Promise<void> {
    const { roomId, key, timestamps } = this.#config;
    const content = {
      join_state: joinState,
      ...(timestamps === "missing" ? {} : { timestamp: String(Date.now()) }),
    };
    await this.#person.sendState(roomId, callStateType, key, content);
  }

  async #send(content: object): Promise<void> {
    await this.#person.send(this.#config.roomId, CALL, content);
  }

  async #guard(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#errors.push(String(error));
    if (this.#errors.length > 50) this.#errors.shift();
  }
}
