export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** The line through points by least squares: its slope, and how far the true one may be from it (95 %). */
export function slope(points: readonly (readonly [x: number, y: number])[]): {
  value: number;
  error: number;
} {
  const n = points.length;
  const [meanX, meanY] = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis]!, 0) / n);
  const xx = points.reduce((sum, [x]) => sum + (x - meanX!) ** 2, 0);
  const value = points.reduce((sum, [x, y]) => sum + (x - meanX!) * (y - meanY!), 0) / xx;
  const left = points.reduce((sum, [x, y]) => sum + (y - meanY! - value * (x - meanX!)) ** 2, 0);
  return { value, error: 1.96 * Math.sqrt(left / Math.max(1, n - 2) / xx) };
}
