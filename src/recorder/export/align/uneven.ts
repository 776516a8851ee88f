import type { Fastest } from "./envelope.ts";
import { median, quantile } from "./numbers.ts";

/** Off the line by this much for a quarter of the time, by its own reports, a clock does not run evenly. */
const UNEVEN_MS = 12;
const LEAST_REPORTS = 5;

/**
 * Whether the sender's clock itself does not run evenly (a computer so busy that its capture stalls again and again): its reports
 * and the arrivals leave the smooth line together. Congestion moves the arrivals alone, a wall clock that is set the reports alone.
 * @param lineAt the smooth line, ms at seconds of the clock
 */
export function isUneven(fastest: readonly Fastest[], lineAt: (t: number) => number): boolean {
  const told = fastest.filter(({ reportT }) => !Number.isNaN(reportT));
  if (told.length < LEAST_REPORTS) return false;
  const reports = centred(told.map(({ reportMs, reportT }) => reportMs - lineAt(reportT)));
  const arrivals = centred(told.map(({ delayMs, t }) => delayMs - lineAt(t)));
  const off = quantile(reports.map(Math.abs), 0.75);
  const apart = centred(arrivals.map((ms, i) => ms - reports[i]!)).map(Math.abs);
  return off > UNEVEN_MS && quantile(apart, 0.75) < off / 2;
}

function centred(values: readonly number[]): number[] {
  const middle = median(values);
  return values.map((value) => value - middle);
}
