import type { ConnectionStats } from "../engine.ts";
import { isRelayed, missedShare, RecentCounts } from "../figures.ts";
import type { Counts } from "../figures.ts";
import type { NativeWay } from "./library.ts";
import { MAX_JITTER_MS } from "./receiver.ts";
import type { Receiver } from "./receiver.ts";
import type { RemoteCandidates } from "../remote-candidates.ts";

/** What one connection counts, and what is made of it when somebody asks. */
export class ConnectionFigures {
  readonly #candidates: RemoteCandidates;
  readonly #recent = new RecentCounts();
  #packetsSent = 0;
  #firstSent: number | null = null;

  constructor(candidates: RemoteCandidates) {
    this.#candidates = candidates;
  }

  /** Number of the first RTP packet that went there; null before. */
  get firstSent(): number | null {
    return this.#firstSent;
  }

  /** An RTP packet went out. */
  sent(packet: Buffer): void {
    this.#packetsSent++;
    this.#firstSent ??= packet.readUInt16BE(2);
  }

  /** About once a second. */
  tick(nowMs: number, receiver: Receiver | undefined): void {
    this.#recent.take(nowMs, this.#counts(receiver));
  }

  /** @param native the way as the library knows it once it is connected */
  read(
    nowMs: number,
    receiver: Receiver | undefined,
    native: NativeWay | null,
  ): Omit<ConnectionStats, "lastHeardAtMs"> {
    const counts = this.#counts(receiver);
    const recent = this.#recent.since(nowMs, counts);
    const jitter = receiver?.reception.jitter ?? null;
    const way = native && {
      local: native.local,
      remote: this.#candidates.isRelay(native.address, native.port) ? ("relay" as const) : native.remote,
    };
    return {
      packetsSent: counts.sent,
      packetsSentRecently: recent.sent,
      packetsReceived: counts.received,
      packetsMissed: counts.missed,
      missedRecently: missedShare(recent),
      arrivalJitterMs: jitter === null ? null : Math.min(MAX_JITTER_MS, jitter / 48),
      lossFraction: receiver?.heard?.lossFraction ?? null,
      lossRecently: receiver?.loss.recently(nowMs) ?? null,
      lossInAll: receiver?.loss.inAll() ?? null,
      jitterMs: receiver?.heard?.jitterMs ?? null,
      reportedAtMs: receiver?.loss.reportedAtMs ?? null,
      roundTripMs: receiver?.heard?.roundTripMs ?? null,
      relayed: isRelayed(way),
      way,
      candidatesUsed: this.#candidates.used,
      candidatesRefused: this.#candidates.refused,
    };
  }

  #counts(receiver: Receiver | undefined): Counts {
    const { received = 0, missed = 0 } = receiver?.reception ?? {};
    return { sent: this.#packetsSent, received, missed };
  }
}
