import { BotError } from "../../src/base/errors.ts";
import type { Clock, Timer } from "../../src/base/clock.ts";
import type { PeerState } from "../../src/media/plane.ts";

const CONNECT_MS = 20;
const GOODBYE_MS = 5;
const SILENCE_MS = 5000;
const FAIL_MS = 15_000;

/** Every fake connection there is, by its ICE user fragment: how those of one plane find those of another. */
const wires = new Map<string, FakeConnection>();
let nextUfrag = 0;

/** Fake connections that nobody closed yet: 0 when everything was closed. */
export function openConnections(): number {
  return wires.size;
}

export interface FakeConnectionEvents {
  onState(state: PeerState): void;
  /** The other side sounds. */
  onSound(): void;
}

/** A peer connection that connects when each side was given the other's description, and to nothing else. */
export class FakeConnection {
  readonly ufrag = `fake${nextUfrag++}`;
  readonly candidates: { candidate: string; mid: string | null }[] = [];
  readonly #clock: Clock;
  readonly #failMs: number;
  readonly #events: FakeConnectionEvents;
  #timer: Timer | null = null;
  #remoteUfrag: string | null = null;
  #closed = false;
  #state: PeerState | null = null;

  /** @param failMs after which a connection to nobody fails; libdatachannel needs 30 s */
  constructor(clock: Clock, events: FakeConnectionEvents, failMs = FAIL_MS) {
    this.#clock = clock;
    this.#failMs = failMs;
    this.#events = events;
    wires.set(this.ufrag, this);
  }

  get state(): PeerState {
    return this.#state ?? "connecting";
  }

  describe(setup: "actpass" | "active"): string {
    const lines = [
      "v=0",
      "o=- 1 1 IN IP4 127.0.0.1",
      "s=-",
      "t=0 0",
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      "c=IN IP4 0.0.0.0",
      "a=mid:0",
      "a=sendrecv",
      `a=ice-ufrag:${this.ufrag}`,
      "a=ice-pwd:fakefakefakefakefakefake",
      "a=fingerprint:sha-256 00:11:22:33",
      `a=setup:${setup}`,
      "a=rtcp-mux",
      "a=rtpmap:111 opus/48000/2",
      "a=candidate:1 1 UDP 2122317823 127.0.0.1 9 typ host",
      "a=end-of-candidates",
    ];
    return `${lines.join("\r\n")}\r\n`;
  }

  /** @throws BotError `bad_sdp` */
  setRemote(sdp: string): void {
    const ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
    if (!ufrag || !/^a=rtpmap:\d+ opus\/48000/im.test(sdp)) {
      throw new BotError("bad_sdp", "no usable Opus audio section");
    }
    this.#remoteUfrag = ufrag;
    queueMicrotask(() => {
      if (this.#state === null) this.#set("connecting");
    });
    this.#later(this.#failMs, () => this.#end("failed"));
    const other = this.partner;
    if (!other) return;
    this.#later(CONNECT_MS, () => this.#set("connected"));
    other.#later(CONNECT_MS, () => other.#set("connected"));
  }

  /** The connection at the other end, when each knows the other. */
  get partner(): FakeConnection | null {
    const other = this.#remoteUfrag === null ? undefined : wires.get(this.#remoteUfrag);
    return other && other.#remoteUfrag === this.ufrag ? other : null;
  }

  /** Sends sound to the other end. */
  sound(): void {
    if (this.state === "connected") this.partner?.hear();
  }

  hear(): void {
    this.#events.onSound();
  }

  /** Closes with a goodbye, as DTLS has it; no event of ours follows. */
  close(): void {
    const { partner } = this;
    this.#gone();
    if (partner) partner.#later(GOODBYE_MS, () => partner.#end("closed"));
  }

  /** Vanishes without a word, as with a killed process. */
  vanish(): void {
    const { partner } = this;
    this.#gone();
    if (!partner) return;
    partner.#later(SILENCE_MS, () => {
      partner.#set("disconnected");
      partner.#later(FAIL_MS - SILENCE_MS, () => partner.#end("failed"));
    });
  }

  #gone(): void {
    this.#closed = true;
    this.#timer?.cancel();
    wires.delete(this.ufrag);
  }

  #end(state: "closed" | "failed"): void {
    this.#set(state);
    this.#gone();
  }

  #set(state: PeerState): void {
    if (this.#closed || this.#state === state) return;
    this.#state = state;
    this.#events.onState(state);
  }

  #later(ms: number, run: () => void): void {
    this.#timer?.cancel();
    if (!this.#closed) this.#timer = this.#clock.timer(ms, run);
  }
}
