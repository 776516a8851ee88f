/** What a member hears of one other member: packets, their losses and lateness, and the decoded sound. */
import { Decoder } from "@evan/opus";
import type { ReceptionReport, RtpPacket } from "./rtp.ts";
import type { HearingStats } from "./types.ts";

const RATE = 48_000;
/** Decoded sound that is kept, in ms. */
const KEPT_MS = 180_000;
/** Later than this against the sender's clock, a listener would have had to invent the sound (ms). */
const LATE_MS = 60;

type Chunk = {
  /** Wall-clock time of arrival, ms. */
  readonly arrivalMs: number;
  /** Wall-clock time at which its first sample was due: by the sender's clock, from its promptest packet. */
  readonly timestamp: number;
  readonly source: Source;
  readonly levelDb: number;
  /** Stereo, interleaved. */
  readonly samples: Int16Array;
};

/** One SSRC of one connection: its own sequence, timestamps and decoder. */
type Source = {
  readonly ssrc: number;
  readonly decoder: Decoder;
  firstSequence: number;
  highestSequence: number;
  /** Extended over the wrap of 32 bits. */
  highestTimestamp: number;
  received: number;
  /** Smallest (arrival - timestamp) so far, ms: the sender's clock on ours. */
  offsetMs: number;
  jitter: number;
  lastTransitMs: number | null;
  reportedExpected: number;
  reportedReceived: number;
};

export class Hearing {
  readonly #chunks: Chunk[] = [];
  #source: Source | null = null;
  #ended = { expected: 0, received: 0 };
  #late = 0;
  #undecodable = 0;

  /** Takes a packet that arrived at `nowMs` (wall clock). */
  take(packet: RtpPacket, nowMs: number): void {
    if (packet.payload.length === 0) return;
    if (this.#source?.ssrc !== packet.ssrc) this.#begin(packet);
    const source = this.#source!;
    const sequence = unwrap(packet.sequence, source.highestSequence, 65_536);
    const timestamp = unwrap(packet.timestamp, source.highestTimestamp, 4_294_967_296);
    source.received++;
    source.highestSequence = Math.max(source.highestSequence, sequence);
    source.highestTimestamp = Math.max(source.highestTimestamp, timestamp);
    const transitMs = nowMs - (timestamp * 1000) / RATE;
    source.offsetMs = Math.min(source.offsetMs, transitMs);
    if (transitMs - source.offsetMs > LATE_MS) this.#late++;
    if (source.lastTransitMs !== null)
      source.jitter += ((Math.abs(transitMs - source.lastTransitMs) * RATE) / 1000 - source.jitter) / 16;
    source.lastTransitMs = transitMs;
    let samples: Int16Array;
    try {
      const decoded = source.decoder.decode(packet.payload);
      samples = new Int16Array(decoded.slice().buffer);
    } catch {
      this.#undecodable++;
      return;
    }
    this.#chunks.push({ arrivalMs: nowMs, timestamp, source, levelDb: levelDb(samples), samples });
    while (this.#chunks[0]!.arrivalMs < nowMs - KEPT_MS) this.#chunks.shift();
  }

  #begin(packet: RtpPacket): void {
    const { expected, received } = this.#counts();
    this.#ended = { expected, received };
    this.#source = {
      ssrc: packet.ssrc,
      decoder: new Decoder({ channels: 2, sample_rate: RATE }),
      firstSequence: packet.sequence,
      highestSequence: packet.sequence,
      highestTimestamp: packet.timestamp,
      received: 0,
      offsetMs: Infinity,
      jitter: 0,
      lastTransitMs: null,
      reportedExpected: 0,
      reportedReceived: 0,
    };
  }

  #counts(): { expected: number; received: number } {
    const source = this.#source;
    if (!source) return this.#ended;
    return {
      expected: this.#ended.expected + source.highestSequence - source.firstSequence + 1,
      received: this.#ended.received + source.received,
    };
  }

  stats(): HearingStats {
    const { expected, received } = this.#counts();
    const last = this.#chunks.at(-1);
    return {
      packetsExpected: expected,
      packetsReceived: received,
      packetsLost: Math.max(0, expected - received),
      packetsLate: this.#late,
      undecodable: this.#undecodable,
      jitterMs: ((this.#source?.jitter ?? 0) * 1000) / RATE,
      lastPacketMs: last?.arrivalMs ?? null,
    };
  }

  /** For the next sender report of ours; null when nothing was heard. */
  report(lastReport: number, sinceLastReport: number): ReceptionReport | null {
    const source = this.#source;
    if (!source) return null;
    const expected = source.highestSequence - source.firstSequence + 1;
    const newlyExpected = expected - source.reportedExpected;
    const newlyReceived = source.received - source.reportedReceived;
    source.reportedExpected = expected;
    source.reportedReceived = source.received;
    return {
      ssrc: source.ssrc,
      fractionLost: newlyExpected > 0 ? Math.max(0, newlyExpected - newlyReceived) / newlyExpected : 0,
      packetsLost: Math.max(0, expected - source.received),
      highestSequence: source.highestSequence,
      jitter: Math.round(source.jitter),
      lastReport,
      sinceLastReport,
    };
  }

  /** Arrival (wall clock, ms) of the first packet since `sinceMs` that is louder than `thresholdDb`; null if none. */
  firstAudioMs(sinceMs: number, thresholdDb: number): number | null {
    return (
      this.#chunks.find((chunk) => chunk.arrivalMs >= sinceMs && chunk.levelDb > thresholdDb)?.arrivalMs ??
      null
    );
  }

  /**
   * The sound since a wall-clock time, each packet where the sender's clock puts it; what is missing is silence.
   * Stereo, interleaved. `startMs` is when the first sample was due.
   */
  pcm(sinceMs: number): { startMs: number; samples: Float32Array } {
    const dueMs = (chunk: Chunk): number => (chunk.timestamp * 1000) / RATE + chunk.source.offsetMs;
    const chunks = this.#chunks.filter((chunk) => dueMs(chunk) >= sinceMs);
    if (chunks.length === 0) return { startMs: sinceMs, samples: new Float32Array(0) };
    const startMs = chunks.reduce((least, chunk) => Math.min(least, dueMs(chunk)), Infinity);
    const place = (chunk: Chunk): number => Math.round(((dueMs(chunk) - startMs) * RATE) / 1000) * 2;
    const end = chunks.reduce((most, chunk) => Math.max(most, place(chunk) + chunk.samples.length), 0);
    const samples = new Float32Array(end);
    for (const chunk of chunks) {
      const start = place(chunk);
      for (let i = 0; i < chunk.samples.length; i++) samples[start + i] = chunk.samples[i]! / 32_768;
    }
    return { startMs, samples };
  }
}

/** The value that is nearest to `reference` of those that are `value` modulo `modulus`. */
function unwrap(value: number, reference: number, modulus: number): number {
  const turn = Math.round((reference - value) / modulus);
  return value + turn * modulus;
}

function levelDb(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * Math.log10(sum / Math.max(1, samples.length) / 32_768 ** 2);
}
