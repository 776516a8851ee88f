import { mixInto, Ramp } from "../../../src/media/audio/mixer.ts";

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

test("mixInto adds, and touches only the samples it was given", () => {
  const sum = Float32Array.of(1, 1, 1, 1);
  mixInto(sum, Float32Array.of(2, 3, 4, 5), 1);
  expect([...sum]).toEqual([3, 4, 1, 1]);
});
