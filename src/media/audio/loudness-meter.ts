import { CHANNELS, FRAME_MS, FRAME_SAMPLES } from "./pcm.ts";

/*
 * Loudness as ITU-R BS.1770-4 has it: two filters in a row that stand for a head and for how ears weigh frequencies (their
 * coefficients at 48 kHz, annex 1), the mean square of blocks of 400 ms each 100 ms, and two gates.
 */
const SHELF = {
  b: [1.53512485958697, -2.69169618940638, 1.19839281085285],
  a: [-1.69065929318241, 0.73248077421585],
};
const HIGH_PASS = { b: [1, -2, 1], a: [-1.99004745483398, 0.99007225036621] };
const OFFSET_LUFS = -0.691;
const ABSOLUTE_GATE_LUFS = -70;
const RELATIVE_GATE_LU = -10;

/** A block is four steps of 100 ms. */
const FRAMES_PER_STEP = 100 / FRAME_MS;
const STEPS_PER_BLOCK = 4;
/** The last five minutes: what a station plays now. */
const MAX_BLOCKS = 3_000;
const FULL_SCALE = 32_768;

/** A filter of second order (direct form 1), for one channel. */
class Biquad {
  readonly #b0: number;
  readonly #b1: number;
  readonly #b2: number;
  readonly #a1: number;
  readonly #a2: number;
  #x1 = 0;
  #x2 = 0;
  #y1 = 0;
  #y2 = 0;

  constructor({ b, a }: { b: readonly number[]; a: readonly number[] }) {
    [this.#b0 = 0, this.#b1 = 0, this.#b2 = 0] = b;
    [this.#a1 = 0, this.#a2 = 0] = a;
  }

  next(x: number): number {
    const y =
      this.#b0 * x + this.#b1 * this.#x1 + this.#b2 * this.#x2 - this.#a1 * this.#y1 - this.#a2 * this.#y2;
    this.#x2 = this.#x1;
    this.#x1 = x;
    this.#y2 = this.#y1;
    this.#y1 = y;
    return y;
  }
}

const lufsOf = (power: number): number => OFFSET_LUFS + 10 * Math.log10(power);
const powerOf = (lufs: number): number => 10 ** ((lufs - OFFSET_LUFS) / 10);

/** How loud what was heard of something is, as it goes: for what has no end and cannot be scanned. */
export class LoudnessMeter {
  readonly #filters = Array.from(
    { length: CHANNELS },
    () => [new Biquad(SHELF), new Biquad(HIGH_PASS)] as const,
  );
  /** Powers of blocks, the oldest overwritten. */
  readonly #blocks = new Float64Array(MAX_BLOCKS);
  #count = 0;
  #steps: number[] = [];
  #frames = 0;
  #sum = 0;

  /** One frame of interleaved stereo, in 16-bit units. */
  take(values: Float32Array): void {
    for (let channel = 0; channel < CHANNELS; channel++) {
      const [shelf, highPass] = this.#filters[channel]!;
      for (let i = 0; i < FRAME_SAMPLES; i++) {
        const value = highPass.next(shelf.next(values[CHANNELS * i + channel]! / FULL_SCALE));
        this.#sum += value * value;
      }
    }
    if (++this.#frames < FRAMES_PER_STEP) return;
    this.#steps.push(this.#sum / (FRAMES_PER_STEP * FRAME_SAMPLES));
    [this.#sum, this.#frames] = [0, 0];
    if (this.#steps.length < STEPS_PER_BLOCK) return;
    this.#blocks[this.#count++ % MAX_BLOCKS] =
      this.#steps.reduce((sum, step) => sum + step, 0) / STEPS_PER_BLOCK;
    this.#steps.shift();
  }

  /** Integrated, in LUFS; null while nothing was above the gate. */
  get lufs(): number | null {
    const blocks = this.#blocks.subarray(0, Math.min(this.#count, MAX_BLOCKS));
    const above = mean(blocks, powerOf(ABSOLUTE_GATE_LUFS));
    if (above === null) return null;
    const gated = mean(blocks, above * 10 ** (RELATIVE_GATE_LU / 10));
    return gated === null ? null : lufsOf(gated);
  }
}

/** Of those above a gate; null when there is none. */
function mean(powers: Float64Array, gate: number): number | null {
  let [sum, count] = [0, 0];
  for (const power of powers) {
    if (power <= gate) continue;
    sum += power;
    count++;
  }
  return count === 0 ? null : sum / count;
}
