import { compactNtp } from "./rtcp.ts";
import type { ReportBlock, SenderInfo } from "./rtcp.ts";

/**
 * What arrives over one connection: which of its streams is the speaker, and the figures of each for receiver reports.
 * Pure: times are passed in.
 */

// RFC 3550 appendix A.1
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;
const MIN_SEQUENTIAL = 2;
const SEQUENCE_MODULUS = 65_536;

const MAX_SOURCES = 8;
/** A source silent for this long gives its place up when another one needs it. */
const SOURCE_STALE_MS = 2000;
/** The speaker may change back to a source heard before when the present one has been silent for this long. */
const TAKEOVER_MS = 500;
const UNITS_PER_MS = 48;

/** One SSRC: sequence validation (A.1), loss (A.3), jitter (A.8). */
export class Source {
  readonly ssrc: number;
  received = 0;
  lastHeardMs = 0;
  /** 48 kHz units. */
  jitter = 0;
  #probation: number;
  #maxSequence: number;
  #baseSequence: number;
  #cycles = 0;
  #badSequence = SEQUENCE_MODULUS + 1;
  #transit: number | null = null;
  #expectedPrior = 0;
  #receivedPrior = 0;
  #lastReport: { compact: number; atMs: number } | null = null;

  /** @param declared the description named this SSRC, so that it needs no probation. */
  constructor(ssrc: number, sequence: number, declared: boolean) {
    this.ssrc = ssrc;
    this.#probation = declared ? 0 : MIN_SEQUENTIAL;
    this.#baseSequence = sequence;
    this.#maxSequence = declared ? sequence : sequence - 1;
  }

  get valid(): boolean {
    return this.#probation === 0;
  }

  /** Packets that should have come and did not (yet). */
  get missed(): number {
    return this.received === 0 ? 0 : Math.max(0, this.#expected - this.received);
  }

  get #expected(): number {
    return this.#cycles + this.#maxSequence - this.#baseSequence + 1;
  }

  /** @returns whether the packet belongs to a validated stream. */
  take(sequence: number, timestamp: number, arrivalMs: number): boolean {
    this.lastHeardMs = arrivalMs;
    if (!this.#validate(sequence)) return false;
    this.received++;
    // A.8: both clocks wrap at 32 bits, and only differences of their difference count.
    const transit = (Math.round(arrivalMs * UNITS_PER_MS) - timestamp) | 0;
    if (this.#transit !== null) {
      const difference = Math.abs((transit - this.#transit) | 0);
      this.jitter += (difference - this.jitter) / 16;
    }
    this.#transit = transit;
    return true;
  }

  #validate(sequence: number): boolean {
    const delta = (sequence - this.#maxSequence + SEQUENCE_MODULUS) % SEQUENCE_MODULUS;
    if (this.#probation > 0) {
      this.#probation = delta === 1 ? this.#probation - 1 : MIN_SEQUENTIAL - 1;
      this.#maxSequence = sequence;
      if (this.#probation > 0) return false;
      this.#restart(sequence);
      return true;
    }
    if (delta < MAX_DROPOUT) {
      if (sequence < this.#maxSequence) this.#cycles += SEQUENCE_MODULUS;
      this.#maxSequence = sequence;
      return true;
    }
    if (delta <= SEQUENCE_MODULUS - MAX_MISORDER) {
      // A great jump: two in a row mean that the other side started anew.
      if (sequence !== this.#badSequence) {
        this.#badSequence = (sequence + 1) % SEQUENCE_MODULUS;
        return false;
      }
      this.#restart(sequence);
    }
    return true; // late or twice
  }

  #restart(sequence: number): void {
    this.#baseSequence = sequence;
    this.#maxSequence = sequence;
    this.#badSequence = SEQUENCE_MODULUS + 1;
    this.#cycles = 0;
    this.received = 0;
    this.#receivedPrior = 0;
    this.#expectedPrior = 0;
    this.#transit = null;
  }

  onSenderReport(sender: SenderInfo, nowMs: number): void {
    this.#lastReport = { compact: compactNtp(sender.ntpSeconds, sender.ntpFraction), atMs: nowMs };
  }

  /** The block about this source; begins the next interval. */
  report(nowMs: number): ReportBlock {
    const expected = this.#expected;
    const expectedInterval = expected - this.#expectedPrior;
    const lostInterval = expectedInterval - (this.received - this.#receivedPrior);
    this.#expectedPrior = expected;
    this.#receivedPrior = this.received;
    const fraction = expectedInterval <= 0 || lostInterval <= 0 ? 0 : (lostInterval * 256) / expectedInterval;
    return {
      ssrc: this.ssrc,
      fractionLost: Math.min(255, Math.floor(fraction)),
      cumulativeLost: expected - this.received,
      highestSequence: (this.#cycles + this.#maxSequence) >>> 0,
      jitter: this.jitter,
      lastSenderReport: this.#lastReport?.compact ?? 0,
      delaySinceLastSenderReport: this.#lastReport
        ? Math.round(((nowMs - this.#lastReport.atMs) * 65_536) / 1000)
        : 0,
    };
  }
}

/** The sources of one connection and which of them is the speaker. */
export class Reception {
  readonly #declared: ReadonlySet<number>;
  readonly #sources = new Map<number, Source>();
  #speaker: Source | null = null;
  #goneReceived = 0;
  #goneMissed = 0;

  /** @param declared the SSRCs that the remote description names. */
  constructor(declared: readonly number[]) {
    this.#declared = new Set(declared);
  }

  get received(): number {
    let sum = this.#goneReceived;
    for (const source of this.#sources.values()) sum += source.received;
    return sum;
  }

  get missed(): number {
    let sum = this.#goneMissed;
    for (const source of this.#sources.values()) sum += source.missed;
    return sum;
  }

  /** Of the speaker's packets, in 48 kHz units; null before the first. */
  get jitter(): number | null {
    return this.#speaker?.jitter ?? null;
  }

  /**
   * Counts a packet. @returns whether it is the speaker's: a stream new to this connection becomes it as soon as it is
   * validated (a sender that started anew), one known before only after the present one fell silent.
   */
  take(ssrc: number, sequence: number, timestamp: number, arrivalMs: number): boolean {
    const source = this.#sources.get(ssrc) ?? this.#add(ssrc, sequence, arrivalMs);
    if (!source) return false;
    const known = source.valid && source.received > 0;
    if (!source.take(sequence, timestamp, arrivalMs)) return false;
    if (source === this.#speaker) return true;
    if (known && this.#speaker && arrivalMs - this.#speaker.lastHeardMs < TAKEOVER_MS) return false;
    this.#speaker = source;
    return true;
  }

  /** @returns whether the source is one that sends here. */
  onSenderReport(ssrc: number, sender: SenderInfo, nowMs: number): boolean {
    const source = this.#sources.get(ssrc);
    if (!source?.valid) return false;
    source.onSenderReport(sender, nowMs);
    return true;
  }

  onGoodbye(ssrc: number): void {
    const source = this.#sources.get(ssrc);
    if (source) this.#remove(source);
  }

  /** Blocks about everything heard since `sinceMs`. */
  reports(nowMs: number, sinceMs: number): ReportBlock[] {
    const blocks: ReportBlock[] = [];
    for (const source of this.#sources.values())
      if (source.valid && source.lastHeardMs >= sinceMs) blocks.push(source.report(nowMs));
    return blocks;
  }

  #add(ssrc: number, sequence: number, nowMs: number): Source | null {
    if (this.#sources.size >= MAX_SOURCES) {
      let oldest: Source | null = null;
      for (const source of this.#sources.values())
        if (!oldest || source.lastHeardMs < oldest.lastHeardMs) oldest = source;
      if (!oldest || nowMs - oldest.lastHeardMs < SOURCE_STALE_MS) return null;
      this.#remove(oldest);
    }
    const source = new Source(ssrc, sequence, this.#declared.has(ssrc));
    this.#sources.set(ssrc, source);
    return source;
  }

  #remove(source: Source): void {
    this.#sources.delete(source.ssrc);
    this.#goneReceived += source.received;
    this.#goneMissed += source.missed;
    if (this.#speaker === source) this.#speaker = null;
  }
}
