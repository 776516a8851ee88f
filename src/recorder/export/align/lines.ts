// Lines under a clock's fastest packets, and where among them a line has to be.
import { quantile, smooth } from "./numbers.ts";
import type { Point } from "./points.ts";

/** What the first look at the drift may have left, ms per s. */
const LEFT_DRIFT = 0.05;
const ROUNDS = 3;
const REWEIGHTED = 6;

/** A line through the points as they are, a little smoother. */
export function followLine(
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
export function fitLine(
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
export const FASTEST = 0.05;
export const FOLLOWED_LOW = 0.4;

function longest(route: readonly number[], count: number): number {
  const lengths = Array.from({ length: count }, () => 0);
  for (const k of route) lengths[k]!++;
  return lengths.indexOf(Math.max(...lengths));
}

/** Where the line must be: at the fastest packets of the route with the shortest round trip, less half of it. */
export function baseOf(
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

export function valueAt(z: Float64Array, knot: number): number {
  const below = Math.min(Math.max(0, Math.floor(knot)), z.length - 2);
  return z[below]! + (z[below + 1]! - z[below]!) * (knot - below);
}
