import { CHANNELS, FRAME_SAMPLES } from "./pcm.ts";

/*
 * The true peak of sampled sound is that of the curve through the samples, which runs above them: up to 3 dB and more. It
 * is estimated, as ITU-R BS.1770 annex 2 does, at four points for each sample, by a windowed sinc: one of 12 samples misses up to 1.6 dB of what was clipped hard.
 */

/** Samples that one point between two of them is made of. */
export const TAPS = 24;
/** The curve is known up to the sample that lies this far behind the newest. */
export const PEAK_DELAY = TAPS / 2;
/** Of these the loudest sample says whether the curve has to be looked at. */
const BLOCK = 32;

const [QUARTER, HALF, THREE_QUARTERS] = [1 / 4, 1 / 2, 3 / 4].map(phase) as [
  Float64Array,
  Float64Array,
  Float64Array,
];
/** By how much the curve runs above the samples around it at most, as a factor: what is quieter needs no look. */
const MOST_ABOVE = Math.max(
  ...[QUARTER, HALF].map((taps) => taps.reduce((sum, tap) => sum + Math.abs(tap), 0)),
);

/** Weights of the samples around a point that lies `at` of the way from one to the next. */
function phase(at: number): Float64Array {
  const taps = Float64Array.from({ length: TAPS }, (_, i) => {
    const x = i - (PEAK_DELAY - 1) - at;
    // Blackman-Harris would lose more of the top; a Kaiser window of 5 is within 0.1 dB up to 21 kHz.
    return (Math.sin(Math.PI * x) / (Math.PI * x)) * kaiser(x / (PEAK_DELAY + 0.25), 5);
  });
  const sum = taps.reduce((all, tap) => all + tap, 0);
  return taps.map((tap) => tap / sum);
}

function kaiser(x: number, beta: number): number {
  return bessel(beta * Math.sqrt(Math.max(0, 1 - x * x))) / bessel(beta);
}

/** The modified Bessel function of the first kind and order 0. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 30; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}

/**
 * For each of a frame's samples how high the curve goes from it to the next, of both channels the higher: `peaks[i]` belongs
 * to the sample `i + TAPS / 2 - 1` of `line` (interleaved stereo, `FRAME_SAMPLES + TAPS - 1` samples). What is certainly below `quiet` is left 0.
 * Returns whether anything is not.
 */
export function truePeaks(line: Float32Array, peaks: Float32Array, quiet: number): boolean {
  let any = false;
  for (let from = 0; from < FRAME_SAMPLES; from += BLOCK) {
    const end = (from + BLOCK + TAPS - 1) * CHANNELS;
    let loudest = 0;
    for (let i = from * CHANNELS; i < end; i++) {
      const size = Math.abs(line[i]!);
      if (size > loudest) loudest = size;
    }
    if (loudest * MOST_ABOVE <= quiet) peaks.fill(0, from, from + BLOCK);
    else {
      any = true;
      curve(line, peaks, from);
    }
  }
  return any;
}

function curve(line: Float32Array, peaks: Float32Array, from: number): void {
  for (let i = from; i < from + BLOCK; i++) {
    let peak = 0;
    for (let channel = 0; channel < CHANNELS; channel++) {
      let [quarter, half, threeQuarters] = [0, 0, 0];
      let at = i * CHANNELS + channel;
      for (let tap = 0; tap < TAPS; tap++, at += CHANNELS) {
        const value = line[at]!;
        quarter += value * QUARTER[tap]!;
        half += value * HALF[tap]!;
        threeQuarters += value * THREE_QUARTERS[tap]!;
      }
      const own = Math.abs(line[(i + PEAK_DELAY - 1) * CHANNELS + channel]!);
      peak = Math.max(peak, own, Math.abs(quarter), Math.abs(half), Math.abs(threeQuarters));
    }
    peaks[i] = peak;
  }
}
