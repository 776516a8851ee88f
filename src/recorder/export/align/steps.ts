import { quantile } from "./numbers.ts";

/** A change for good of the fastest packets' delay: from `index` on they are `ms` later (or earlier: negative). */
export interface Step {
  index: number;
  ms: number;
}

/** How much is looked at on both sides of a possible step; one fast point in there is enough. */
const SIDES = [6, 3];
/** A stretch between steps has at least this many points. */
const SHORTEST = 2;
/** Steps under this are taken for noise, and what noise there is makes it more. */
const LEAST_MS = 4;
const NOISE_TIMES = 9;
/** This share of the changes from point to point is noise and nothing else: congestion may hold for half of the time. */
const CALM = 0.25;
const MAX_STEPS = 400;

/**
 * Steps in a series of delays (drift taken out) whose noise only ever adds: compares the fast ones before and after each point.
 * In order.
 */
export function findSteps(delays: readonly number[]): Step[] {
  const noise = quantile(
    delays.slice(1).map((delay, i) => Math.abs(delay - delays[i]!)),
    CALM,
  );
  const least = Math.max(LEAST_MS, NOISE_TIMES * (noise || 0));
  const found: number[] = [];
  const open: [from: number, to: number][] = [[0, delays.length]];
  while (open.length > 0 && found.length < MAX_STEPS) {
    const [from, to] = open.pop()!;
    const at =
      SIDES.map((side) => greatestStep(delays, from, to, side, least)).find((at) => at !== null) ?? null;
    if (at === null) continue;
    found.push(at);
    open.push([from, at], [at, to]);
  }
  const sorted = found.sort((a, b) => a - b);
  const bounds = [0, ...sorted, delays.length];
  return sorted
    .map((index, i) => ({ index, ms: stepAt(delays, bounds[i]!, index, bounds[i + 2]!, SIDES[0]!) }))
    .filter(({ ms }) => Math.abs(ms) >= least / 2);
}

function stepAt(delays: readonly number[], from: number, at: number, to: number, side: number): number {
  const before = delays.slice(Math.max(from, at - side), at);
  const after = delays.slice(at, Math.min(to, at + side));
  return Math.min(...after) - Math.min(...before);
}

function greatestStep(
  delays: readonly number[],
  from: number,
  to: number,
  side: number,
  least: number,
): number | null {
  let greatest = 0;
  const steps: number[] = [];
  for (let at = from + SHORTEST; at <= to - SHORTEST; at++) {
    const step = stepAt(delays, from, at, to, side);
    steps.push(step);
    if (Math.abs(step) > Math.abs(greatest)) greatest = step;
  }
  if (Math.abs(greatest) < least) return null;
  // One fast point decides for its side: a step up is where that can first be seen, a step down where it last can.
  const near = (step: number): boolean => step / greatest > 0.8;
  const first = steps.findIndex(near);
  let at = first;
  if (greatest < 0) while (at + 1 < steps.length && near(steps[at + 1]!)) at++;
  return from + SHORTEST + at;
}
