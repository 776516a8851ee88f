import type { Envelope } from "./envelope.ts";
import type { ClockFit } from "./fit.ts";
import type { Timeline } from "./timeline.ts";
import type { ClockMap } from "./types.ts";

/** A fitted clock on the timeline, from `firstRtp` to `endRtp` at least. */
export function clockMap(
  { t, offsetMs }: Pick<ClockFit, "t" | "offsetMs">,
  { firstRtp: rtp0, firstDelayMs }: Pick<Envelope, "firstRtp" | "firstDelayMs">,
  { firstRtp, endRtp }: { firstRtp: number; endRtp: number },
  timeline: Timeline,
): ClockMap {
  const slope = (from: number, to: number): number =>
    to < t.length && from >= 0 && t[to]! > t[from]!
      ? (offsetMs[to]! - offsetMs[from]!) / (t[to]! - t[from]!)
      : 0;
  const known = t.map((at, i) => knotAt(rtp0 + at * 48_000, offsetMs[i]!));
  const last = t.length - 1;
  const t0 = (firstRtp - rtp0) / 48_000;
  const t1 = (endRtp - rtp0) / 48_000;
  const knots = [
    ...(t0 < t[0]! ? [knotAt(firstRtp, offsetMs[0]! + slope(0, 1) * (t0 - t[0]!))] : []),
    ...known,
    ...(t1 > t[last]! ? [knotAt(endRtp, offsetMs[last]! + slope(last - 1, last) * (t1 - t[last]!))] : []),
  ];
  return placed(knots, timeline);

  function knotAt(rtp: number, offset: number): Knot {
    return { rtp, ms: rtp / 48 + firstDelayMs + offset };
  }
}

/** `ms`: when it was captured, since the recording's start. */
interface Knot {
  rtp: number;
  ms: number;
}

function placed(knots: readonly Knot[], timeline: Timeline): ClockMap {
  const edges = timeline.cuts.flatMap(({ fromMs, toMs }) => [fromMs, toMs]);
  const all: Knot[] = [];
  for (const knot of knots) {
    const before = all.at(-1);
    if (before) {
      for (const ms of edges) {
        if (ms <= before.ms || ms >= knot.ms) continue;
        const share = (ms - before.ms) / (knot.ms - before.ms);
        all.push({ ms, rtp: before.rtp + share * (knot.rtp - before.rtp) });
      }
    }
    if (!before || knot.rtp > before.rtp) all.push(knot);
  }
  const samples = Float64Array.from(all, ({ ms }) => timeline.samplesAt(ms));
  for (let i = 1; i < samples.length; i++) samples[i] = Math.max(samples[i]!, samples[i - 1]!);
  return { rtp: Float64Array.from(all, ({ rtp }) => rtp), samples };
}

/** Reads a map for RTP times that mostly rise: remembers where it was. */
export class MapReader {
  readonly #map: ClockMap;
  #piece = 0;

  constructor(map: ClockMap) {
    this.#map = map;
  }

  /** Samples of the timeline, fractions included. */
  at(rtp: number): number {
    const { rtp: knots, samples } = this.#map;
    const last = knots.length - 2;
    if (last < 0) return samples[0]! + rtp - knots[0]!;
    while (this.#piece < last && rtp >= knots[this.#piece + 1]!) this.#piece++;
    while (this.#piece > 0 && rtp < knots[this.#piece]!) this.#piece--;
    const i = this.#piece;
    const rate = (samples[i + 1]! - samples[i]!) / (knots[i + 1]! - knots[i]!);
    return samples[i]! + (rtp - knots[i]!) * rate;
  }
}
