/** The value below which the share `q` of them lies; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return NaN;
  const sorted = Float64Array.from(values).sort();
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const lower = sorted[below]!;
  return lower + ((sorted[below + 1] ?? lower) - lower) * (at - below);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/**
 * The slope that half of the pairs exceed which are about one of the `lags` apart (Theil and Sen; longer ones weigh more): steps in
 * a few places do not move it. `t` rises; pairs of different `stretches` do not count. Null when there are fewer than three pairs.
 * @returns the usual distance of its pairs as `lag`
 */
export function typicalSlope(
  t: readonly number[],
  y: readonly number[],
  lags: readonly number[],
  stretches?: readonly number[],
): { slope: number; lag: number } | null {
  const slopes: { slope: number; lag: number }[] = [];
  for (const lag of lags) {
    let to = 0;
    for (let from = 0; from < t.length; from++) {
      while (to < t.length && t[to]! - t[from]! < lag) to++;
      if (to === t.length) break;
      // What is much farther apart was silent in between; it would weigh more than the others.
      if (t[to]! - t[from]! > 3 * lag || (stretches && stretches[to] !== stretches[from])) continue;
      slopes.push({ slope: (y[to]! - y[from]!) / (t[to]! - t[from]!), lag });
    }
  }
  if (slopes.length < 3) return null;
  slopes.sort((a, b) => a.slope - b.slope);
  const weight = slopes.reduce((sum, { lag }) => sum + lag, 0);
  let below = 0;
  const middle = slopes.find(({ lag }) => (below += lag) >= weight / 2);
  return { slope: middle?.slope ?? 0, lag: weight / slopes.length };
}

/**
 * The smoothest line through weighted points at equal distances: minimises Σ w (y - z)² + stiffness · Σ (z″)² + flatness · Σ (z′)²
 * (Whittaker). A weight of 0 is a point that is not there.
 */
export function smooth(
  y: Float64Array,
  weights: Float64Array,
  { stiffness, flatness }: { stiffness: number; flatness: number },
): Float64Array {
  const n = y.length;
  const z = new Float64Array(n);
  if (n < 3) return straight(y, weights);
  // Five diagonals of W + stiffness · D'D + flatness · E'E, and their decomposition L D L'.
  const d = new Float64Array(n);
  const l1 = new Float64Array(n);
  const l2 = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    // D'D of second differences: 1 5 6 … 6 5 1 on the diagonal, -2 -4 … -4 -2 and 1 … 1 beside it.
    const inner = (i >= 2 ? 1 : 0) + (i >= 1 && i <= n - 2 ? 4 : 0) + (i <= n - 3 ? 1 : 0);
    let diagonal =
      weights[i]! + 1e-9 + stiffness * inner + flatness * ((i >= 1 ? 1 : 0) + (i <= n - 2 ? 1 : 0));
    const first = i <= n - 2 ? -2 * stiffness * ((i >= 1 ? 1 : 0) + (i <= n - 3 ? 1 : 0)) - flatness : 0;
    const second = i <= n - 3 ? stiffness : 0;
    if (i >= 1) diagonal -= l1[i - 1]! ** 2 * d[i - 1]!;
    if (i >= 2) diagonal -= l2[i - 2]! ** 2 * d[i - 2]!;
    d[i] = diagonal;
    l1[i] = (first - (i >= 1 ? l1[i - 1]! * l2[i - 1]! * d[i - 1]! : 0)) / diagonal;
    l2[i] = second / diagonal;
    z[i] =
      weights[i]! * y[i]! - (i >= 1 ? l1[i - 1]! * z[i - 1]! : 0) - (i >= 2 ? l2[i - 2]! * z[i - 2]! : 0);
  }
  for (let i = n - 1; i >= 0; i--) {
    z[i] = z[i]! / d[i]! - (i + 1 < n ? l1[i]! * z[i + 1]! : 0) - (i + 2 < n ? l2[i]! * z[i + 2]! : 0);
  }
  return z;
}

/** Too few for a second difference: their mean. */
function straight(y: Float64Array, weights: Float64Array): Float64Array {
  let [sum, weight] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    sum += weights[i]! * y[i]!;
    weight += weights[i]!;
  }
  return new Float64Array(y.length).fill(weight > 0 ? sum / weight : 0);
}
