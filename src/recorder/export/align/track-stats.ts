import type { ScannedClock, Share } from "./scan.ts";
import type { TrackStats } from "./types.ts";

/** One output's packets and clocks in sum. A clock that two owners had counts for who had more of it. */
export function trackStats(
  parts: readonly { clock: ScannedClock; share: Share }[],
  damaged: number,
): TrackStats {
  const mine = parts.filter(({ clock, share }) =>
    clock.shares.every(({ packets }) => packets <= share.packets),
  );
  const counted = mine.length > 0 ? mine : parts;
  const sum = (of: (clock: ScannedClock) => number): number =>
    counted.reduce((total, { clock }) => total + of(clock), 0);
  const packets = sum(({ counts }) => counts.packets);
  const lost = sum(({ counts }) => counts.lost);
  const longest = counted.reduce((a, b) => (length(b.clock) > length(a.clock) ? b : a)).clock.fit;
  return {
    ...{ packets, lost, lostPercent: packets + lost === 0 ? 0 : (100 * lost) / (packets + lost), damaged },
    reordered: sum(({ counts }) => counts.reordered),
    duplicates: sum(({ counts }) => counts.duplicates),
    gaps: sum(({ counts }) => counts.gaps),
    gapMs: sum(({ counts }) => counts.gapMs),
    driftPpm: longest.driftPpm,
    roundTripMs: longest.roundTripMs,
    routeChanges: sum(({ fit }) => fit.routeChanges),
    clockSteps: sum(({ fit }) => fit.clockSteps),
    uncertaintyMs: longest.uncertaintyMs,
  };
}

const length = ({ firstRtp, endRtp }: ScannedClock): number => endRtp - firstRtp;
