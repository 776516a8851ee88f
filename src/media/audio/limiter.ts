import { CEILING_DB } from "../../base/loudness.ts";
import { CHANNELS, FRAME_SAMPLES, FRAME_VALUES, msToSamples } from "./pcm.ts";
import { PEAK_DELAY, TAPS, truePeaks } from "./true-peak.ts";

/** It turns down within this before a peak. */
const ATTACK = msToSamples(2);
/** By the time constant with which it lets go again: slow enough not to pump, fast enough for one drum to be one drum. */
const RELEASE = Math.exp(-1 / msToSamples(150));
/** What it lets go of while a peak passes, at most: the rest of 1. */
const RELEASE_OF_ATTACK = RELEASE ** ATTACK;
/** What leaves it came in so much earlier. */
export const LIMITER_DELAY = PEAK_DELAY + ATTACK - 1;
/** The estimate sees up to 0.4 dB less than there is at the very top of what is heard. */
const MARGIN_DB = 0.4;
const FULL_SCALE = 32_768;
const CEILING = FULL_SCALE * 10 ** ((CEILING_DB - MARGIN_DB) / 20);
/** A gain so near to 1 is 1. */
const NEARLY_ONE = 0.999_95;

/** Samples of history: the delay, and what an estimate needs besides. */
const HISTORY = LIMITER_DELAY + TAPS;

/**
 * Keeps a sum of voices below `CEILING_DB` (true peak, ITU-R BS.1770) without distortion: it knows each sample 2 ms before that
 * leaves, and its gain is a mean over those 2 ms of what the loudest peak in them needs, so that it is down when the peak is
 * there and moves without a corner. What fits passes bit by bit. Both channels get the same gain.
 */
export class Limiter {
  /** `HISTORY` samples that were, and the frame. */
  readonly #line = new Float32Array((HISTORY + FRAME_SAMPLES) * CHANNELS);
  readonly #peaks = new Float32Array(FRAME_SAMPLES);
  /** Gains of the last 2 ms, in a ring, and their sum. */
  readonly #gains = new Float64Array(ATTACK).fill(1);
  #sum = ATTACK;
  #at = 0;
  /** The gain needed now, and for how many samples more it may not rise. */
  #needed = 1;
  #hold = 0;
  /** Samples for which no gain but 1 was needed. */
  #calm = ATTACK;
  #silent = true;

  /** Whether nothing is left in it that was not handed out. */
  get empty(): boolean {
    return this.#silent;
  }

  /** `sum` and `out` hold one frame, interleaved in 16-bit units; `out` is `LIMITER_DELAY` samples behind. */
  apply(sum: Float32Array, out: Int16Array): void {
    const line = this.#line;
    line.copyWithin(0, FRAME_VALUES);
    line.set(sum, HISTORY * CHANNELS);
    // The newest sample of which the curve is known is the last but PEAK_DELAY.
    const around = line.subarray((HISTORY - TAPS + 1) * CHANNELS);
    const isLoud = truePeaks(around, this.#peaks, CEILING);
    if (!isLoud && this.#calm >= ATTACK) this.#pass(out);
    else this.#turnDown(out);
    this.#silent = line.subarray(FRAME_VALUES).every((value) => value === 0);
  }

  #pass(out: Int16Array): void {
    const from = (HISTORY - LIMITER_DELAY) * CHANNELS;
    for (let i = 0; i < FRAME_VALUES; i++) out[i] = toInt16(this.#line[from + i]!);
  }

  #turnDown(out: Int16Array): void {
    const from = (HISTORY - LIMITER_DELAY) * CHANNELS;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const gain = this.#next(this.#peaks[i]!);
      out[2 * i] = toInt16(this.#line[from + 2 * i]! * gain);
      out[2 * i + 1] = toInt16(this.#line[from + 2 * i + 1]! * gain);
    }
  }

  /** The gain for the sample that leaves, when one of this peak has come in. */
  #next(peak: number): number {
    const needs = peak > CEILING ? CEILING / peak : 1;
    const before = this.#needed;
    if (needs < before) {
      this.#needed = needs;
      this.#hold = ATTACK;
      // A peak that it would run over if it let go now.
    } else if (needs < 1 && needs < 1 - (1 - before) * RELEASE_OF_ATTACK) this.#hold = ATTACK;
    else if (this.#hold > 0) this.#hold--;
    else if (before < 1) {
      const released = 1 - (1 - before) * RELEASE;
      this.#needed = released > NEARLY_ONE ? 1 : released;
    }
    this.#calm = this.#needed === 1 ? this.#calm + 1 : 0;
    this.#sum += this.#needed - this.#gains[this.#at]!;
    this.#gains[this.#at] = this.#needed;
    this.#at = (this.#at + 1) % ATTACK;
    if (this.#calm < ATTACK) return this.#sum / ATTACK;
    // Without what rounding has added up to.
    this.#sum = ATTACK;
    return 1;
  }
}

function toInt16(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : Math.round(value);
}
