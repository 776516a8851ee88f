/** Is what was heard (or recorded) that very track, and at which place of it? */
import { fft, powerOfTwo } from "./fft.ts";

// Jest runs tests in a vm context, where every use of a global in a loop is slow; a module's own names are not.
const { PI, abs, ceil, cos, floor, max, min, round, sin, sqrt } = Math;

/** Correlation happens at this rate: enough for what tells two pieces of music apart, and six times faster. */
const RATE = 8_000;
const SEGMENT = RATE;
/** Quieter segments say nothing (RMS, about -56 dBFS). */
const SILENCE = 0.0015;
/** Places of the anchor that are looked into. */
const CANDIDATES = 4;
/** How far a segment may lie from where its neighbour says (jitter buffers stretch and squeeze time). */
const DRIFT = round(0.12 * RATE);

export type Match = {
  /** Median over the segments of their normalised correlation, 0 (nothing in common) to 1 (same but for gain). */
  readonly correlation: number;
  /** Where the needle's first sample lies in the haystack; negative when the needle begins before it. */
  readonly lagMs: number;
  /** Each audible second of the needle: its place in it, its correlation, its own lag. */
  readonly segments: readonly {
    readonly atMs: number;
    readonly correlation: number;
    readonly lagMs: number;
  }[];
};

/**
 * Finds `needle` in `haystack` (both mono, same `sampleRate`), whatever their gain and polarity. Shorter segments than a
 * second bear more with a jitter buffer that stretches time.
 *
 * The loudest 3 s are searched in all of the haystack (one FFT); from the best places each second is looked for only where its
 * neighbour says it must be, within 120 ms. So a wrong track cannot shine by finding each second somewhere else, and a
 * receiver's jitter buffer, which stretches time a little, does not spoil a right one. A right track comes out at 0.9
 * or above through 128 kbit/s Opus, a wrong one under 0.3.
 */
export function correlate(
  needle: Float32Array,
  haystack: Float32Array,
  sampleRate: number,
  { segmentMs = 1000 }: { segmentMs?: number } = {},
): Match {
  const segment = round((segmentMs * RATE) / 1000);
  const sought = decimate(needle, sampleRate);
  const reference = decimate(haystack, sampleRate);
  const anchorLength = min(3 * SEGMENT, sought.length);
  const anchorAt = loudest(sought, anchorLength);
  const anchor = sought.subarray(anchorAt, anchorAt + anchorLength);
  if (anchorLength < SEGMENT / 4 || rms(anchor) < SILENCE) return { correlation: 0, lagMs: 0, segments: [] };
  // Music repeats itself, and a stretch of time inside the anchor costs the right place some of its correlation: each of
  // the best places is followed, and the one that holds for the whole needle is it.
  const matches = search(anchor, reference, CANDIDATES).map(({ at }) =>
    follow(sought, reference, anchorAt, at - anchorAt, segment),
  );
  return matches.reduce((best, match) => (match.correlation > best.correlation ? match : best));
}

/** Looks for each segment of `sought` where its neighbour says, away from `anchorAt` on both sides. */
function follow(
  sought: Float32Array,
  reference: Float32Array,
  anchorAt: number,
  lagAtAnchor: number,
  length: number,
): Match {
  const segments: { atMs: number; correlation: number; lagMs: number }[] = [];
  for (const step of [length, -length]) {
    let lag = lagAtAnchor;
    for (let start = anchorAt + min(0, step); start >= 0 && start < sought.length; start += step) {
      const segment = sought.subarray(start, start + length);
      if (segment.length < length / 2 || rms(segment) < SILENCE) continue;
      const local = searchNear(segment, reference, start + lag);
      if (local.correlation > 0.5) lag = local.at - start;
      segments.push({
        atMs: toMs(start),
        correlation: local.correlation,
        lagMs: toMs(local.at - start),
      });
    }
  }
  segments.sort((a, b) => a.atMs - b.atMs);
  const sorted = segments.map((segment) => segment.correlation).sort((a, b) => a - b);
  return {
    correlation: sorted[floor((sorted.length - 1) / 2)] ?? 0,
    lagMs: toMs(lagAtAnchor),
    segments,
  };
}

function toMs(samples: number): number {
  return (samples * 1000) / RATE;
}

/** Resamples to 8 kHz: a windowed-sinc low-pass at 3.4 kHz, evaluated only where a sample is wanted. */
function decimate(samples: Float32Array, sampleRate: number): Float32Array {
  const ratio = sampleRate / RATE;
  const cutoff = 3_400 / sampleRate;
  const taps = ceil(8 * ratio);
  const out = new Float32Array(floor(samples.length / ratio));
  const integer = Number.isInteger(ratio);
  const kernel = integer ? Float64Array.from({ length: 2 * taps + 1 }, (_, i) => sinc(i - taps)) : undefined;
  function sinc(t: number): number {
    const window = 0.5 + 0.5 * cos((PI * t) / (taps + 1));
    return window * (t === 0 ? 2 * cutoff : sin(2 * PI * cutoff * t) / (PI * t));
  }
  for (let i = 0; i < out.length; i++) {
    const centre = i * ratio;
    const first = ceil(centre - taps);
    const last = min(samples.length - 1, floor(centre + taps));
    let sum = 0;
    if (kernel) for (let j = max(0, first); j <= last; j++) sum += samples[j]! * kernel[j - first]!;
    else for (let j = max(0, first); j <= last; j++) sum += samples[j]! * sinc(j - centre);
    out[i] = sum;
  }
  return out;
}

function rms(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sqrt(sum / max(1, samples.length));
}

/** Start of the window of `length` samples with most energy, in steps of a tenth of a second. */
function loudest(samples: Float32Array, length: number): number {
  const step = SEGMENT / 10;
  let best = 0;
  let bestLevel = -1;
  for (let start = 0; start + length <= samples.length; start += step) {
    const level = rms(samples.subarray(start, start + length));
    if (level <= bestLevel) continue;
    best = start;
    bestLevel = level;
  }
  return best;
}

type Place = { readonly at: number; readonly correlation: number };

/**
 * The `count` best places of `needle` in `haystack` (partly outside included) by normalised correlation, at least DRIFT
 * apart, best first.
 */
function search(needle: Float32Array, haystack: Float32Array, count: number): Place[] {
  const n = powerOfTwo(needle.length + haystack.length);
  // Both are real, so one complex transform carries both; their product is taken apart by symmetry.
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  re.set(haystack);
  im.set(needle);
  fft(re, im);
  const productRe = new Float64Array(n);
  const productIm = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const m = (n - k) % n;
    const hRe = (re[k]! + re[m]!) / 2;
    const hIm = (im[k]! - im[m]!) / 2;
    const sRe = (im[k]! + im[m]!) / 2;
    const sIm = (re[m]! - re[k]!) / 2;
    productRe[k] = hRe * sRe + hIm * sIm;
    productIm[k] = hIm * sRe - hRe * sIm;
  }
  fft(productRe, productIm, true);
  const energy = new Float64Array(haystack.length + 1);
  for (let i = 0; i < haystack.length; i++) energy[i + 1] = energy[i]! + haystack[i]! ** 2;
  const own = needle.reduce((sum, sample) => sum + sample * sample, 0);
  // A place whose haystack is next to silent would divide by next to nothing.
  const floor = needle.length * SILENCE ** 2;
  const values = new Float64Array(needle.length - 1 + haystack.length);
  for (let i = 0; i < values.length; i++) {
    const at = i + 1 - needle.length;
    const there = energy[min(haystack.length, at + needle.length)]! - energy[max(0, at)]!;
    values[i] = abs(productRe[(at + n) % n]!) / sqrt(own * max(there, floor));
  }
  const places: Place[] = [];
  while (places.length < count) {
    let best = 0;
    for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
    places.push({ at: best + 1 - needle.length, correlation: values[best] ?? 0 });
    values.fill(0, max(0, best - DRIFT), best + DRIFT);
  }
  return places;
}

/** As `search`, only where the needle's start lies within DRIFT of `expected`. */
function searchNear(needle: Float32Array, haystack: Float32Array, expected: number): Place {
  const from = max(0, expected - DRIFT);
  const to = min(haystack.length, expected + needle.length + DRIFT);
  if (to - from < needle.length / 2) return { at: expected, correlation: 0 };
  const [place] = search(needle, haystack.subarray(from, to), 1);
  return { at: place!.at + from, correlation: place!.correlation };
}
