import { Allowance } from "../../../base/allowance.ts";
import type { ConnectionEvents } from "../engine.ts";
import { LossReports } from "../figures.ts";
import { Reception } from "../reception.ts";
import { primaryBlock } from "../red.ts";
import { compactNtp, msToNtp, ntpToMs, readRtcp, roundTripMs, writeRtcp } from "../rtcp.ts";
import type { ReportBlock, SenderInfo } from "../rtcp.ts";
import { isRtcp, MAX_PAYLOAD_BYTES, readUint32, RtpReader } from "../rtp.ts";

/**
 * The reason in our last RTCP packet. A browser closes DTLS, and that is noticed; this library mostly frees its transport
 * before the alert is written, so that two of us would not notice each other's end for half a minute. A goodbye without
 * this reason only ends a stream (browsers say it when they stop sending for a while).
 */
const GOODBYE = "connection closed";

/**
 * What one connection may send. Speech comes in 50 packets and some 8 kB a second; the most that Opus has is 64 kB. The
 * bursts are what comes at once from a network, or to a process, that was stuck for seconds. Beyond it packets are dropped,
 * so that what is made of them (files, levels) is bounded whatever comes.
 */
const AUDIO_PACKETS = { perSecond: 120, burst: 600 } as const;
const AUDIO_BYTES = { perSecond: 64_000, burst: 256_000 } as const;
const REPORTS = { perSecond: 20, burst: 60 } as const;
const CLOCKS = { perSecond: 2, burst: 10 } as const;
/** Who sends so much of whatever kind is no speaker: the connection is ended, for even dropping it costs. */
const FLOOD_PACKETS = { perSecond: 1000, burst: 4000 } as const;
const FLOOD_BYTES = { perSecond: 500_000, burst: 2_000_000 } as const;
/** The library keeps something for each stream that it ever decrypted, until the connection ends. One speaker has one. */
const MAX_STREAMS = 256;
/** Reported jitter beyond this is made up. */
export const MAX_JITTER_MS = 60_000;

const allowance = ({ perSecond, burst }: { perSecond: number; burst: number }): Allowance =>
  new Allowance(perSecond, burst);

export interface ReceiverOptions {
  payloadType: number;
  /** Of redundant audio data; null when it was not negotiated. */
  redPayloadType: number | null;
  levelExtension: number | null;
  declared: readonly number[];
  ownSsrc: number;
  /** The other side said that it closes the whole connection. */
  onGoodbye: () => void;
  /** It sends more than anybody who speaks could. Called once. */
  onFlood: () => void;
  /** Number of the first packet that was sent to them; null before. */
  firstSent: () => number | null;
  /** The clock of our own sender reports, ms since the Unix epoch. */
  ntpNow: () => number;
  events: Pick<ConnectionEvents, "onAudio" | "onSenderClock">;
}

/** What the other side last reported about our stream. */
export interface HeardReport {
  lossFraction: number;
  jitterMs: number;
  roundTripMs: number | null;
}

/** The incoming packets of one connection: RTP to audio, RTCP to clocks and figures. No I/O. */
export class Receiver {
  readonly reception: Reception;
  heard: HeardReport | null = null;
  readonly loss = new LossReports();
  /** Packets that were no well-formed RTP or RTCP, of another payload type, empty, too large, or too many. */
  dropped = 0;
  readonly #options: ReceiverOptions;
  readonly #reader = new RtpReader();
  readonly #audioPackets = allowance(AUDIO_PACKETS);
  readonly #audioBytes = allowance(AUDIO_BYTES);
  readonly #reports = allowance(REPORTS);
  readonly #clocks = allowance(CLOCKS);
  readonly #floodPackets = allowance(FLOOD_PACKETS);
  readonly #floodBytes = allowance(FLOOD_BYTES);
  readonly #streams = new Set<number>();
  /** Almost every packet is of the stream of the one before. */
  #lastStream = -1;
  #flooded = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.reception = new Reception(options.declared);
  }

  /** Every packet that came, RTP and RTCP. */
  onPacket(packet: Buffer, nowMs: number): void {
    if (this.#flooded) return;
    const report = isRtcp(packet);
    const bounded = this.#floodPackets.take(nowMs) && this.#floodBytes.take(nowMs, packet.length);
    if (!bounded || !this.#knowsStream(packet, report ? 4 : 8)) {
      this.#flooded = true;
      this.#streams.clear();
      this.#options.onFlood();
    } else if (report) this.onRtcp(packet, nowMs);
    else this.onRtp(packet, nowMs);
  }

  #knowsStream(packet: Buffer, at: number): boolean {
    if (packet.length < at + 4) return true;
    const stream = readUint32(packet, at);
    if (stream === this.#lastStream) return true;
    this.#lastStream = stream;
    this.#streams.add(stream);
    return this.#streams.size <= MAX_STREAMS;
  }

  onRtp(packet: Buffer, nowMs: number): void {
    const reader = this.#reader;
    const { levelExtension, events } = this.#options;
    const payloadStart = reader.read(packet, levelExtension) ? this.#soundAt(packet) : null;
    if (payloadStart === null) {
      this.dropped++;
      return;
    }
    const speaks = this.reception.take(reader.ssrc, reader.sequence, reader.timestamp, nowMs);
    const length = reader.payloadEnd - payloadStart;
    // Empty ones are padding (probes for bandwidth); they count as received.
    if (!speaks || length === 0) return;
    const fits = length <= MAX_PAYLOAD_BYTES;
    if (!fits || !this.#audioPackets.take(nowMs) || !this.#audioBytes.take(nowMs, length)) {
      this.dropped++;
      return;
    }
    events.onAudio({
      kind: "opus",
      payload: packet.subarray(payloadStart, reader.payloadEnd),
      ssrc: reader.ssrc,
      sequence: reader.sequence,
      timestamp: reader.timestamp,
      marker: reader.marker,
      arrivalMs: nowMs,
      levelDbov: reader.levelDbov,
    });
  }

  /** Where the Opus of the packet just read begins; null when it has none of the negotiated type. */
  #soundAt(packet: Buffer): number | null {
    const { payloadType, redPayloadType } = this.#options;
    const reader = this.#reader;
    if (reader.payloadType === payloadType) return reader.payloadStart;
    if (redPayloadType === null || reader.payloadType !== redPayloadType) return null;
    // Nobody was told to prefer it; whoever sends it all the same is heard.
    if (reader.payloadStart === reader.payloadEnd) return reader.payloadStart;
    return primaryBlock(packet, reader.payloadStart, reader.payloadEnd, payloadType);
  }

  onRtcp(packet: Buffer, nowMs: number): void {
    const items = this.#reports.take(nowMs) ? readRtcp(packet) : null;
    if (!items) {
      this.dropped++;
      return;
    }
    for (const item of items) {
      if (item.kind === "bye") {
        item.ssrcs.forEach((ssrc) => this.reception.onGoodbye(ssrc));
        if (item.reason === GOODBYE) this.#options.onGoodbye();
      } else {
        if (item.kind === "sr") this.#onSenderReport(item.ssrc, item.sender, nowMs);
        for (const block of item.blocks)
          if (block.ssrc === this.#options.ownSsrc) this.#onBlock(block, nowMs);
      }
    }
  }

  /** A compound report of ours about what was heard since `sinceMs`. */
  report(
    nowMs: number,
    {
      sender,
      cname,
      sinceMs,
      bye,
    }: { sender: SenderInfo | null; cname: string; sinceMs: number; bye: boolean },
  ): Buffer {
    const blocks = this.reception.reports(nowMs, sinceMs);
    return writeRtcp({ ssrc: this.#options.ownSsrc, cname, sender, blocks, bye: bye ? GOODBYE : null });
  }

  #onSenderReport(ssrc: number, sender: SenderInfo, nowMs: number): void {
    if (!this.reception.onSenderReport(ssrc, sender, nowMs) || !this.#clocks.take(nowMs)) return;
    const ntpMs = ntpToMs(sender.ntpSeconds, sender.ntpFraction);
    this.#options.events.onSenderClock({ ssrc, ntpMs, timestamp: sender.timestamp, arrivalMs: nowMs });
  }

  #onBlock(block: ReportBlock, nowMs: number): void {
    const first = this.#options.firstSent();
    if (first !== null) this.loss.take(block, first, nowMs);
    const now = msToNtp(this.#options.ntpNow());
    const measured = roundTripMs(block, compactNtp(now.ntpSeconds, now.ntpFraction));
    this.heard = {
      lossFraction: block.fractionLost / 256,
      jitterMs: Math.min(MAX_JITTER_MS, block.jitter / 48),
      roundTripMs: measured ?? this.heard?.roundTripMs ?? null,
    };
  }
}
