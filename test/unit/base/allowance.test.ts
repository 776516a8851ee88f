import { Allowance } from "../../../src/base/allowance.ts";

test("gives the burst at once, then so much a second, and never more than the burst", () => {
  const allowance = new Allowance(2, 3);
  const taken = (nowMs: number): number => {
    let count = 0;
    while (allowance.take(nowMs)) count++;
    return count;
  };
  expect(taken(1000)).toBe(3);
  expect(taken(1000)).toBe(0);
  expect(taken(1499)).toBe(0);
  expect(taken(1500)).toBe(1);
  expect(allowance.full(2500)).toBe(false);
  expect(allowance.full(3000)).toBe(true);
  expect(taken(1e9)).toBe(3);
  // A clock that steps back gives nothing.
  expect(taken(0)).toBe(0);
  expect(taken(1e9)).toBe(0);
  expect(allowance.take(1e9 + 1000, 3)).toBe(false);
  expect(allowance.take(1e9 + 1000, 2)).toBe(true);
});
