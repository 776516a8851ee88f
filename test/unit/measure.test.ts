import { Decoder, Encoder } from "@evan/opus";
import { correlate } from "../support/correlate.ts";
import {
  dominantFrequency,
  findClicks,
  findGaps,
  firstSoundMs,
  fromInt16,
  peakDb,
  rmsDb,
  toMono,
  toneDb,
} from "../support/measure.ts";

const RATE = 48_000;

function tone(frequency: number, seconds: number, amplitude = 0.5, rate = RATE): Float32Array {
  const { sin, PI } = Math; // Globals are slow in a test's vm context.
  const length = seconds * rate;
  return Float32Array.from({ length }, (_, i) => amplitude * sin((2 * PI * frequency * i) / rate));
}

function join(...parts: Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const silence = (seconds: number, rate = RATE): Float32Array => new Float32Array(Math.round(seconds * rate));

describe("levels", () => {
  test("a sine of half scale is -9.03 dBFS, silence is -Infinity", () => {
    expect(rmsDb(tone(440, 1))).toBeCloseTo(-9.03, 1);
    expect(peakDb(tone(440, 1))).toBeCloseTo(-6.02, 1);
    expect(rmsDb(silence(0.1))).toBe(-Infinity);
    expect(rmsDb(fromInt16(Int16Array.from([16_384, -16_384])))).toBeCloseTo(-6.02, 2);
  });
  test("stereo is averaged to mono", () => {
    const samples = Float32Array.from([1, 0, 0.5, 0.5]);
    expect([...toMono({ sampleRate: RATE, channels: 2, samples })]).toEqual([0.5, 0.5]);
  });
});

describe("tones", () => {
  test.each([82.4, 440, 997, 5000])("the dominant frequency of a tone of %d Hz", (frequency) => {
    expect(Math.abs(dominantFrequency(tone(frequency, 1), RATE) - frequency)).toBeLessThan(0.3);
  });
  test("the stronger of two tones wins, and silence has none", () => {
    const other = tone(1000, 1, 0.3);
    const both = tone(440, 1, 0.2).map((sample, i) => sample + other[i]!);
    expect(Math.round(dominantFrequency(both, RATE))).toBe(1000);
    expect(toneDb(both, RATE, 440)).toBeCloseTo(-16.99, 1);
    expect(toneDb(both, RATE, 700)).toBeLessThan(-60);
    expect(dominantFrequency(silence(1), RATE)).toBe(0);
  });
});

describe("gaps and clicks", () => {
  test("silence inside is a gap, before and after is none", () => {
    const signal = join(silence(0.5), tone(440, 1), silence(0.08), tone(440, 1), silence(0.5));
    expect(findGaps(signal, RATE)).toEqual([{ atMs: 1500, durationMs: 80 }]);
    expect(findGaps(signal, RATE, { minMs: 100 })).toEqual([]);
    expect(firstSoundMs(signal, RATE)).toBe(500);
    expect(firstSoundMs(silence(1), RATE)).toBeUndefined();
  });
  test("a wave cut in the middle clicks, a faded one does not", () => {
    const cut = join(tone(441, 0.5).subarray(0, 24_027), silence(0.2));
    const clicks = findClicks(cut, RATE);
    expect(clicks).toHaveLength(1);
    expect(Math.abs(clicks[0]!.atMs - 500.5)).toBeLessThan(1);
    const faded = tone(441, 0.5).map((sample, i) => sample * Math.min(1, i / 480, (24_000 - i) / 480));
    expect(findClicks(join(silence(0.2), faded, silence(0.2)), RATE)).toEqual([]);
    expect(findClicks(tone(3000, 0.5), RATE)).toEqual([]);
  });
});

/** Music is correlated at 8 kHz whatever it came in; a lower rate than a call's keeps this tier quick. */
const LOW = 16_000;
const FRAME = LOW / 50;

describe("is it that track", () => {
  const track = tune(1, 20);
  const other = tune(2, 6);

  test("a quieter, inverted excerpt is found at its place", () => {
    const excerpt = track.slice(11.25 * LOW, 17.25 * LOW).map((sample) => sample * -0.1);
    const match = correlate(excerpt, track, LOW);
    expect(match.correlation).toBeGreaterThan(0.99);
    expect(match.lagMs).toBeCloseTo(11_250, 0);
  });
  test("through Opus, and with 20 ms lost in the middle, it still is that track", () => {
    const heard = throughOpus(track.slice(10 * LOW, 18 * LOW));
    const torn = join(silence(0.7, LOW), heard.subarray(0, 4 * LOW), heard.subarray(4.02 * LOW));
    const match = correlate(torn, track, LOW);
    expect(match.correlation).toBeGreaterThan(0.9);
    expect(match.segments.at(-1)!.lagMs - match.segments[2]!.lagMs).toBeCloseTo(20, 0);
  });
  test("another tune, a tone, noise and silence are not", () => {
    const random = generator(3);
    const noise = Float32Array.from({ length: 3 * LOW }, () => random() - 0.5);
    for (const wrong of [other, tone(440, 3, 0.5, LOW), noise])
      expect(correlate(wrong, track, LOW).correlation).toBeLessThan(0.35);
    expect(correlate(silence(5, LOW), track, LOW).correlation).toBe(0);
  });
  test("the pieces of a track in another order are not that track", () => {
    const part = (from: number): Float32Array => track.subarray(from * LOW, (from + 1) * LOW);
    const shuffled = join(part(5), part(12), part(3), part(16), part(9));
    expect(correlate(shuffled, track, LOW).correlation).toBeLessThan(0.35);
  });
  test("a clip is found inside a longer recording, where it begins", () => {
    const recording = join(silence(2.4, LOW), throughOpus(other), silence(1, LOW));
    const match = correlate(other, recording, LOW);
    expect(match.correlation).toBeGreaterThan(0.9);
    expect(Math.abs(match.lagMs - 2400)).toBeLessThan(20);
    expect(correlate(other, join(silence(3, LOW), track.subarray(0, 8 * LOW)), LOW).correlation).toBeLessThan(
      0.35,
    );
  });
});

/** A seeded generator of 0 ≤ value < 1 (a linear congruence: good enough to pick notes). */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

/** Struck notes of random height, five a second, each with four overtones: an invented piece of music. */
function tune(seed: number, seconds: number): Float32Array {
  const random = generator(seed);
  const { sin, exp, PI } = Math; // Globals are slow in a test's vm context.
  const out = new Float32Array(seconds * LOW);
  for (let start = 0; start < out.length; start += LOW / 5) {
    const frequency = 110 * 2 ** (random() * 3);
    const end = Math.min(out.length, start + LOW / 2);
    for (let overtone = 1; overtone <= 4; overtone++) {
      const step = (2 * PI * frequency * overtone) / LOW;
      for (let i = start; i < end; i++) {
        const t = i - start;
        out[i]! += ((0.2 / overtone) * sin(step * t) * exp((-6 * t) / LOW) * (t < 80 ? t : 80)) / 80;
      }
    }
  }
  return out;
}

/** Encodes and decodes 20 ms frames, as a call does; the codec's lookahead (6.5 ms) stays in. */
function throughOpus(samples: Float32Array): Float32Array {
  const encoder = new Encoder({ channels: 1, sample_rate: LOW, application: "audio" });
  encoder.bitrate = 96_000;
  const decoder = new Decoder({ channels: 1, sample_rate: LOW });
  const out = new Float32Array(samples.length - (samples.length % FRAME));
  for (let at = 0; at < out.length; at += FRAME) {
    const frame = Int16Array.from(samples.subarray(at, at + FRAME), (sample) => sample * 32_767);
    const decoded = decoder.decode(encoder.encode(frame));
    out.set(fromInt16(new Int16Array(decoded.slice().buffer)), at);
  }
  return out;
}
