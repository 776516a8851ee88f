// Which of a sender's clocks a packet belongs to, and its RTP time without wrap-around. Both readings of a file go through this
// and must come to the same answer: it may depend on nothing but the packets in their order.

/** A step of RTP time against arrival that no network makes, and no sender's drift in hours of silence. */
const LEAP_MS = 2_000;
/** The bot's own clock: its timestamps and due times step together, to within rounding. */
const OWN_LEAP_MS = 1;
/** A sender that makes up more clocks than this in one file is not one. */
const MAX_CLOCKS = 1_000;
/** Clocks of one SSRC, and SSRCs, that a late packet may still belong to. */
const RECENT_CLOCKS = 4;
const RECENT_SSRCS = 16;

export interface ClockRun {
  readonly index: number;
  readonly ssrc: number;
  /** The greatest RTP time so far, extended, and when it arrived. */
  lastRtp: number;
  lastAtMs: number;
}

export interface Reading {
  ssrc: number;
  /** RTP, unsigned 32 bit. */
  timestamp: number;
  atMs: number;
}

/** Unsigned 32 bit timestamp → the one nearest to `near` that has these 32 bits. */
export const extend = (timestamp: number, near: number): number => near + ((timestamp - near) | 0);

export class ClockSorter {
  readonly #leapMs: number;
  readonly #recent = new Map<number, ClockRun[]>();
  #count = 0;
  #current: ClockRun | null = null;

  constructor({ own }: { own: boolean }) {
    this.#leapMs = own ? OWN_LEAP_MS : LEAP_MS;
  }

  /** Null: one clock too many. */
  sort(reading: Reading): { run: ClockRun; rtp: number; isNew: boolean } | null {
    const known = this.#find(reading);
    const run = known ?? this.#begin(reading);
    if (!run) return null;
    const rtp = extend(reading.timestamp, run.lastRtp);
    if (rtp > run.lastRtp) {
      run.lastRtp = rtp;
      run.lastAtMs = reading.atMs;
    }
    this.#current = run;
    return { run, rtp, isNew: known === null };
  }

  /** The clock that a report or a measurement of an SSRC is about: its latest. */
  latest(ssrc: number): ClockRun | null {
    return this.#recent.get(ssrc)?.[0] ?? null;
  }

  #find(reading: Reading): ClockRun | null {
    if (this.#current?.ssrc === reading.ssrc && this.#fits(this.#current, reading)) return this.#current;
    return this.#recent.get(reading.ssrc)?.find((run) => this.#fits(run, reading)) ?? null;
  }

  #fits({ lastRtp, lastAtMs }: ClockRun, { timestamp, atMs }: Reading): boolean {
    const step = (timestamp - lastRtp) | 0;
    return Math.abs(step / 48 - (atMs - lastAtMs)) < this.#leapMs;
  }

  #begin({ ssrc, timestamp, atMs }: Reading): ClockRun | null {
    if (this.#count >= MAX_CLOCKS) return null;
    const run = { index: this.#count++, ssrc, lastRtp: timestamp, lastAtMs: atMs };
    const others = this.#recent.get(ssrc) ?? [];
    this.#recent.delete(ssrc);
    this.#recent.set(ssrc, [run, ...others.slice(0, RECENT_CLOCKS - 1)]);
    if (this.#recent.size > RECENT_SSRCS) {
      const [oldest] = this.#recent.keys();
      if (oldest !== undefined) this.#recent.delete(oldest);
    }
    return run;
  }
}
