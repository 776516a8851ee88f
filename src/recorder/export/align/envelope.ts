// What is kept of a clock's packets to find out how it runs: for each short while the fastest one. Bounded, however long it is.

/** One while. Times are seconds of the clock since its first packet, delays ms against its first packet's. */
export interface Fastest {
  /** RTP time of the fastest packet's end, and by how much it came late: arrival less RTP time. */
  t: number;
  delayMs: number;
  /** The shortest round trip that was measured meanwhile; NaN: none. */
  roundTripMs: number;
  /** A sender report: its RTP time, and its wall clock less RTP time, ms; NaN: none. */
  reportT: number;
  reportMs: number;
  /** The greatest step of the delay from one packet to the next, and the RTP time between them. */
  jumpMs: number;
  jumpT: number;
}

interface Slot extends Fastest {
  /** Which while it is, in units of the width. */
  at: number;
}

const WIDTH_S = 1;
/** Beyond this many, two become one: the width doubles. */
const MAX_SLOTS = 4_096;
/** How many back a late packet is looked for. */
const LOOK_BACK = 8;

export class Envelope {
  readonly #firstRtp: number;
  /** Arrival less RTP time of the first packet, ms. */
  readonly firstDelayMs: number;
  #slots: Slot[] = [];
  #widthS = WIDTH_S;
  #lastEnd = -Infinity;
  #lastDelayMs = 0;
  #firstNtpMs: number | null = null;

  /** @param endRtp extended RTP time behind the first packet @param atMs its arrival */
  constructor(endRtp: number, atMs: number) {
    this.#firstRtp = endRtp;
    this.firstDelayMs = atMs - endRtp / 48;
  }

  get firstRtp(): number {
    return this.#firstRtp;
  }

  get fastest(): readonly Fastest[] {
    return this.#slots;
  }

  /** The width of a while, seconds. */
  get widthS(): number {
    return this.#widthS;
  }

  /** @param endRtp RTP time behind the packet: it cannot have been sent before that */
  packet(endRtp: number, atMs: number): void {
    const t = (endRtp - this.#firstRtp) / 48_000;
    const delayMs = atMs - endRtp / 48 - this.firstDelayMs;
    const slot = this.#slot(t);
    if (delayMs < slot.delayMs) {
      slot.delayMs = delayMs;
      slot.t = t;
    }
    if (endRtp <= this.#lastEnd) return;
    const jumpMs = delayMs - this.#lastDelayMs;
    if (this.#lastEnd > -Infinity && Math.abs(jumpMs) > Math.abs(slot.jumpMs)) {
      slot.jumpMs = jumpMs;
      slot.jumpT = (this.#lastEnd - this.#firstRtp) / 48_000;
    }
    this.#lastEnd = endRtp;
    this.#lastDelayMs = delayMs;
  }

  report(rtp: number, ntpMs: number): void {
    if (this.#slots.length === 0) return;
    this.#firstNtpMs ??= ntpMs - (rtp - this.#firstRtp) / 48;
    const t = (rtp - this.#firstRtp) / 48_000;
    const slot = this.#slots.at(-1)!;
    if (!Number.isNaN(slot.reportT)) return;
    slot.reportT = t;
    slot.reportMs = ntpMs - (rtp - this.#firstRtp) / 48 - this.#firstNtpMs;
  }

  roundTrip(ms: number): void {
    const slot = this.#slots.at(-1);
    if (slot && ms >= 0 && !(slot.roundTripMs <= ms)) slot.roundTripMs = ms;
  }

  #slot(t: number): Slot {
    const at = Math.max(0, Math.floor(t / this.#widthS));
    const last = this.#slots.at(-1);
    if (last?.at === at) return last;
    if (last && at < last.at) {
      const known = this.#slots.slice(-LOOK_BACK).findLast((slot) => slot.at <= at);
      return known ?? this.#slots[Math.max(0, this.#slots.length - LOOK_BACK)]!;
    }
    const slot = {
      ...{ at, t, delayMs: Infinity, roundTripMs: NaN, reportT: NaN, reportMs: NaN, jumpMs: 0, jumpT: t },
    };
    this.#slots.push(slot);
    if (this.#slots.length > MAX_SLOTS) this.#merge();
    return this.#slots.at(-1)!;
  }

  #merge(): void {
    this.#widthS *= 2;
    const merged: Slot[] = [];
    for (const slot of this.#slots) {
      const at = Math.floor(slot.at / 2);
      const last = merged.at(-1);
      if (last?.at === at) join(last, slot);
      else merged.push({ ...slot, at });
    }
    this.#slots = merged;
  }
}

function join(into: Slot, other: Slot): void {
  if (other.delayMs < into.delayMs) [into.delayMs, into.t] = [other.delayMs, other.t];
  if (other.roundTripMs < into.roundTripMs || Number.isNaN(into.roundTripMs))
    into.roundTripMs = other.roundTripMs;
  if (Number.isNaN(into.reportT)) [into.reportT, into.reportMs] = [other.reportT, other.reportMs];
  if (Math.abs(other.jumpMs) > Math.abs(into.jumpMs)) [into.jumpMs, into.jumpT] = [other.jumpMs, other.jumpT];
}
