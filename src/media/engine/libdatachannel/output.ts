import { randomBytes, randomInt } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import type { EngineOutput, OutgoingFrame } from "../engine.ts";
import { RedWriter } from "../red.ts";
import { msToNtp } from "../rtcp.ts";
import type { SenderInfo } from "../rtcp.ts";
import { RtpWriter, setPayloadType } from "../rtp.ts";
import type { LocalStream } from "../sdp-write.ts";
import type { Sending } from "./sending.ts";

/** A connection that the output's packets go to. */
export interface Listener {
  readonly sending: Readonly<Pick<Sending, "payloadType" | "redType" | "redundancy">>;
  /** Must not throw. The packet is only valid during the call. */
  send(packet: Buffer): void;
}

/** NTP time as this engine tells it: it does not jump with the wall clock, so that round trips come out right. */
export class NtpClock {
  readonly #clock: Clock;
  readonly #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.wall() - clock.now();
  }

  /** Milliseconds since the Unix epoch. */
  now(): number {
    return this.#clock.now() + this.#offset;
  }
}

const UNITS_PER_MS = 48;
/** Without a frame for longer, we are no sender (RFC 3550 section 6.4: two report intervals). */
const SENDER_MS = 10_000;

/** One outgoing stream: each frame becomes one RTP packet, and that goes to every listener. */
export class Output implements EngineOutput {
  readonly stream: LocalStream;
  readonly #clock: Clock;
  readonly #ntp: NtpClock;
  readonly #writer: RtpWriter;
  readonly #red = new RedWriter();
  /** Of those who get packets of their own. */
  readonly #ownRed = new WeakMap<Listener, RedWriter>();
  /** An array, because a frame walks over it; connections come and go rarely. */
  #listeners: Listener[] = [];
  #closed = false;
  #lastTimestamp = 0;
  #lastAtMs: number | null = null;
  #packets = 0;
  #octets = 0;

  constructor(clock: Clock, ntp: NtpClock, maxBitrate: number) {
    this.#clock = clock;
    this.#ntp = ntp;
    const ssrc = randomInt(1, 2 ** 32);
    // RFC 7022 section 4.2: a short-term persistent CNAME says nothing about who we are.
    this.stream = {
      ssrc,
      cname: randomBytes(12).toString("base64"),
      msid: randomBytes(8).toString("hex"),
      maxBitrate,
      red: true,
    };
    this.#writer = new RtpWriter(ssrc, randomInt(0, 0x8000));
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(frame: OutgoingFrame): void {
    if (this.#closed || frame.opus === null) return;
    this.#lastTimestamp = frame.timestamp;
    this.#lastAtMs = this.#clock.now();
    this.#packets++;
    this.#octets += frame.opus.length;
    const packet = this.#writer.write(frame.opus, frame.timestamp, frame.marker);
    this.#red.begin(packet);
    for (const listener of this.#listeners) {
      const own = frame.own?.get(listener)?.opus;
      if (own) this.#sendOwn(listener, own);
      else listener.send(this.#packetFor(listener, packet, this.#red));
    }
    this.#red.done();
  }

  /** The same packet with another payload, and those before it with it if it takes redundant ones. */
  #sendOwn(listener: Listener, payload: Uint8Array): void {
    let red = this.#ownRed.get(listener);
    if (!red) this.#ownRed.set(listener, (red = new RedWriter()));
    const packet = this.#writer.again(payload);
    red.begin(packet);
    listener.send(this.#packetFor(listener, packet, red));
    red.done();
  }

  #packetFor(
    { sending: { payloadType, redType, redundancy } }: Listener,
    plain: Buffer,
    red: RedWriter,
  ): Buffer {
    if (redundancy && redType !== null) {
      const packet = red.packet(redundancy, redType, payloadType);
      if (packet) return packet;
    }
    setPayloadType(plain, payloadType);
    return plain;
  }

  setBitrate(_bitrate: number): void {
    // What is written is encoded already.
  }

  attach(listener: Listener): void {
    if (!this.#closed && !this.#listeners.includes(listener))
      this.#listeners = [...this.#listeners, listener];
  }

  detach(listener: Listener): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  /** For a sender report now; null while nothing is being sent. */
  senderInfo(): SenderInfo | null {
    const now = this.#clock.now();
    if (this.#lastAtMs === null || now - this.#lastAtMs > SENDER_MS) return null;
    const sinceUnits = Math.round((now - this.#lastAtMs) * UNITS_PER_MS);
    return {
      ...msToNtp(this.#ntp.now()),
      timestamp: (this.#lastTimestamp + sinceUnits) >>> 0,
      packets: this.#packets,
      octets: this.#octets,
    };
  }

  close(): void {
    this.#closed = true;
    this.#listeners = [];
  }
}
