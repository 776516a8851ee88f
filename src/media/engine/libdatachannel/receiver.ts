import type { ConnectionEvents } from "../engine.ts";
import { Reception } from "../reception.ts";
import { compactNtp, msToNtp, ntpToMs, readRtcp, roundTripMs, writeRtcp } from "../rtcp.ts";
import type { ReportBlock, SenderInfo } from "../rtcp.ts";
import { MAX_PAYLOAD_BYTES, RtpReader } from "../rtp.ts";

/**
 * The reason in our last RTCP packet. A browser closes DTLS, and that is noticed; this library mostly frees its transport
 * before the alert is written, so that two of us would not notice each other's end for half a minute. A goodbye without
 * this reason only ends a stream (browsers say it when they stop sending for a while).
 */
const GOODBYE = "connection closed";

export interface ReceiverOptions {
  payloadType: number;
  levelExtension: number | null;
  declared: readonly number[];
  ownSsrc: number;
  /** The other side said that it closes the whole connection. */
  onGoodbye: () => void;
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
  /** Packets that were no well-formed RTP or RTCP, of another payload type, empty, or too large. */
  dropped = 0;
  readonly #options: ReceiverOptions;
  readonly #reader = new RtpReader();

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.reception = new Reception(options.declared);
  }

  onRtp(packet: Buffer, nowMs: number): void {
    const reader = this.#reader;
    const { payloadType, levelExtension, events } = this.#options;
    if (!reader.read(packet, levelExtension) || reader.payloadType !== payloadType) {
      this.dropped++;
      return;
    }
    const speaks = this.reception.take(reader.ssrc, reader.sequence, reader.timestamp, nowMs);
    const length = reader.payloadEnd - reader.payloadStart;
    // Empty ones are padding (probes for bandwidth); they count as received.
    if (!speaks || length === 0) return;
    if (length > MAX_PAYLOAD_BYTES) {
      this.dropped++;
      return;
    }
    events.onAudio({
      kind: "opus",
      payload: packet.subarray(reader.payloadStart, reader.payloadEnd),
      ssrc: reader.ssrc,
      sequence: reader.sequence,
      timestamp: reader.timestamp,
      marker: reader.marker,
      arrivalMs: nowMs,
      levelDbov: reader.levelDbov,
    });
  }

  onRtcp(packet: Buffer, nowMs: number): void {
    const items = readRtcp(packet);
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
        for (const block of item.blocks) if (block.ssrc === this.#options.ownSsrc) this.#onBlock(block);
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
    if (!this.reception.onSenderReport(ssrc, sender, nowMs)) return;
    const ntpMs = ntpToMs(sender.ntpSeconds, sender.ntpFraction);
    this.#options.events.onSenderClock({ ssrc, ntpMs, timestamp: sender.timestamp, arrivalMs: nowMs });
  }

  #onBlock(block: ReportBlock): void {
    const now = msToNtp(this.#options.ntpNow());
    const measured = roundTripMs(block, compactNtp(now.ntpSeconds, now.ntpFraction));
    this.heard = {
      lossFraction: block.fractionLost / 256,
      jitterMs: block.jitter / 48,
      roundTripMs: measured ?? this.heard?.roundTripMs ?? null,
    };
  }
}
