// A computer so busy that its capture stalls again and again. Its own reports say how much time it lost between two of them; the
// arrivals say when.
import type { Fastest } from "./envelope.ts";
import { median, quantile, typicalSlope } from "./numbers.ts";

/** From `t` on (seconds of the clock) everything was captured `ms` later than its RTP time says. */
export interface Stall {
  t: number;
  ms: number;
}

/** Reports that are off by less are of one level, and by less than so many times what they differ from one to the next. */
const LEVEL_MS = 8;
const LEVEL_TIMES = 3;
/** How many reports make up the level that the next one is held against. */
const LEVEL_REPORTS = 6;
/** How far around a stall the usual way is looked for, and which of the arrivals there were not held up. */
const BESIDE_S = 60;
const FREE = 0.1;
/** A jump of the delay from one packet to the next is the stall's when it is like it; else only the order of arrivals tells. */
const LIKE = 0.5;
/** What weighs as much: so much of another size, so long after the last packet that was early. */
const JUMP_MS = 10;
const JUMP_S = 1;
/** Reports come every five seconds or so. */
const SLOPE_LAG_S = 8;

interface Told {
  t: number;
  ms: number;
}
/** Reports between which no time was lost. */
interface Level {
  ms: number;
  reports: readonly Told[];
}
const fromT = ({ reports }: Level): number => reports[0]!.t;
const toT = ({ reports }: Level): number => reports.at(-1)!.t;

/** The time that a sender's clock lost, by its reports, in order. Empty when they do not tell. */
export function findStalls(fastest: readonly Fastest[]): Stall[] {
  const told = fastest.flatMap(({ reportT, reportMs }) =>
    Number.isNaN(reportT) ? [] : [{ t: reportT, ms: reportMs }],
  );
  const slopes = told.slice(1).map(({ t, ms }, i) => (ms - told[i]!.ms) / (t - told[i]!.t));
  // First as if nothing had been lost for most of the time, then where nothing was.
  const rough = slopes.length > 0 ? median(slopes) : 0;
  const slope = rough + (slopeWithin(levelsOf(less(told, rough))) ?? 0);
  const levels = levelsOf(less(told, slope));
  const delays = less(
    fastest.map(({ t, delayMs }) => ({ t, ms: delayMs })),
    slope,
  );
  return levels.slice(1).map((level, i) => {
    const before = levels[i]!;
    return { t: timeOf(fastest, delays, levels, before, level), ms: level.ms - before.ms };
  });
}

const less = (points: readonly Told[], slope: number): Told[] =>
  points.map(({ t, ms }) => ({ t, ms: ms - slope * t }));

/** Of the reports inside of their levels. */
function slopeWithin(levels: readonly Level[]): number | null {
  const inside = levels.flatMap(({ reports }, i) => reports.map((report) => ({ ...report, i })));
  const [t, ms] = [inside.map((report) => report.t), inside.map((report) => report.ms)];
  const lags = [SLOPE_LAG_S, 3 * SLOPE_LAG_S];
  return (
    typicalSlope(
      t,
      ms,
      lags,
      inside.map(({ i }) => i),
    )?.slope ?? null
  );
}

function levelsOf(reports: readonly Told[]): Level[] {
  const changes = reports.slice(1).map(({ ms }, i) => Math.abs(ms - reports[i]!.ms));
  const least = Math.max(LEVEL_MS, LEVEL_TIMES * (median(changes) || 0));
  let current: Told[] = [];
  const runs = [current];
  for (const [i, report] of reports.entries()) {
    const level = median(current.slice(-LEVEL_REPORTS).map(({ ms }) => ms));
    const isOff = Math.abs(report.ms - level) > least;
    const next = reports[i + 1];
    // One that is off alone is wrong; the next one knows.
    const returns = next !== undefined && Math.abs(next.ms - level) < Math.abs(next.ms - report.ms);
    if (isOff && returns) continue;
    if (isOff) runs.push((current = []));
    current.push(report);
  }
  return runs
    .filter(({ length }) => length > 0)
    .map((run) => ({ ms: median(run.map(({ ms }) => ms)), reports: run }));
}

/** When between two levels it was: not before a packet that came too early for the later one, and where the delay jumps. */
function timeOf(
  fastest: readonly Fastest[],
  delays: readonly { t: number; ms: number }[],
  levels: readonly Level[],
  before: Level,
  after: Level,
): number {
  const step = after.ms - before.ms;
  const way = quantile(
    levels
      .filter((level) => toT(level) >= toT(before) - BESIDE_S && fromT(level) <= fromT(after) + BESIDE_S)
      .flatMap((level) =>
        delays.filter(({ t }) => t >= fromT(level) && t <= toT(level)).map((delay) => delay.ms - level.ms),
      ),
    FREE,
  );
  let [from, to] = [toT(before), fromT(after)];
  for (const { t, ms } of delays) {
    if (t <= from || t >= to) continue;
    const isEarly = ms < before.ms + way + step / 2;
    if (step > 0 && isEarly) from = t;
    else if (step < 0 && isEarly) to = t;
  }
  const inside = fastest.filter(
    ({ jumpMs, jumpT }) => jumpT >= from - 0.001 && jumpT <= to + 0.001 && jumpMs / step > LIKE,
  );
  // Soon after the last that was early (or before the first, if time was gained), and of the right size.
  const edge = step > 0 ? from : to;
  const distance = ({ jumpMs, jumpT }: Fastest): number =>
    Math.abs(jumpMs - step) / JUMP_MS + Math.abs(jumpT - edge) / JUMP_S;
  const [best] = inside.sort((a, b) => distance(a) - distance(b));
  return best?.jumpT ?? edge;
}

/** What is kept of the packets as if nothing had been lost. */
export function withoutStalls(fastest: readonly Fastest[], stalls: readonly Stall[]): Fastest[] {
  return fastest.map((slot) => ({
    ...slot,
    delayMs: slot.delayMs - lostBy(stalls, slot.t),
    reportMs: slot.reportMs - lostBy(stalls, slot.reportT),
  }));
}

export const lostBy = (stalls: readonly Stall[], at: number): number =>
  stalls.reduce((sum, { t, ms }) => (t < at ? sum + ms : sum), 0);
