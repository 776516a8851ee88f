/**
 * What was heard: levels, tones, gaps, clicks, and "is it that very track". Pure functions on mono PCM as floats
 * (full scale ±1); they know nothing of the bot, so that they can be its judge.
 */
import { fft, powerOfTwo } from "./fft.ts";

// Jest runs tests in a vm context, where every use of a global in a loop is slow; a module's own names are not.
const { PI, abs, ceil, cos, floor, log, log10, max, min, round, sqrt } = Math;

export type Pcm = { readonly sampleRate: number; readonly channels: number; readonly samples: Float32Array };

/** 16-bit samples as floats, -1 ≤ value < 1. */
export function fromInt16(samples: Int16Array): Float32Array {
  return Float32Array.from(samples, (sample) => sample / 32_768);
}

/** The mean of the channels of an interleaved signal; a mono signal is returned as it is. */
export function toMono(pcm: Pcm): Float32Array {
  if (pcm.channels === 1) return pcm.samples;
  const mono = new Float32Array(floor(pcm.samples.length / pcm.channels));
  for (let i = 0; i < mono.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < pcm.channels; channel++) sum += pcm.samples[i * pcm.channels + channel]!;
    mono[i] = sum / pcm.channels;
  }
  return mono;
}

/** One channel (0 = left) of an interleaved signal. */
export function channelOf(pcm: Pcm, channel: number): Float32Array {
  const length = floor(pcm.samples.length / pcm.channels);
  return Float32Array.from({ length }, (_, i) => pcm.samples[i * pcm.channels + channel]!);
}

/** RMS level in dBFS where a full-scale square wave is 0 and a full-scale sine -3.01; silence is -Infinity. */
export function rmsDb(samples: Float32Array): number {
  if (samples.length === 0) return -Infinity;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * log10(sum / samples.length);
}

/** The greatest absolute sample in dBFS. */
export function peakDb(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = max(peak, abs(sample));
  return 20 * log10(peak);
}

/**
 * The strongest frequency in Hz between 40 Hz and the half of the sample rate, from the middle of the signal (at most
 * 1.4 s), to about 0.1 Hz for a steady tone (Hann window, parabola through the peak). 0 when there is only silence.
 */
export function dominantFrequency(samples: Float32Array, sampleRate: number): number {
  const n = min(65_536, powerOfTwo(samples.length + 1) / 2);
  if (n < 64) throw new RangeError(`too short to find a frequency: ${samples.length} samples`);
  const start = floor((samples.length - n) / 2);
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  for (let i = 0; i < n; i++) re[i] = samples[start + i]! * (0.5 - 0.5 * cos((2 * PI * i) / (n - 1)));
  fft(re, im);
  const power = (bin: number): number => re[bin]! ** 2 + im[bin]! ** 2;
  let best = 0;
  let bestPower = 1e-9;
  for (let bin = max(1, ceil((40 * n) / sampleRate)); bin < n / 2 - 1; bin++) {
    if (power(bin) <= bestPower) continue;
    best = bin;
    bestPower = power(bin);
  }
  if (best === 0) return 0;
  const [a, b, c] = [power(best - 1), power(best), power(best + 1)].map((p) => log(p + 1e-30));
  const offset = (0.5 * (a! - c!)) / (a! - 2 * b! + c!);
  return ((best + offset) * sampleRate) / n;
}

/** Level in dBFS (RMS) of one tone in the signal, by Goertzel's algorithm: a full-scale sine of it is -3.01. */
export function toneDb(samples: Float32Array, sampleRate: number, frequency: number): number {
  const coefficient = 2 * cos((2 * PI * frequency) / sampleRate);
  let s1 = 0;
  let s2 = 0;
  for (const sample of samples) {
    const s0 = sample + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  const power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  return 10 * log10((2 * power) / samples.length ** 2);
}

export type Gap = { readonly atMs: number; readonly durationMs: number };

/**
 * Stretches of silence (each 5 ms window's RMS under `thresholdDb`) of at least `minMs` **inside** the signal: what is
 * silent before its first and after its last sound is no gap.
 */
export function findGaps(
  samples: Float32Array,
  sampleRate: number,
  { minMs = 20, thresholdDb = -60 }: { minMs?: number; thresholdDb?: number } = {},
): Gap[] {
  const window = max(1, round(sampleRate * 0.005));
  const windowMs = (window * 1000) / sampleRate;
  const gaps: Gap[] = [];
  let quietSince: number | undefined;
  let heard = false;
  for (let at = 0; at + window <= samples.length; at += window) {
    const quiet = rmsDb(samples.subarray(at, at + window)) < thresholdDb;
    if (quiet) {
      if (heard) quietSince ??= at;
      continue;
    }
    heard = true;
    if (quietSince !== undefined) {
      const durationMs = ((at - quietSince) / window) * windowMs;
      if (durationMs >= minMs) gaps.push({ atMs: (quietSince * 1000) / sampleRate, durationMs });
    }
    quietSince = undefined;
  }
  return gaps;
}

/** The first moment, in ms, from which 5 ms are louder than `thresholdDb`; undefined if there is none. */
export function firstSoundMs(
  samples: Float32Array,
  sampleRate: number,
  thresholdDb = -60,
): number | undefined {
  const window = max(1, round(sampleRate * 0.005));
  for (let at = 0; at + window <= samples.length; at += window)
    if (rmsDb(samples.subarray(at, at + window)) >= thresholdDb) return (at * 1000) / sampleRate;
  return undefined;
}

export type Click = { readonly atMs: number; readonly jump: number };

/**
 * Clicks: samples whose second difference stands out of its surroundings (more than `factor` times the RMS of the
 * second differences of the 10 ms around it, without itself) and is at least `minJump` of full scale. A tone that
 * starts, stops or is cut in mid-wave shows; a steady or a faded one does not. At most one click per 10 ms.
 */
export function findClicks(
  samples: Float32Array,
  sampleRate: number,
  { minJump = 0.02, factor = 12 }: { minJump?: number; factor?: number } = {},
): Click[] {
  const reach = round(sampleRate * 0.005);
  const bend = (i: number): number => samples[i + 1]! - 2 * samples[i]! + samples[i - 1]!;
  const clicks: Click[] = [];
  for (let i = 1; i < samples.length - 1; i++) {
    const jump = abs(bend(i));
    if (jump < minJump) continue;
    let sum = 0;
    let count = 0;
    for (let j = max(1, i - reach); j < min(samples.length - 1, i + reach); j++) {
      if (abs(j - i) <= 2) continue;
      sum += bend(j) ** 2;
      count++;
    }
    if (jump <= factor * sqrt(sum / max(1, count))) continue;
    clicks.push({ atMs: (i * 1000) / sampleRate, jump });
    i += 2 * reach;
  }
  return clicks;
}
