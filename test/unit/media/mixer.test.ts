import { Limiter, mixInto, Ramp } from "../../../src/media/audio/mixer.ts";
import { FRAME_SAMPLES, FRAME_VALUES } from "../../../src/media/audio/pcm.ts";

const ones = (samples: number): Float32Array => new Float32Array(samples * 2).fill(1);
const left = (values: Float32Array): number[] => [...values].filter((_, i) => i % 2 === 0);

describe("Ramp", () => {
  test("moves in a straight line and stays there", () => {
    const ramp = new Ramp(0);
    ramp.to(1, 4);
    const values = ones(6);
    ramp.applyTo(values, 6);
    expect(left(values)).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
    expect(ramp.settled).toBe(true);
  });

  test("waits for its delay", () => {
    const ramp = new Ramp(1);
    ramp.to(0, 2, 3);
    const values = ones(6);
    ramp.applyTo(values, 6);
    expect(left(values)).toEqual([1, 1, 1, 0.5, 0, 0]);
  });

  test("turns round from where it is", () => {
    const ramp = new Ramp(0);
    ramp.to(1, 4);
    ramp.next();
    ramp.next();
    ramp.to(0, 2);
    expect([ramp.next(), ramp.next(), ramp.next()]).toEqual([0.25, 0, 0]);
  });

  test("goes at once when it is given no time", () => {
    const ramp = new Ramp(1);
    ramp.to(2, 0);
    expect(ramp.value).toBe(2);
    expect(ramp.settled).toBe(true);
  });
});

describe("Limiter", () => {
  const sine = (amplitude: number): Float32Array =>
    Float32Array.from(
      { length: FRAME_VALUES },
      (_, i) => Math.round(amplitude * Math.sin((2 * Math.PI * 12 * Math.floor(i / 2)) / FRAME_SAMPLES)) + 0,
    );

  test("passes what fits bit by bit, up to full scale", () => {
    const out = new Int16Array(FRAME_VALUES);
    const sum = sine(32_767);
    new Limiter().apply(sum, out);
    expect([...out]).toEqual([...sum]);
  });

  test("turns down what would be too loud without flattening its waves", () => {
    const limiter = new Limiter();
    const out = new Int16Array(FRAME_VALUES);
    limiter.apply(sine(65_000), out);
    limiter.apply(sine(65_000), out);
    const peak = Math.max(...out.map(Math.abs));
    expect(peak).toBeLessThanOrEqual(32_767);
    expect(peak).toBeGreaterThan(32_000);
    expect(out.filter((value) => Math.abs(value) === peak).length).toBeLessThan(100);
  });

  test("lets go again by 1 dB a frame", () => {
    const limiter = new Limiter();
    const out = new Int16Array(FRAME_VALUES);
    limiter.apply(sine(65_534), out);
    limiter.apply(sine(10_000), out);
    expect(Math.max(...out)).toBeLessThan(6_000);
    for (let i = 0; i < 10; i++) limiter.apply(sine(10_000), out);
    expect(Math.max(...out)).toBe(10_000);
  });
});

test("mixInto adds, and touches only the samples it was given", () => {
  const sum = Float32Array.of(1, 1, 1, 1);
  mixInto(sum, Float32Array.of(2, 3, 4, 5), 1);
  expect([...sum]).toEqual([3, 4, 1, 1]);
});
