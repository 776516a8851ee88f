/** Source samples on either side of a place that its value is made of. */
export const HALF_WIDTH = 12;
const TAPS = 2 * HALF_WIDTH;
/** Places between two samples: the nearest one is off by at most 1/8192 sample, which is heard 80 dB below the sound. */
const PHASES = 4096;
/** Of the Kaiser window: side lobes 80 dB down; Opus has nothing above 20 kHz, where it begins to fall. */
const BETA = 8;

/** `PHASES` low-pass filters one after the other; the first only copies. */
const table = makeTable();

function makeTable(): Float32Array {
  const weights = new Float32Array(PHASES * TAPS);
  for (let phase = 0; phase < PHASES; phase++) {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) {
      const distance = tap - (HALF_WIDTH - 1) - phase / PHASES;
      const weight = sinc(distance) * kaiser(distance / HALF_WIDTH);
      weights[phase * TAPS + tap] = weight;
      sum += weight;
    }
    // Steady sound keeps its level at every phase.
    for (let tap = 0; tap < TAPS; tap++) weights[phase * TAPS + tap]! /= sum;
  }
  return weights;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) > 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/** The modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let sum = 1;
  for (let k = 1, term = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * Reads `count` values from `source` at `at`, `at + step`, …, between its samples, into `target` from `to` on. The caller
 * sees to it that `HALF_WIDTH` samples are there on either side. Steps are about 1: it does not filter what would alias.
 * @param stride values from one sample to the next, in both
 */
export function interpolate(
  source: Float32Array,
  at: number,
  step: number,
  target: Float32Array,
  to: number,
  count: number,
  stride: 1 | 2,
): void {
  for (let i = 0; i < count; i++) {
    const position = at + i * step;
    let index = Math.floor(position);
    let phase = Math.round((position - index) * PHASES);
    if (phase === PHASES) {
      index++;
      phase = 0;
    }
    if (phase === 0) {
      for (let channel = 0; channel < stride; channel++)
        target[(to + i) * stride + channel] = source[index * stride + channel]!;
      continue;
    }
    const weights = phase * TAPS;
    let from = (index - HALF_WIDTH + 1) * stride;
    if (stride === 1) {
      // Four sums that do not wait for each other: it is where most of the time of an export goes.
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let tap = 0; tap < TAPS; tap += 4) {
        a += table[weights + tap]! * source[from + tap]!;
        b += table[weights + tap + 1]! * source[from + tap + 1]!;
        c += table[weights + tap + 2]! * source[from + tap + 2]!;
        d += table[weights + tap + 3]! * source[from + tap + 3]!;
      }
      target[to + i] = a + b + c + d;
    } else {
      let [left, right] = [0, 0];
      for (let tap = 0; tap < TAPS; tap++, from += 2) {
        const weight = table[weights + tap]!;
        left += weight * source[from]!;
        right += weight * source[from + 1]!;
      }
      target[(to + i) * 2] = left;
      target[(to + i) * 2 + 1] = right;
    }
  }
}
