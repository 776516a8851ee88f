import { CEILING_DB } from "../../../src/base/loudness.ts";
import { Limiter, LIMITER_DELAY } from "../../../src/media/audio/limiter.ts";
import { FRAME_SAMPLES, FRAME_VALUES } from "../../../src/media/audio/pcm.ts";

// Jest runs tests in a vm context, where every use of a global in a loop is slow; a module's own names are not.
const { PI, abs, max, round, sin } = Math;
const RATE = 48_000;

/** What a limiter makes of `left` and `right`, whole frames, without its delay. Full scale is 32 768. */
function limited(left: (i: number) => number, frames: number, right = left): [Float64Array, Float64Array] {
  const limiter = new Limiter();
  const [sum, out] = [new Float32Array(FRAME_VALUES), new Int16Array(FRAME_VALUES)];
  const length = frames * FRAME_SAMPLES;
  const heard: [Float64Array, Float64Array] = [new Float64Array(length), new Float64Array(length)];
  for (let frame = 0; frame <= frames; frame++) {
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const at = frame * FRAME_SAMPLES + i;
      sum[2 * i] = at < length ? left(at) : 0;
      sum[2 * i + 1] = at < length ? right(at) : 0;
    }
    limiter.apply(sum, out);
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const at = frame * FRAME_SAMPLES + i - LIMITER_DELAY;
      if (at >= 0 && at < length) [heard[0][at], heard[1][at]] = [out[2 * i]!, out[2 * i + 1]!];
    }
  }
  return heard;
}

/** dBTP by another interpolation than the limiter's own: five points for each sample, each of 48 of them (Hann). */
function truePeakDb(samples: Float64Array): number {
  const [points, half] = [5, 24];
  let peak = 0;
  for (let point = 0; point < points; point++) {
    const taps = Float64Array.from({ length: 2 * half }, (_, i) => {
      const x = i - half + 1 - point / points;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (half + 1));
      return (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)) * window;
    });
    for (let at = 0; at + 2 * half <= samples.length; at++) {
      let value = 0;
      for (let i = 0; i < 2 * half; i++) value += taps[i]! * samples[at + i]!;
      peak = max(peak, abs(value));
    }
  }
  return 20 * Math.log10(peak / 32_768);
}

const sine =
  (hz: number, amplitude: number, phase = 0) =>
  (i: number) =>
    amplitude * 32_768 * sin((2 * PI * hz * i) / RATE + phase);

/** Pseudo-random numbers from -1 to 1, the same each time. */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

test("passes bit by bit what stays below its ceiling", () => {
  const random = noise(1);
  const values = Float64Array.from({ length: 20 * FRAME_SAMPLES }, () => Math.round(random() * 9_000));
  expect([...limited((i) => values[i]!, 20)[0]]).toEqual([...values]);
  // Also of waves whose samples alone would pass: this one's curve is at -4 dBTP.
  const wave = sine(RATE / 4, 10 ** (-4 / 20), Math.PI / 4);
  const [heard] = limited((i) => Math.round(wave(i)), 4);
  expect([...heard]).toEqual(Array.from(heard, (_, i) => Math.round(wave(i)) + 0));
});

test.each([
  ["a wave whose curve runs 3 dB above its samples", sine(RATE / 4, 1.3, Math.PI / 4)],
  ["a deep wave at twice full scale", sine(60, 2)],
  ["a high wave", sine(9_500, 1.9, 1)],
  [
    "drums out of silence, off the borders of frames",
    (i: number) => (i % 7_001 < 3 ? 70_000 : sine(200, 0.3)(i)),
  ],
  [
    "steps up and down",
    (i: number) => sine(440, 0.2 + 1.8 * ((i >> 9) % 3 === 0 ? 1 : 0.2))(i) + sine(3_110, 0.5)(i),
  ],
])("holds %s at its ceiling or below", (_, source) => {
  const [heard] = limited((i) => Math.fround(source(i)), 8);
  expect(truePeakDb(heard)).toBeLessThanOrEqual(CEILING_DB);
  expect(truePeakDb(heard)).toBeGreaterThan(CEILING_DB - 1.5);
});

test("holds what was clipped hard, whose curve runs far above its samples", () => {
  const random = noise(3);
  const drum = (i: number): number => (1 - (i % 4_000) / 4_000) ** 4 * random();
  const clipped = (i: number): number =>
    58_000 * max(-0.5, Math.min(0.5, 3 * (sine(220, 1e-5)(i) + drum(i))));
  expect(truePeakDb(limited(clipped, 4)[0])).toBeLessThanOrEqual(CEILING_DB);
});

test("holds noise at its ceiling or below", () => {
  for (const seed of [1, 2]) {
    const random = noise(seed);
    // Without what no music has: the last octave is 12 dB down.
    let [one, two] = [0, 0];
    const values = Float64Array.from({ length: 8 * FRAME_SAMPLES }, () => {
      const next = random() * 60_000;
      const value = (next + 2 * one + two) / 4;
      [one, two] = [next, one];
      return value;
    });
    expect(truePeakDb(limited((i) => values[i]!, 8)[0])).toBeLessThanOrEqual(CEILING_DB);
  }
});

test("turns down without corners: a limited wave is still that wave", () => {
  const [heard] = limited(sine(997, 1.6), 75);
  const settled = heard.subarray(20 * FRAME_SAMPLES);
  // What is left beside the wave itself, over whole periods.
  const wave = (i: number): [number, number] => {
    const angle = (2 * Math.PI * 997 * i) / RATE;
    return [Math.sin(angle), Math.cos(angle)];
  };
  let [s, c, rest, all] = [0, 0, 0, 0];
  for (let i = 0; i < RATE; i++) {
    s += (2 * settled[i]! * wave(i)[0]) / RATE;
    c += (2 * settled[i]! * wave(i)[1]) / RATE;
  }
  for (let i = 0; i < RATE; i++) {
    rest += (settled[i]! - s * wave(i)[0] - c * wave(i)[1]) ** 2;
    all += settled[i]! ** 2;
  }
  expect(10 * Math.log10(rest / all)).toBeLessThan(-50);
});

test("lets go again within a second, and then passes bit by bit", () => {
  const [heard] = limited((i) => round(sine(100, i < 4_800 ? 1.9 : 0.3)(i)), 150);
  const tail = [...heard.subarray(120 * FRAME_SAMPLES)];
  expect(tail).toEqual(tail.map((_, i) => Math.round(sine(100, 0.3)(120 * FRAME_SAMPLES + i)) + 0));
});

test("gives both channels one gain", () => {
  const [left, right] = limited(sine(997, 1.8), 40, sine(2_000, 0.2));
  const rms = (values: Float64Array): number =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  const down = (values: Float64Array, amplitude: number): number =>
    20 * Math.log10(rms(values.subarray(20_000)) / (amplitude * 32_768 * Math.SQRT1_2));
  expect(down(left, 1.8)).toBeLessThan(-6);
  expect(down(right, 0.2)).toBeCloseTo(down(left, 1.8), 1);
});

test("hands out everything, and then says that it is empty", () => {
  const limiter = new Limiter();
  const [sum, out] = [new Float32Array(FRAME_VALUES), new Int16Array(FRAME_VALUES)];
  expect(limiter.empty).toBe(true);
  sum[FRAME_VALUES - 2] = 1_000;
  limiter.apply(sum, out);
  expect(limiter.empty).toBe(false);
  expect(out.some((value) => value !== 0)).toBe(false);
  limiter.apply(sum.fill(0), out);
  expect(out[2 * (LIMITER_DELAY - 1)]).toBe(1_000);
  limiter.apply(sum, out);
  expect(limiter.empty).toBe(true);
});
