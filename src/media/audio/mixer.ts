import { CHANNELS, msToSamples } from "./pcm.ts";

/** Long enough to be no click, short enough to be no delay. */
export const FADE_SAMPLES = msToSamples(30);
/** Where one track follows another at once: no click where both are cut off, and hardly a dip where they belong together. */
export const SEAM_SAMPLES = msToSamples(5);
/** Volume changes glide over this. */
export const GLIDE_SAMPLES = msToSamples(100);

/**
 * A gain that moves in straight lines: at `value` until `delay` samples have passed, then on to the target. Gains are
 * factors of amplitude (1 is unity, 2 is +6 dB), never negative.
 */
export class Ramp {
  #value: number;
  #target: number;
  #step = 0;
  #left = 0;
  #delay = 0;

  constructor(value: number) {
    this.#value = value;
    this.#target = value;
  }

  get value(): number {
    return this.#value;
  }

  get target(): number {
    return this.#target;
  }

  get settled(): boolean {
    return this.#left === 0;
  }

  /** Goes to `target` within `samples`, after `delay` samples, from wherever it is. */
  to(target: number, samples: number, delay = 0): void {
    this.#target = target;
    this.#delay = delay;
    this.#left = Math.max(0, Math.round(samples));
    if (this.#left === 0 && delay === 0) this.#value = target;
    this.#left = Math.max(this.#left, delay > 0 ? 1 : 0);
    this.#step = this.#left === 0 ? 0 : (target - this.#value) / this.#left;
  }

  /** The gain of the next sample. */
  next(): number {
    if (this.#left === 0) return this.#value;
    if (this.#delay > 0) {
      this.#delay--;
      return this.#value;
    }
    this.#left--;
    this.#value = this.#left === 0 ? this.#target : this.#value + this.#step;
    return this.#value;
  }

  /** Multiplies interleaved stereo samples by the gain as it moves. */
  applyTo(values: Float32Array, samples: number): void {
    if (this.settled) {
      if (this.#value === 1) return;
      for (let i = 0; i < samples * CHANNELS; i++) values[i]! *= this.#value;
      return;
    }
    for (let i = 0; i < samples; i++) {
      const factor = this.next();
      values[2 * i]! *= factor;
      values[2 * i + 1]! *= factor;
    }
  }
}

/** Adds `samples` of `pcm` to `sum` (both interleaved stereo), from the start of `pcm` and the sample `at` of `sum`. */
export function mixInto(sum: Float32Array, pcm: Float32Array, samples: number, at = 0): void {
  const from = at * CHANNELS;
  for (let i = 0; i < samples * CHANNELS; i++) sum[from + i]! += pcm[i]!;
}
