// How one clock runs against this machine's, from its fastest packets. Half of all that is said here is about what must not be
// believed: queues only ever add, routes change for good, wall clocks are set.
import type { Envelope, Fastest } from "./envelope.ts";
import { median, quantile, smooth, typicalSlope } from "./numbers.ts";
import { findSteps, type Step } from "./steps.ts";
import { isUneven } from "./uneven.ts";

/** When something with RTP time `rtp` was captured: `rtp / 48 + offset(t)`, with `t` seconds since the clock's first packet. */
export interface ClockFit {
  /** Seconds, rising, and the offset there in ms, against the first packet's delay. Linear between, a step where two are close. */
  t: number[];
  offsetMs: number[];
  driftPpm: number | null;
  roundTripMs: number | null;
  routeChanges: number;
  clockSteps: number;
  uncertaintyMs: number;
}

/** Clocks heard for less are taken to run as ours: 200 ppm in it are 4 ms. */
const LEAST_SPAN_S = 20;
/** Distance of the points that the model goes through, and what changes within is not the clock's. */
const KNOT_S = 10;
const KNOTS_S: Record<Mode, number> = { smooth: KNOT_S, followed: 2, uneven: 1 };
const PERIODS_S: Record<Mode, number> = { smooth: 600, followed: 20, uneven: 3 };
/** Over how many knots slopes are looked at. */
const LAGS = [2, 6, 18] as const;
/** Without any knowledge, clocks are so far off (standard deviation). */
const USUAL_PPM = 100;
/** How far a sender's wall clock may run wrong against ours, and by how much its reports are off. */
const WALL_PPM = 30;
const REPORT_MS = 5;
/** Routes whose delays differ by less are one. */
const SAME_ROUTE_MS = 5;
/** Without reports, a change that stays and is greater than what routes differ by is the clock's: its sender lost time. */
const NO_ROUTE_MS = 250;

interface Point {
  t: number;
  ms: number;
  roundTripMs: number;
}

/** `smooth`: a clock as they are; `followed`: there is none, arrival is all; `uneven`: one that stalls, again and again. */
type Mode = "smooth" | "followed" | "uneven";

/** @param follows there is no sender's clock: arrival is followed */
export function fitClock(envelope: Envelope, { follows }: { follows: boolean }): ClockFit {
  if (follows) return fitAs("followed", envelope);
  const fit = fitAs("smooth", envelope);
  return isUneven(envelope.fastest, lineOf(fit)) ? fitAs("uneven", envelope) : fit;
}

function fitAs(mode: Mode, envelope: Envelope): ClockFit {
  const follows = mode !== "smooth";
  const { fastest } = envelope;
  const span = fastest.at(-1)!.t - fastest[0]!.t;
  const knotS = Math.max(KNOTS_S[mode], envelope.widthS);
  const reports = fastest.filter(({ reportT }) => !Number.isNaN(reportT));
  const drift = follows || span < LEAST_SPAN_S ? 0 : roughDrift(fastest, knotS, reports);
  const points = thin(fastest, drift, knotS);
  const steps = follows ? [] : findSteps(points.map(({ ms }) => ms));
  const { clock, route } = sortSteps(steps, points, reports, drift);
  const clockAt = clock.map(({ index, ms }) => ({ ms, t: stepTime(fastest, points, index, ms) }));
  const straightened = points.map((point) => ({ ...point, ms: point.ms - sumBefore(clockAt, point.t) }));
  const levels = routeLevels(route, points.length);
  const period = PERIODS_S[mode];
  const stiffness = (period / (2 * Math.PI * knotS)) ** 4;
  const { z, residuals } = follows
    ? followLine(straightened, knotS, stiffness)
    : fitLine(straightened, levels, knotS, stiffness);
  const base = baseOf(straightened, levels, residuals, follows ? FOLLOWED_LOW : FASTEST);
  const from = points[0]!.t;
  const t: number[] = [];
  const offsetMs: number[] = [];
  const put = (at: number, stepped: number): void => {
    const knot = (at - from) / knotS;
    t.push(at);
    offsetMs.push(valueAt(z, knot) + drift * at + base.ms + stepped);
  };
  let stepped = 0;
  let next = 0;
  for (let i = 0; i < z.length; i++) {
    const at = from + i * knotS;
    for (; next < clockAt.length && clockAt[next]!.t <= at; next++) {
      const { t: when, ms } = clockAt[next]!;
      put(when - 1 / 48_000, stepped);
      stepped += ms;
      put(when, stepped);
    }
    if (t.length === 0 || at > t.at(-1)!) put(at, stepped);
  }
  const slope = z.length > 1 ? (z.at(-1)! - z[0]!) / ((z.length - 1) * knotS) : 0;
  return {
    ...{ t, offsetMs, roundTripMs: base.roundTripMs, routeChanges: route.length, clockSteps: clock.length },
    driftPpm: span < LEAST_SPAN_S || follows ? null : -(drift + slope) * 1_000,
    uncertaintyMs: follows ? Math.max(base.uncertaintyMs, unrest(points)) : base.uncertaintyMs,
  };
}

/** By how much what is followed changes from one point to the next: nobody knows where between them. */
const unrest = (points: readonly Point[]): number =>
  points.length < 2
    ? 0
    : quantile(
        points.slice(1).map(({ ms }, i) => Math.abs(ms - points[i]!.ms)),
        0.95,
      );

/** Slope of the delay, ms per s: of the arrivals, with the reports' and the usual as what was known before. */
function roughDrift(fastest: readonly Fastest[], knotS: number, reports: readonly Fastest[]): number {
  const known = reportedDrift(reports) ?? { slope: 0, sigma: USUAL_PPM / 1_000 };
  let slope = known.slope;
  let sigma = Infinity;
  for (let round = 0; round < 3; round++) {
    const points = thin(fastest, slope, knotS);
    const t = points.map((point) => point.t);
    const ms = points.map((point) => point.ms);
    // At first over short times, of which few have a step within; then over longer ones between steps.
    const more = round === 0 ? typicalSlope(t, ms, [LAGS[0] * knotS]) : slopeBetween(t, ms, knotS);
    if (!more) break;
    slope += more.slope;
    const changes = ms
      .slice(1)
      .map((value, i) => Math.abs(value - ms[i]! - more.slope * (t[i + 1]! - t[i]!)));
    sigma =
      Math.max(0.5, 1.5 * median(changes)) / more.lag / Math.sqrt(Math.max(1, (t.length * knotS) / more.lag));
  }
  if (sigma === Infinity) return known.slope;
  const weight = sigma ** -2;
  const before = known.sigma ** -2;
  return (slope * weight + known.slope * before) / (weight + before);
}

/** The slope of what lies between steps. */
function slopeBetween(t: readonly number[], ms: readonly number[], knotS: number) {
  const bounds = findSteps(ms).map(({ index }) => index);
  let stretch = 0;
  const stretches = ms.map((_, i) => (i === bounds[stretch] ? ++stretch : stretch));
  return typicalSlope(
    t,
    ms,
    LAGS.map((lag) => lag * knotS),
    stretches,
  );
}

/** What the sender's reports say of its sample clock, if its wall clock were right. A wall clock that is set moves this little. */
function reportedDrift(reports: readonly Fastest[]): { slope: number; sigma: number } | null {
  const span = (reports.at(-1)?.reportT ?? 0) - (reports[0]?.reportT ?? 0);
  const t = reports.map(({ reportT }) => reportT);
  const ms = reports.map(({ reportMs }) => reportMs);
  const slope = span < LEAST_SPAN_S ? null : (typicalSlope(t, ms, [span / 3])?.slope ?? null);
  if (slope === null || Math.abs(slope) > 1) return null;
  return { slope, sigma: Math.hypot(WALL_PPM / 1_000, REPORT_MS / (span / 3)) };
}

/** The fastest packet of each `widthS`, drift taken out. */
function thin(fastest: readonly Fastest[], drift: number, widthS: number): Point[] {
  const points: Point[] = [];
  let current = -Infinity;
  for (const { t, delayMs, roundTripMs } of fastest) {
    const ms = delayMs - drift * t;
    const at = Math.floor(t / widthS);
    const last = points.at(-1);
    if (last && at === current) {
      if (ms < last.ms) [last.ms, last.t] = [ms, t];
      if (roundTripMs < last.roundTripMs || Number.isNaN(last.roundTripMs)) last.roundTripMs = roundTripMs;
    } else points.push({ t, ms, roundTripMs });
    current = at;
  }
  return points;
}

/** What is a change of the route, and what did the sender's clock itself do? */
function sortSteps(
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

/** By how much the sender's wall clock and its RTP time came apart around a time; null when no reports tell. */
function reportedStep(reports: readonly Fastest[], t: number, drift: number): number | null {
  const near = reports.filter(({ reportT }) => Math.abs(reportT - t) < REPORTS_WITHIN_S);
  const value = ({ reportT, reportMs }: Fastest): number => reportMs - drift * reportT;
  // Around the step itself a report may belong to either side.
  const before = near.filter(({ reportT }) => reportT < t - KNOT_S).slice(-REPORTS_BESIDE);
  const after = near.filter(({ reportT }) => reportT > t + KNOT_S).slice(0, REPORTS_BESIDE);
  if (before.length === 0 || after.length === 0) return null;
  return median(after.map(value)) - median(before.map(value));
}

/** When exactly a clock's step was: where the delay jumped most from one packet to the next, near its point. */
function stepTime(fastest: readonly Fastest[], points: readonly Point[], index: number, ms: number): number {
  const from = points[Math.max(0, index - 2)]!.t;
  const to = points[Math.min(points.length - 1, index + 1)]!.t;
  let best: Fastest | null = null;
  for (const slot of fastest) {
    if (slot.t < from || slot.t > to || Math.sign(slot.jumpMs) !== Math.sign(ms)) continue;
    if (!best || Math.abs(slot.jumpMs) > Math.abs(best.jumpMs)) best = slot;
  }
  return best?.jumpT ?? points[index]!.t;
}

const sumBefore = (steps: readonly { t: number; ms: number }[], t: number): number =>
  steps.reduce((sum, step) => (step.t <= t ? sum + step.ms : sum), 0);

/**
 * The delay of each point's route against the first one's, by steps. A route that comes back is the same one: else the errors of
 * the steps would add up.
 */
function routeLevels(steps: readonly Step[], count: number): { route: number[]; levels: number[] } {
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

/** What the first look at the drift may have left, ms per s. */
const LEFT_DRIFT = 0.05;
const ROUNDS = 3;
const REWEIGHTED = 6;

/** A line through the points as they are, a little smoother. */
function followLine(
  points: readonly Point[],
  knotS: number,
  stiffness: number,
): { z: Float64Array; residuals: number[] } {
  const from = points[0]!.t;
  const n = Math.floor((points.at(-1)!.t - from) / knotS) + 2;
  const y = new Float64Array(n);
  const weights = new Float64Array(n);
  for (const { t, ms } of points) {
    const knot = Math.round((t - from) / knotS);
    y[knot] = (y[knot]! * weights[knot]! + ms) / (weights[knot]! + 1);
    weights[knot]! += 1;
  }
  const z = smooth(y, weights, { stiffness, flatness: 0 });
  return { z, residuals: points.map(({ t, ms }) => ms - valueAt(z, (t - from) / knotS)) };
}

/** A smooth line under the points, once each one's route is taken off; the routes' delays are found again from it. */
function fitLine(
  points: readonly Point[],
  { route, levels }: { route: number[]; levels: number[] },
  knotS: number,
  stiffness: number,
): { z: Float64Array; residuals: number[] } {
  const from = points[0]!.t;
  const n = Math.floor((points.at(-1)!.t - from) / knotS) + 2;
  const reference = longest(route, levels.length);
  let z: Float64Array = new Float64Array(n);
  let residuals: number[] = [];
  const residual = (): number[] =>
    points.map(({ t, ms }, i) => ms - levels[route[i]!]! - valueAt(z, (t - from) / knotS));
  for (let round = 0; round < ROUNDS; round++) {
    for (let again = 0; again < REWEIGHTED; again++) {
      residuals = round + again === 0 ? points.map(({ ms }, i) => ms - levels[route[i]!]!) : residual();
      const middle = round + again === 0 ? quantile(residuals, LOW) : 0;
      const scale = Math.max(
        0.5,
        1.5 *
          quantile(
            residuals.map((ms) => Math.abs(ms - middle)),
            0.4,
          ),
      );
      const y = new Float64Array(n);
      const weights = new Float64Array(n);
      for (const [i, { t, ms }] of points.entries()) {
        const knot = Math.round((t - from) / knotS);
        const off = (residuals[i]! - middle) / scale;
        // Late ones say little; early ones there can only be few of, where a step was found in the wrong place.
        const weight = off > 0 ? 0.3 / (1 + off * off) : 1 / (1 + (off / 4) ** 2);
        const value = ms - levels[route[i]!]!;
        y[knot] = (y[knot]! * weights[knot]! + value * weight) / (weights[knot]! + weight);
        weights[knot]! += weight;
      }
      z = smooth(y, weights, { stiffness, flatness: (scale / LEFT_DRIFT / knotS) ** 2 / n });
    }
    residuals = residual();
    for (let k = 0; k < levels.length; k++) {
      if (k === reference) continue;
      levels[k]! += quantile(
        residuals.filter((_, i) => route[i] === k),
        LOW,
      );
    }
    const shift = quantile(
      residuals.filter((_, i) => route[i] === reference),
      LOW,
    );
    z = z.map((value) => value + shift);
    residuals = residual();
  }
  return { z, residuals };
}

const LOW = 0.2;
/** Where the line lies among the points of its route; one that follows arrival is as often too late as too early. */
const FASTEST = 0.05;
const FOLLOWED_LOW = 0.4;

function longest(route: readonly number[], count: number): number {
  const lengths = Array.from({ length: count }, () => 0);
  for (const k of route) lengths[k]!++;
  return lengths.indexOf(Math.max(...lengths));
}

/** Where the line must be: at the fastest packets of the route with the shortest round trip, less half of it. */
function baseOf(
  points: readonly Point[],
  { route, levels }: { route: number[]; levels: number[] },
  residuals: readonly number[],
  fastest: number,
): { ms: number; roundTripMs: number | null; uncertaintyMs: number } {
  let best: { ms: number; roundTripMs: number | null; uncertaintyMs: number } | null = null;
  for (let k = 0; k < levels.length; k++) {
    const mine = points.flatMap(({ roundTripMs }, i) =>
      route[i] === k ? [{ roundTripMs, off: residuals[i]! }] : [],
    );
    if (mine.length === 0) continue;
    const trips = mine.map(({ roundTripMs }) => roundTripMs).filter((ms) => !Number.isNaN(ms));
    const roundTripMs = trips.length > 0 ? Math.min(...trips) : null;
    const offs = mine.map(({ off }) => off);
    const low = quantile(offs, fastest);
    const ms = levels[k]! + low - (roundTripMs ?? 0) / 2;
    const better =
      best === null ||
      (roundTripMs !== null && (best.roundTripMs === null || roundTripMs < best.roundTripMs)) ||
      (roundTripMs === null && best.roundTripMs === null && ms < best.ms);
    if (better)
      best = {
        ms,
        roundTripMs,
        uncertaintyMs: quantile(
          offs.map((off) => Math.abs(off - low)),
          0.75,
        ),
      };
  }
  return best ?? { ms: 0, roundTripMs: null, uncertaintyMs: 0 };
}

function valueAt(z: Float64Array, knot: number): number {
  const below = Math.min(Math.max(0, Math.floor(knot)), z.length - 2);
  return z[below]! + (z[below + 1]! - z[below]!) * (knot - below);
}

/** The line that a fit is, by seconds of the clock. */
function lineOf({ t, offsetMs }: ClockFit): (t: number) => number {
  return (at) => {
    let low = 0;
    let high = t.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (t[middle]! <= at) low = middle;
      else high = middle;
    }
    const share = high > low ? (at - t[low]!) / (t[high]! - t[low]!) : 0;
    return offsetMs[low]! + share * (offsetMs[high]! - offsetMs[low]!);
  };
}
