/**
 * A member of the voice channel that is well behaved: it writes the web client's dialect, and reads all of them; all
 * candidates are in its descriptions; candidates that come early wait. It shares nothing with src/.
 */
import { callStateType, Person, type MatrixEvent } from "../people.ts";
import { Connection, type Candidate } from "./connection.ts";
import { Hearing } from "./hearing.ts";
import type { MemberConfig, MemberPeerStats, MemberState } from "./types.ts";
import { Voice } from "./voice.ts";

const CALL = "de.mtorials.test.call";
const REFRESH_MS = 14_000;
const FRESH_MS = 25_000;
/** An offer that overtook its JOINED is kept this long. */
const HOLD_MS = 2_000;
const UNANSWERED_MS = 8_000;

type Other = { joined: boolean; seenMs: number };

export class ChannelMember {
  readonly voice = new Voice((payload, timestamp) => {
    for (const connection of this.#connections.values()) connection.send(payload, timestamp);
  });
  readonly #config: MemberConfig;
  readonly #person: Person;
  readonly #others = new Map<string, Other>();
  readonly #connections = new Map<string, Connection>();
  /** What was heard outlives connections. */
  readonly #hearings = new Map<string, Hearing>();
  readonly #errors: string[] = [];
  #ownState: string | null = null;
  #refresh: NodeJS.Timeout | null = null;

  private constructor(config: MemberConfig, person: Person) {
    this.#config = config;
    this.#person = person;
  }

  /** Resolves when the room is known. */
  static async start(config: MemberConfig): Promise<ChannelMember> {
    const member = new ChannelMember(config, await Person.start(config.session));
    const known = member.#person.events;
    if (!known.some((event) => event.roomId === config.roomId)) throw new Error("not in the room");
    // Signalling from before is none of ours.
    for (const event of known) if (event.type === callStateType) member.#onState(event);
    void member.#follow(member.#person.position);
    return member;
  }

  get #joined(): boolean {
    return this.#refresh !== null;
  }

  async join(): Promise<void> {
    if (this.#joined) return;
    if (this.#ownState === "JOINED") {
      await this.#put("LEFT");
      await sleep(300);
    }
    this.#refresh = setInterval(() => void this.#guard(() => this.#put("JOINED")), REFRESH_MS);
    const after = this.#person.position;
    const eventId = await this.#put("JOINED");
    await this.#person.waitForEvent((event) => event.eventId === eventId, 10_000, after);
    await sleep(300);
    this.voice.start();
    const fresh = [...this.#others].filter(
      ([, other]) => other.joined && Date.now() - other.seenMs < FRESH_MS,
    );
    await Promise.all(fresh.map(([key]) => this.#guard(() => this.#offer(key))));
  }

  async leave(): Promise<void> {
    if (!this.#joined) return;
    if (this.#refresh) clearInterval(this.#refresh);
    this.#refresh = null;
    for (const key of [...this.#connections.keys()]) this.#close(key);
    this.voice.stop();
    await this.#put("LEFT");
  }

  state(): MemberState {
    return {
      joined: this.#joined,
      members: [...this.#others].filter(([, other]) => other.joined).map(([key]) => key),
      peers: Object.fromEntries([...this.#connections].map(([key, connection]) => [key, connection.state])),
      errors: this.#errors,
    };
  }

  stats(key: string): MemberPeerStats | null {
    return this.#connections.get(key)?.stats() ?? null;
  }

  hearing(key: string): Hearing {
    let hearing = this.#hearings.get(key);
    if (!hearing) {
      hearing = new Hearing();
      this.#hearings.set(key, hearing);
    }
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
      if (event.type === callStateType) this.#onState(event);
      if (event.type === CALL && this.#joined) void this.#guard(() => this.#onSignal(event));
    }
  }

  #onState({ stateKey, content, originServerTs }: MatrixEvent): void {
    const joinState = content["join_state"];
    if (stateKey === undefined || (joinState !== "JOINED" && joinState !== "LEFT")) return;
    if (stateKey === this.#config.key) {
      this.#ownState = joinState;
      return;
    }
    const before = this.#others.get(stateKey);
    // Synapse can tell of an older state after a newer one.
    if (before && before.seenMs > originServerTs) return;
    this.#others.set(stateKey, { joined: joinState === "JOINED", seenMs: originServerTs });
    if (joinState === "LEFT") this.#close(stateKey);
  }

  async #onSignal({ content }: MatrixEvent): Promise<void> {
    const { rtc_type: type, sender, receiver, body } = content;
    if (typeof sender !== "string" || sender === this.#config.key) return;
    if (receiver !== undefined && receiver !== this.#config.key) return;
    if (type === "offer") await this.#onOffer(sender, sdpOf(body));
    if (type === "answer") this.#connections.get(sender)?.accept(sdpOf(body));
    if (type === "icecandidate" || type === "candidate") {
      const candidate = candidateOf(body);
      if (candidate) this.#connections.get(sender)?.addCandidate(candidate);
    }
  }

  async #onOffer(key: string, sdp: string): Promise<void> {
    const deadline = performance.now() + HOLD_MS;
    while (!this.#others.get(key)?.joined) {
      if (performance.now() > deadline || !this.#joined) return;
      await sleep(50);
    }
    // Glare and a second offer alike: theirs counts, as after Chromium's rollback.
    this.#close(key);
    const [onState, fail] = [this.#stateOf(key), (error: unknown) => this.#fail(error)];
    const { connection, sdp: answer } = await Connection.answer(sdp, this.hearing(key), onState, fail);
    if (!this.#joined) {
      connection.close();
      return;
    }
    this.#close(key);
    this.#connections.set(key, connection);
    await this.#signal("answer", key, { type: "answer", sdp: answer });
  }

  // --- what goes

  async #offer(key: string): Promise<void> {
    const [onState, fail] = [this.#stateOf(key), (error: unknown) => this.#fail(error)];
    const { connection, sdp } = await Connection.offer(this.hearing(key), onState, fail);
    if (!this.#joined || this.#connections.has(key)) {
      connection.close();
      return;
    }
    this.#connections.set(key, connection);
    setTimeout(() => {
      if (this.#connections.get(key) !== connection || connection.answered) return;
      this.#close(key);
      if (this.#joined && this.#others.get(key)?.joined) void this.#guard(() => this.#offer(key));
    }, UNANSWERED_MS);
    await this.#signal("offer", key, { type: "offer", sdp });
  }

  #stateOf(key: string): (state: string) => void {
    return (state) => {
      if (state === "failed") setImmediate(() => this.#close(key));
    };
  }

  #close(key: string): void {
    this.#connections.get(key)?.close();
    this.#connections.delete(key);
  }

  async #put(joinState: "JOINED" | "LEFT"): Promise<string> {
    const content = { join_state: joinState, timestamp: Date.now() };
    return this.#person.sendState(this.#config.roomId, callStateType, this.#config.key, content);
  }

  async #signal(type: "offer" | "answer", receiver: string, body: object): Promise<void> {
    const content = { rtc_type: type, sender: this.#config.key, receiver, body: JSON.stringify(body) };
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

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** A body is a JSON string (web client), an object, or the raw text (README). */
function read(body: unknown): unknown {
  if (typeof body !== "string" || !body.startsWith("{")) return body;
  return JSON.parse(body);
}

function sdpOf(body: unknown): string {
  const value = read(body);
  const sdp = typeof value === "object" && value !== null && "sdp" in value ? value.sdp : value;
  if (typeof sdp !== "string" || !sdp.startsWith("v=0")) throw new Error("no SDP in the body");
  return sdp;
}

function candidateOf(body: unknown): Candidate | null {
  const value = read(body);
  if (typeof value === "string") return { candidate: value, sdpMid: "0" };
  if (typeof value !== "object" || value === null || !("candidate" in value)) return null;
  const sdpMid = "sdpMid" in value && typeof value.sdpMid === "string" ? value.sdpMid : "0";
  return typeof value.candidate === "string" && value.candidate !== ""
    ? { candidate: value.candidate, sdpMid }
    : null;
}
