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
  for (const [i, step] of steps.entries()) {
    const at = points[step.index]!.t;
    const reported = reportedStep(reports, at, drift);
    const own =
      reported === null
        ? Math.abs(step.ms) > NO_ROUTE_MS && !returns(steps, i)
        : Math.abs(reported - step.ms) < Math.max(3 * REPORT_MS, Math.abs(step.ms) / 3) &&
          Math.abs(reported) > 2 * REPORT_MS;
    (own ? clock : route).push(step);
  }
  return { clock, route };
}

/** Whether a later step takes most of it back: congestion that ended. */
function returns(steps: readonly Step[], index: number): boolean {
  const { ms } = steps[index]!;
  let level = ms;
  return steps.slice(index + 1).some((later) => Math.abs((level += later.ms)) < Math.abs(ms) / 3);
}

const REPORTS_BESIDE = 3;
const REPORTS_WITHIN_S = 60;
/** Around the step itself a report may belong to either side. */
const UNSURE_S = 10;

/** By how much the sender's wall clock and its RTP time came apart around a time; null when no reports tell. */
function reportedStep(reports: readonly Fastest[], t: number, drift: number): number | null {
  const near = reports.filter(({ reportT }) => Math.abs(reportT - t) < REPORTS_WITHIN_S);
  const value = ({ reportT, reportMs }: Fastest): number => reportMs - drift * reportT;
  const before = near.filter(({ reportT }) => reportT < t - UNSURE_S).slice(-REPORTS_BESIDE);
  const after = near.filter(({ reportT }) => reportT > t + UNSURE_S).slice(0, REPORTS_BESIDE);
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
