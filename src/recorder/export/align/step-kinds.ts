// What the steps in a clock's delay are: its sender's clock, or the way of its packets.
import type { Fastest } from "./envelope.ts";
import { median } from "./numbers.ts";
import type { Point } from "./points.ts";
import type { Step } from "./steps.ts";

/** By how much a sender's reports are off. */
export const REPORT_MS = 5;
/** Routes whose delays differ by less are one. */
const SAME_ROUTE_MS = 5;
/** Without reports, a change that stays and is greater than what routes differ by is the clock's: its sender lost time. */
const NO_ROUTE_MS = 250;

/** What is a change of the route, and what did the sender's clock itself do? */
export function sortSteps(
  steps: readonly Step[],
  points: readonly Point[],
  reports: readonly Fastest[],
  drift: number,
): { clock: Step[]; route: Step[] } {
  const clock: Step[] = [];
  const route: Step[] = [];
  const isOwn = (step: Step, at: number, i: number): boolean => {
    if (!isRoutePossible(step, points)) {
      const told = reportedStep(reports, at, drift, REPORTS_ALONG);
      if (told !== null) return told / step.ms > TOLD;
    }
    const told = reportedStep(reports, at, drift, REPORTS_BESIDE);
    if (told === null) return Math.abs(step.ms) > NO_ROUTE_MS && !returns(steps, i);
    const off = Math.abs(told - step.ms);
    return off < Math.max(3 * REPORT_MS, Math.abs(step.ms) / 3) && Math.abs(told) > 2 * REPORT_MS;
  };
  for (const [i, step] of steps.entries()) {
    const at = points[step.index]!.t;
    (isOwn(step, at, i) ? clock : route).push(step);
  }
  return { clock, route };
}

/** Points on each side among which the shortest round trip is looked for. */
const TRIPS_BESIDE = 6;

/** No way is longer than there and back: by more than that it cannot change. */
function isRoutePossible({ index, ms }: Step, points: readonly Point[]): boolean {
  const shortest = (side: readonly Point[]): number =>
    Math.min(...side.map(({ roundTripMs }) => roundTripMs).filter((trip) => !Number.isNaN(trip)));
  const before = shortest(points.slice(Math.max(0, index - TRIPS_BESIDE), index));
  const after = shortest(points.slice(index, index + TRIPS_BESIDE));
  return Math.abs(ms) <= Math.max(before, after) + REPORT_MS;
}

/** Whether a later step takes most of it back: congestion that ended. */
function returns(steps: readonly Step[], index: number): boolean {
  const { ms } = steps[index]!;
  let level = ms;
  return steps.slice(index + 1).some((later) => Math.abs((level += later.ms)) < Math.abs(ms) / 3);
}

const REPORTS_BESIDE = 3;
/** Where the way cannot have changed, more of them are asked: a browser's are off by 10 ms and more for a while. */
const REPORTS_ALONG = 8;
/** Of such a step the reports must tell this share: else the sender's machine held packets back, after they had got their time. */
const TOLD = 0.5;
const REPORTS_WITHIN_S = 60;
/** Around the step itself a report may belong to either side. */
const UNSURE_S = 10;

/** By how much the sender's wall clock and its RTP time came apart around a time; null when no reports tell. */
function reportedStep(reports: readonly Fastest[], t: number, drift: number, beside: number): number | null {
  const near = reports.filter(({ reportT }) => Math.abs(reportT - t) < REPORTS_WITHIN_S);
  const value = ({ reportT, reportMs }: Fastest): number => reportMs - drift * reportT;
  const before = near.filter(({ reportT }) => reportT < t - UNSURE_S).slice(-beside);
  const after = near.filter(({ reportT }) => reportT > t + UNSURE_S).slice(0, beside);
  if (before.length === 0 || after.length === 0) return null;
  return median(after.map(value)) - median(before.map(value));
}

/** When exactly a clock's step was: where the delay jumped most from one packet to the next, near its point. */
export function stepTime(
  fastest: readonly Fastest[],
  points: readonly Point[],
  index: number,
  ms: number,
): number {
  const from = points[Math.max(0, index - 2)]!.t;
  const to = points[Math.min(points.length - 1, index + 1)]!.t;
  let best: Fastest | null = null;
  for (const slot of fastest) {
    if (slot.t < from || slot.t > to || Math.sign(slot.jumpMs) !== Math.sign(ms)) continue;
    if (!best || Math.abs(slot.jumpMs) > Math.abs(best.jumpMs)) best = slot;
  }
  return best?.jumpT ?? points[index]!.t;
}

export const sumBefore = (steps: readonly { t: number; ms: number }[], t: number): number =>
  steps.reduce((sum, step) => (step.t <= t ? sum + step.ms : sum), 0);

/**
 * The delay of each point's route against the first one's, by steps. A route that comes back is the same one: else the errors of
 * the steps would add up.
 */
export function routeLevels(steps: readonly Step[], count: number): { route: number[]; levels: number[] } {
  const levels = [0];
  const route: number[] = [];
  let current = 0;
  let next = 0;
  for (let i = 0; i < count; i++) {
    if (steps[next]?.index === i) {
      const level = levels[current]! + steps[next++]!.ms;
      const distances = levels.map((known) => Math.abs(known - level));
      const nearest = distances.indexOf(Math.min(...distances));
      current = distances[nearest]! < SAME_ROUTE_MS ? nearest : levels.push(level) - 1;
    }
    route.push(current);
  }
  return { route, levels };
}
