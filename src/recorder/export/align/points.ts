import type { Fastest } from "./envelope.ts";

/** The fastest packet of a while: its time in s since the clock's first packet, its delay, and the shortest round trip then. */
export interface Point {
  t: number;
  ms: number;
  roundTripMs: number;
}

/** The fastest packet of each `widthS`, drift taken out. */
export function thin(fastest: readonly Fastest[], drift: number, widthS: number): Point[] {
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
