import { Redundancy } from "../../../src/media/engine/redundancy.ts";

const EVERY_MS = 5000;

class Listener {
  readonly redundancy = new Redundancy();
  #nowMs = 0;

  /** The depth after each of the reports. */
  reports(...losses: (number | null)[]): number[] {
    return losses.map((loss) => {
      this.#nowMs += EVERY_MS;
      this.redundancy.take(this.#nowMs, this.#nowMs, loss);
      return this.redundancy.depth;
    });
  }
}

const times = (count: number, loss: number): number[] => Array<number>(count).fill(loss);

test("a step up takes two reports running: one packet from 2 % on, two from 8 % on", () => {
  expect(new Listener().reports(0, 0.05, 0.05, 0.05, 0.05)).toEqual([0, 0, 1, 1, 1]);
  expect(new Listener().reports(0.2, 0.2, 0.2, 0.2, 0.2)).toEqual([0, 1, 1, 2, 2]);
  expect(new Listener().reports(0.05, 0, 0.05, 0, 0.05, 0)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(new Listener().reports(null, null)).toEqual([0, 0]);
});

test("the same report read again is no second one", () => {
  const redundancy = new Redundancy();
  for (let nowMs = 0; nowMs < 4000; nowMs += 1000) redundancy.take(nowMs, 100, 0.5);
  expect(redundancy.depth).toBe(0);
});

test("a step down takes 30 s under half of what raised it", () => {
  const listener = new Listener();
  listener.reports(...times(4, 0.2));
  expect(listener.reports(...times(20, 0.05))).toEqual(times(20, 2));
  expect(listener.reports(...times(8, 0.03))).toEqual([2, 2, 2, 2, 2, 2, 1, 1]);
  expect(listener.reports(...times(8, 0.005))).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
});

test("where more traffic made it worse it goes back, and tries again later, each time after longer", () => {
  const listener = new Listener();
  expect(listener.reports(0.05, 0.05)).toEqual([0, 1]);
  // The window of ten seconds has the time before in it; then only what came after.
  expect(listener.reports(0.15, 0.4)).toEqual([1, 0]);
  expect(listener.reports(...times(12, 0.05)).indexOf(1)).toBe(11);
  expect(listener.reports(0.4, 0.4)).toEqual([1, 0]);
  expect(listener.reports(...times(40, 0.05)).indexOf(1)).toBe(23);
});

test("more loss long after a step has another cause: the step stays", () => {
  const listener = new Listener();
  listener.reports(...times(10, 0.05));
  expect(listener.reports(0.4)).toEqual([1]);
});
