/*
 * What the one encoder of a channel does about loss, by what the listeners report. Pure: reports and times in, settings out.
 *
 * There is one stream for all, so no single listener decides about it:
 * - In-band FEC helps those who take no redundant packets (engine/redundancy.ts serves the others, each alone). It takes Opus
 *   out of its music mode, which costs everybody 2.4 dB of accuracy and halves what such a listener misses or better
 *   (docs/BENCHMARKS.md). So a third of all who report must lose 2 % and take none, in two readings running. It assumes the
 *   loss that this third has at least, 10 to 20 %: under 9 % Opus keeps its music mode, which has no FEC.
 * - The bit rate follows the median (of two the smaller): only where half of them lose 10 % does the bot's own way seem too
 *   narrow. It stays at 96 kbit/s or above, unless half of them lose 20 %: then at 64. Both only as far as more was set.
 *
 * Whoever invents reports alone, among two others who lose nothing, at most switches FEC on; among three, nothing.
 */

/** Of one connected listener. */
export interface ListenerLoss {
  /** Share of the packets of the last ten seconds, 0 to 1; null: no reports, which counts as nobody. */
  readonly loss: number | null;
  /** Earlier packets in each packet to them; null when they take none. */
  readonly redundancy: number | null;
}

export interface EncoderSettings {
  /** bit/s */
  readonly bitrate: number;
  /** Percent, 0 to 20. */
  readonly expectedLoss: number;
  readonly fec: boolean;
}

const FEC_ON = 0.02;
const FEC_OFF = 0.01;
/** Without FEC it only makes the encoder lean less on earlier packets. */
const QUIET_LOSS = 3;
const FEC_LOSS = { min: 10, max: 20, step: 5 } as const;
const HEAVY = { narrow: 0.1, over: 0.05, most: 0.2 } as const;
const FLOOR = { narrow: 96_000, most: 64_000 } as const;
/** Of one reading to the next. */
const DOWN = 0.85;
const UP = 1.08;
const CALM_MS = 30_000;

export class Adaptation {
  #configured: number;
  #bitrate: number;
  #expectedLoss = QUIET_LOSS;
  #fec = false;
  /** The reading before had loss enough. */
  #warned = false;
  #calmSinceMs: number | null = null;

  /** @param bitrate as configured, in bit/s; more is never used. */
  constructor(bitrate: number) {
    this.#configured = bitrate;
    this.#bitrate = bitrate;
  }

  get settings(): EncoderSettings {
    return { bitrate: Math.round(this.#bitrate), expectedLoss: this.#expectedLoss, fec: this.#fec };
  }

  /** A new bit rate holds at once. */
  configure(bitrate: number): void {
    if (bitrate === this.#configured) return;
    this.#configured = bitrate;
    this.#bitrate = bitrate;
  }

  /** About every five seconds, which is how often browsers report. */
  take(nowMs: number, listeners: readonly ListenerLoss[]): EncoderSettings {
    const reports = listeners.flatMap(({ loss, redundancy }) =>
      loss === null ? [] : [{ loss, redundancy }],
    );
    this.#takeFec(nowMs, reports);
    this.#takeBitrate(reports.map(({ loss }) => loss));
    return this.settings;
  }

  #takeFec(nowMs: number, reports: readonly { loss: number; redundancy: number | null }[]): void {
    const quorum = Math.max(1, Math.ceil(reports.length / 3));
    const worst = reports
      .flatMap(({ loss, redundancy }) => (redundancy === null ? [loss] : []))
      .sort((a, b) => b - a);
    // What a third of all has at least.
    const loss = worst[quorum - 1] ?? 0;
    const enough = loss >= (this.#fec ? FEC_OFF : FEC_ON);
    if (enough) {
      this.#calmSinceMs = null;
      const assumed = Math.min(FEC_LOSS.max, Math.max(FEC_LOSS.min, Math.round(loss * 100)));
      if (this.#fec) this.#expectedLoss = towards(this.#expectedLoss, assumed, FEC_LOSS.step);
      else if (this.#warned) {
        this.#fec = true;
        this.#expectedLoss = FEC_LOSS.min;
      }
    } else if (this.#fec) {
      this.#calmSinceMs ??= nowMs;
      if (nowMs - this.#calmSinceMs >= CALM_MS) {
        this.#fec = false;
        this.#expectedLoss = QUIET_LOSS;
        this.#calmSinceMs = null;
      }
    }
    this.#warned = enough;
  }

  #takeBitrate(losses: number[]): void {
    losses.sort((a, b) => a - b);
    const median = losses[Math.floor((losses.length - 1) / 2)] ?? 0;
    if (median >= HEAVY.narrow) {
      const floor = Math.min(this.#configured, median >= HEAVY.most ? FLOOR.most : FLOOR.narrow);
      if (this.#bitrate > floor) this.#bitrate = Math.max(floor, this.#bitrate * DOWN);
    } else if (median < HEAVY.over) this.#bitrate = Math.min(this.#configured, this.#bitrate * UP);
  }
}

function towards(from: number, to: number, step: number): number {
  return from + Math.max(-step, Math.min(step, to - from));
}
