import { ClockSorter, extend, type ClockRun } from "./clocks.ts";
import { Envelope } from "./envelope.ts";

export interface ObservedPacket {
  ssrc: number;
  timestamp: number;
  sequence: number;
  /** Arrival, ms since the recording's start. */
  atMs: number;
  samples: number;
}

/** Counted over all clocks of a file. */
export interface Counts {
  packets: number;
  lost: number;
  reordered: number;
  duplicates: number;
  damaged: number;
  gaps: number;
  gapMs: number;
}

export const noCounts = (): Counts => ({
  ...{ packets: 0, lost: 0, reordered: 0, duplicates: 0, damaged: 0, gaps: 0, gapMs: 0 },
});

/** What was seen of one clock. */
export interface ObservedClock {
  run: ClockRun;
  envelope: Envelope;
  firstRtp: number;
  endRtp: number;
  firstAtMs: number;
  counts: Counts;
}

interface Watched extends ObservedClock {
  sequences: Sequences;
}

/** Reports that are about no time near what was heard are not believed. */
const REPORT_NEAR = 120 * 48_000;
/** Lost for longer is a gap that is told, not a crackle. */
export const GAP_SAMPLES = 120 * 48;

/** First reading of a track file: takes what is in it, in order, and keeps what the clocks are found out from. */
export class TrackObserver {
  readonly #sorter: ClockSorter;
  readonly #own: boolean;
  readonly #clocks: Watched[] = [];
  /** Of packets that belong to no clock. */
  damaged = 0;

  /** @param own the bot's own clock: arrival is the time at which a packet was due */
  constructor({ own }: { own: boolean }) {
    this.#own = own;
    this.#sorter = new ClockSorter({ own });
  }

  get clocks(): readonly ObservedClock[] {
    return this.#clocks;
  }

  /** Which clock it is of; null when of none, or when it was there already. */
  packet({ ssrc, timestamp, sequence, atMs, samples }: ObservedPacket): number | null {
    const sorted = this.#sorter.sort({ ssrc, timestamp, atMs });
    if (!sorted) {
      this.damaged++;
      return null;
    }
    const { run, rtp } = sorted;
    // Nothing is sent before it was captured whole; what is our own is due at its beginning.
    const sentRtp = this.#own ? rtp : rtp + samples;
    let clock = this.#clocks[run.index];
    if (!clock) {
      const envelope = new Envelope(sentRtp, atMs);
      const counts = noCounts();
      clock = {
        run,
        envelope,
        firstRtp: rtp,
        endRtp: rtp,
        firstAtMs: atMs,
        counts,
        sequences: new Sequences(sequence),
      };
      this.#clocks[run.index] = clock;
    }
    const { counts } = clock;
    const order = clock.sequences.take(sequence);
    if (order === "again") {
      counts.duplicates++;
      return null;
    }
    counts.packets++;
    if (order === "late") counts.reordered++;
    else if (order > 1 && (order - 1) * samples > GAP_SAMPLES) {
      counts.gaps++;
      counts.gapMs += Math.max(0, rtp - clock.endRtp) / 48;
    }
    counts.lost = clock.sequences.missing(counts.packets);
    clock.firstRtp = Math.min(clock.firstRtp, rtp);
    clock.endRtp = Math.max(clock.endRtp, rtp + samples);
    clock.envelope.packet(sentRtp, atMs);
    return run.index;
  }

  report({ ssrc, timestamp, ntpMs }: { ssrc: number; timestamp: number; ntpMs: number }): void {
    const clock = this.#latest(ssrc);
    if (!clock) return;
    const rtp = extend(timestamp, clock.run.lastRtp);
    if (Math.abs(rtp - clock.run.lastRtp) < REPORT_NEAR) clock.envelope.report(rtp, ntpMs);
  }

  path({ ssrc, roundTripMs }: { ssrc: number; roundTripMs: number }): void {
    this.#latest(ssrc)?.envelope.roundTrip(roundTripMs);
  }

  #latest(ssrc: number): Watched | undefined {
    const run = this.#sorter.latest(ssrc);
    return run ? this.#clocks[run.index] : undefined;
  }
}

const REMEMBERED = 256;
/** A step of sequence numbers that is a new beginning (RFC 3550 appendix A.1, MAX_DROPOUT). */
const DROPOUT = 3_000;

/** Sequence numbers without wrap-around (RFC 3550 appendix A): what is lost, late, doubled. */
export class Sequences {
  #first: number;
  #last: number;
  /** What was missed before the numbers began anew. */
  #missedBefore = 0;
  #packetsBefore = 0;
  #packets = 0;
  readonly #seen = new Float64Array(REMEMBERED).fill(-1);

  constructor(first: number) {
    // High enough that late ones stay above 0.
    this.#first = first + 0x10000;
    this.#last = this.#first - 1;
  }

  /** How far it is ahead of the last one in order (1: the next), or that it is late, or was there already. */
  take(sequence: number): number | "late" | "again" {
    const step = ((sequence - this.#last) << 16) >> 16;
    if (Math.abs(step) > DROPOUT) {
      this.#missedBefore = this.missing(this.#packetsBefore + this.#packets);
      this.#packetsBefore += this.#packets;
      this.#packets = 1;
      this.#first = sequence + 0x10000;
      this.#last = this.#first;
      this.#seen.fill(-1);
      this.#seen[this.#last % REMEMBERED] = this.#last;
      return 1;
    }
    const extended = this.#last + step;
    const slot = ((extended % REMEMBERED) + REMEMBERED) % REMEMBERED;
    if (this.#seen[slot] === extended) return "again";
    this.#seen[slot] = extended;
    this.#packets++;
    this.#first = Math.min(this.#first, extended);
    if (step <= 0) return "late";
    this.#last = extended;
    return step;
  }

  /** How many were sent and never came, of those that `packets` came of. */
  missing(packets: number): number {
    const expected = this.#last - this.#first + 1;
    return this.#missedBefore + Math.max(0, expected - (packets - this.#packetsBefore));
  }
}
