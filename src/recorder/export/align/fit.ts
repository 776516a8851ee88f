// How one clock runs against this machine's, from its fastest packets. Half of all that is said here is about what must not be
// believed: queues only ever add, routes change for good, wall clocks are set.
import type { Envelope, Fastest } from "./envelope.ts";
import { baseOf, FASTEST, fitLine, followLine, FOLLOWED_LOW, valueAt } from "./lines.ts";
import { median, quantile, typicalSlope } from "./numbers.ts";
import { thin, type Point } from "./points.ts";
import { REPORT_MS, routeLevels, sortSteps, stepTime, sumBefore } from "./step-kinds.ts";
import { findStalls, lostBy, withoutStalls, type Stall } from "./stalls.ts";
import { findSteps } from "./steps.ts";
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

type Observed = Pick<Envelope, "fastest" | "widthS">;

/** Clocks heard for less are taken to run as ours: 200 ppm in it are 4 ms. */
const LEAST_SPAN_S = 20;
/** Distance of the points that the model goes through, and what changes within is not the clock's. */
const KNOT_S = 10;
const KNOTS_S: Record<Mode, number> = { smooth: KNOT_S, followed: 2 };
const PERIODS_S: Record<Mode, number> = { smooth: 600, followed: 20 };
/** Over how many knots slopes are looked at. */
const LAGS = [2, 6, 18] as const;
/** Without any knowledge, clocks are so far off (standard deviation). */
const USUAL_PPM = 100;
/** How far a sender's wall clock may run wrong against ours. */
const WALL_PPM = 30;

/** So many steps of a sender's clock are no single misfortunes: it stalls, and more often than points ten seconds apart show. */
const MANY_STEPS = 10;

/** `smooth`: a clock as they are; `followed`: there is none, arrival is all. */
type Mode = "smooth" | "followed";

/** @param follows there is no sender's clock: arrival is followed */
export function fitClock(envelope: Observed, { follows }: { follows: boolean }): ClockFit {
  if (follows) return fitAs("followed", envelope);
  const fit = fitAs("smooth", envelope);
  if (fit.clockSteps < MANY_STEPS && !isUneven(envelope.fastest, lineOf(fit))) return fit;
  const stalls = findStalls(envelope.fastest);
  const straight = { fastest: withoutStalls(envelope.fastest, stalls), widthS: envelope.widthS };
  return stalled(fitAs("smooth", straight), stalls);
}

/** The fit of a clock that stalls, from that of what it would be without. */
function stalled(fit: ClockFit, stalls: readonly Stall[]): ClockFit {
  const line = lineOf(fit);
  const beside = stalls.flatMap(({ t }) => [t, t + 1 / 48_000]).filter((at) => at > fit.t[0]!);
  const t = [...new Set([...fit.t, ...beside])].sort((a, b) => a - b);
  return {
    ...fit,
    t,
    offsetMs: t.map((at) => line(at) + lostBy(stalls, at)),
    clockSteps: fit.clockSteps + stalls.length,
  };
}

function fitAs(mode: Mode, envelope: Observed): ClockFit {
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
