import { randomBytes, randomInt } from "node:crypto";
import { BotError } from "../../src/base/errors.ts";
import type { Clock } from "../../src/base/clock.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import type {
  ConnectionEvents,
  ConnectionOptions,
  ConnectionStats,
  Engine,
  EngineConnection,
  EngineOutput,
  OutgoingFrame,
} from "../../src/media/engine/engine.ts";
import * as sdpWrite from "../../src/media/engine/sdp-write.ts";
import * as sdp from "../../src/media/engine/sdp.ts";
import type { PeerState } from "../../src/media/messages.ts";

// Connections of all fake engines of the process, by ICE user fragment: their network.
const network = new Map<string, FakeConnection>();
const CANDIDATE = "candidate:1 1 UDP 2114977791 192.0.2.1 40000 typ host";

/**
 * An engine without a network: connections of fake engines whose descriptions were exchanged are connected, and what is
 * written arrives at the others in later microtasks. It reads and writes real session descriptions.
 */
export class FakeEngine implements Engine {
  readonly name = "fake";
  readonly audio = "opus";
  readonly hasClock = true;
  readonly clock: Clock;
  /** Everything made and not closed, for tests to look at. */
  readonly connections = new Set<FakeConnection>();
  readonly outputs = new Set<FakeOutput>();
  closed = false;

  constructor(clock: Clock = systemClock) {
    this.clock = clock;
  }

  createOutput(): FakeOutput {
    if (this.closed) throw new BotError("engine_failed", "the engine is closed");
    const output = new FakeOutput(() => this.outputs.delete(output));
    this.outputs.add(output);
    return output;
  }

  createConnection(options: ConnectionOptions, events: ConnectionEvents): FakeConnection {
    const { output } = options;
    if (this.closed || !(output instanceof FakeOutput) || !this.outputs.has(output))
      throw new BotError("engine_failed", "the engine or the output is closed");
    const connection = new FakeConnection(this, output, options, events);
    this.connections.add(connection);
    return connection;
  }

  close(): Promise<void> {
    this.closed = true;
    for (const connection of this.connections) connection.close();
    for (const output of this.outputs) output.close();
    return Promise.resolve();
  }
}

export class FakeOutput implements EngineOutput {
  readonly stream = {
    ssrc: randomInt(1, 2 ** 32),
    cname: randomBytes(6).toString("hex"),
    msid: randomBytes(6).toString("hex"),
    maxBitrate: 128_000,
  };
  readonly listeners = new Set<FakeConnection>();
  frames = 0;
  #sequence = randomInt(0, 2 ** 16);
  readonly #onClosed: () => void;

  constructor(onClosed: () => void) {
    this.#onClosed = onClosed;
  }

  write({ opus, timestamp, marker, own }: OutgoingFrame): void {
    if (!opus) return;
    this.frames++;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    for (const listener of this.listeners)
      listener.transmit({
        payload: Uint8Array.from(own?.get(listener)?.opus ?? opus),
        sequence: this.#sequence,
        timestamp: timestamp >>> 0,
        marker,
      });
  }

  setBitrate(): void {}

  close(): void {
    this.listeners.clear();
    this.#onClosed();
  }
}

interface FakePacket {
  payload: Uint8Array;
  sequence: number;
  timestamp: number;
  marker: boolean;
}

/** A way through a network that delays, and loses the nth packet where `loses` says so. */
interface FakeWay {
  delayMs: number;
  loses: (index: number) => boolean;
}

type Phase = "new" | "offered" | "answered" | "negotiated" | "closed";

export class FakeConnection implements EngineConnection {
  readonly label: string;
  readonly #engine: FakeEngine;
  readonly #output: FakeOutput;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #ufrag = randomBytes(6).toString("hex");
  readonly #early: string[] = [];
  #phase: Phase = "new";
  #remote: string | null = null;
  #direction: sdp.Direction = "sendrecv";
  #reachable = false;
  #connected = false;
  #stats = { sent: 0, received: 0, missed: 0, sequence: 0, lastHeardAtMs: null as number | null };
  #candidates = { used: 0, refused: 0 };
  #way: FakeWay = { delayMs: 0, loses: () => false };

  constructor(engine: FakeEngine, output: FakeOutput, options: ConnectionOptions, events: ConnectionEvents) {
    this.label = options.label;
    this.#engine = engine;
    this.#output = output;
    this.#options = options;
    this.#events = events;
    network.set(this.#ufrag, this);
  }

  async createOffer(): Promise<string> {
    this.#begin("offered");
    await Promise.resolve();
    this.#assertOpen();
    return sdpWrite.writeOffer(this.#transport("actpass"), this.#output.stream);
  }

  async createAnswer(offer: string): Promise<string> {
    const remote = sdp.readOffer(offer);
    this.#begin("answered");
    await Promise.resolve();
    this.#assertOpen();
    this.#setRemote(remote);
    return sdpWrite.writeAnswer(remote, this.#transport("active"), this.#output.stream);
  }

  /** What a restart is answered with; null: there is none. */
  restarts: string | null = null;

  restart(): Promise<string | null> | null {
    return this.restarts === null ? null : Promise.resolve(this.restarts);
  }

  answerSent(): void {}

  async acceptAnswer(answer: string): Promise<void> {
    const remote = sdp.readAnswer(answer);
    if (this.#phase !== "offered") throw new BotError("engine_failed", "there is no offer to be answered");
    this.#phase = "negotiated";
    this.#setRemote(remote);
    await Promise.resolve();
  }

  addCandidate(candidate: string, _mid: string | null): void {
    if (this.#phase === "closed") return;
    if (this.#remote === null) {
      if (this.#early.length < 64) this.#early.push(candidate);
    } else {
      this.#use(candidate);
      this.#tryConnect();
    }
  }

  stats(): ConnectionStats {
    const { sent, received, lastHeardAtMs } = this.#stats;
    const other = this.#other();
    const known = lastHeardAtMs !== null;
    // What the other side counts is reported at once; and no connection of a test is older than "recently".
    const loss = other ? other.#lost() : null;
    return {
      packetsSent: sent,
      packetsSentRecently: sent,
      packetsReceived: received,
      packetsMissed: this.#stats.missed,
      missedRecently: this.#lost(),
      arrivalJitterMs: received > 0 ? 0 : null,
      lossFraction: known ? (loss ?? 0) : null,
      lossRecently: loss,
      lossInAll: loss,
      reportedAtMs: loss === null ? null : this.#engine.clock.now(),
      relayed: known ? false : null,
      way: known && this.#phase !== "closed" ? { local: "host", remote: "host" } : null,
      candidatesUsed: this.#candidates.used,
      candidatesRefused: this.#candidates.refused,
      jitterMs: known ? 0 : null,
      roundTripMs: known ? this.#way.delayMs + (other ? other.#way.delayMs : 0) : null,
      lastHeardAtMs,
    };
  }

  close(): void {
    this.#end("closed", null);
  }

  /** For tests: what happens when the other side vanishes, comes back, or the way to it breaks. */
  simulate(state: Extract<PeerState, "disconnected" | "connected" | "failed">): void {
    if (this.#phase === "closed") return;
    if (state === "failed") this.#end("closed", "failed");
    else this.#events.onState(state);
  }

  /** For tests: how the network treats what is sent from here. */
  impair(way: Partial<FakeWay>): void {
    this.#way = { ...this.#way, ...way };
  }

  /** Called by the output. */
  transmit(packet: FakePacket): void {
    const { delayMs, loses } = this.#way;
    const lost = loses(this.#stats.sent++);
    const { ssrc } = this.#output.stream;
    const other = this.#other();
    if (lost) return;
    if (delayMs === 0) queueMicrotask(() => other?.receive(packet, ssrc));
    else this.#engine.clock.timer(delayMs, () => other?.receive(packet, ssrc));
  }

  receive(packet: FakePacket, ssrc: number): void {
    if (this.#phase === "closed") return;
    const arrivalMs = this.#engine.clock.now();
    const step = (packet.sequence - this.#stats.sequence) & 0xffff;
    if (this.#stats.received++ > 0) this.#stats.missed += step - 1;
    this.#stats.sequence = packet.sequence;
    this.#stats.lastHeardAtMs = arrivalMs;
    this.#events.onAudio({ kind: "opus", ...packet, ssrc, arrivalMs, levelDbov: null });
  }

  goodbye(): void {
    this.#end("closed", "closed");
  }

  #begin(phase: Phase): void {
    if (this.#phase !== "new")
      throw new BotError("engine_failed", "a connection is made for one negotiation");
    this.#phase = phase;
  }

  #assertOpen(): void {
    if (this.#phase === "closed") throw new BotError("cancelled", "the connection was closed");
  }

  #transport(setup: sdp.Setup): sdp.Transport {
    const value = Array.from({ length: 32 }, () => "AB").join(":");
    const fingerprint = { hash: "sha-256", value };
    return { ufrag: this.#ufrag, pwd: "f".repeat(24), fingerprint, setup, candidates: [CANDIDATE] };
  }

  #setRemote(remote: sdp.RemoteAudio): void {
    this.#remote = remote.transport.ufrag;
    this.#direction = sdpWrite.reverse(remote.direction);
    for (const candidate of [...remote.transport.candidates, ...this.#early.splice(0)]) this.#use(candidate);
    this.#tryConnect();
  }

  /** Of the packets that were due here, those that did not come. */
  #lost(): number | null {
    const { received, missed } = this.#stats;
    return received === 0 ? null : missed / (received + missed);
  }

  #use(candidate: string): void {
    if (this.#options.candidateAllowed(candidate)) {
      this.#reachable = true;
      this.#candidates.used++;
    } else this.#candidates.refused++;
  }

  #other(): FakeConnection | null {
    const other = this.#remote === null ? undefined : network.get(this.#remote);
    return other && other.#remote === this.#ufrag ? other : null;
  }

  #tryConnect(): void {
    const other = this.#other();
    if (!other || this.#connected || (!this.#reachable && !other.#reachable)) return;
    for (const side of [this, other])
      queueMicrotask(() => {
        if (side.#phase === "closed" || side.#connected) return;
        side.#connected = true;
        side.#stats.lastHeardAtMs = this.#engine.clock.now();
        side.#events.onState("connecting");
        side.#events.onState("connected");
        const sends = side.#direction === "sendrecv" || side.#direction === "sendonly";
        if (sends && side.#phase !== ("closed" as Phase)) side.#output.listeners.add(side);
      });
  }

  #end(phase: "closed", tell: PeerState | null): void {
    if (this.#phase === "closed") return;
    const other = this.#connected ? this.#other() : null;
    this.#phase = phase;
    network.delete(this.#ufrag);
    this.#output.listeners.delete(this);
    this.#engine.connections.delete(this);
    if (tell) this.#events.onState(tell);
    // Whoever vanished or failed says no goodbye.
    if (tell === null) queueMicrotask(() => other?.goodbye());
  }
}
