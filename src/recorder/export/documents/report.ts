import type { TrackPlan } from "../align/types.ts";
import type { Metered } from "../pcm/meter.ts";
import type { Speech } from "./speech.ts";

/** How good one track is: what a sound engineer asks before using it. */
export interface TrackReport {
  /** Whether the sender's clock came with it. Without, its place is that of arrival. */
  hasClock: boolean;
  channels: 1 | 2;
  /** When it first sounds. */
  firstMs: number;
  alignment: {
    /** What is not known better of where it belongs. */
    uncertaintyMs: number;
    /** How far the file is from the model at most: original Opus can only be moved by whole frames. 0 for resampled sound. */
    residueMs: number;
    roundTripMs: number | null;
    /** How much faster the sender's clock runs than ours; null when it was heard for too short a time. Resampled sound has it taken out. */
    driftPpm: number | null;
    clockSteps: number;
    routeChanges: number;
  };
  packets: {
    received: number;
    lost: number;
    lostPercent: number;
    reordered: number;
    duplicates: number;
    /** No Opus, or without a place. */
    unusable: number;
  };
  gaps: { count: number; lengthMs: number };
  level: {
    peakDbfs: number | null;
    /** RMS of what sounds. */
    loudDbov: number | null;
    clippedMs: number;
    /** How long there is nothing to hear in the whole track, and its share of it. */
    silentMs: number;
    silentPercent: number;
  };
  speech: { talkMs: number; turns: number; longestTurnMs: number; overlapMs: number } | null;
}

export interface ReportParts {
  track: TrackPlan;
  /** `loudMs`: how long there is something to hear. */
  metered: Metered & { loudMs: number; damaged: number; misplaced: number };
  /** Null for music. */
  speech: Speech | null;
  /** 0 where sound was resampled. */
  residueMs: number;
  totalMs: number;
}

export function reportOf({ track, metered, speech, residueMs, totalMs }: ReportParts): TrackReport {
  const { stats } = track;
  const silentMs = Math.max(0, totalMs - metered.loudMs);
  return {
    hasClock: track.hasClock,
    channels: track.channels,
    firstMs: round(track.firstSample / 48),
    alignment: {
      uncertaintyMs: round(stats.uncertaintyMs),
      residueMs: round(residueMs),
      roundTripMs: stats.roundTripMs === null ? null : round(stats.roundTripMs),
      driftPpm: stats.driftPpm === null ? null : round(stats.driftPpm),
      clockSteps: stats.clockSteps,
      routeChanges: stats.routeChanges,
    },
    packets: {
      received: stats.packets,
      lost: stats.lost,
      lostPercent: round(stats.lostPercent),
      reordered: stats.reordered,
      duplicates: stats.duplicates,
      unusable: Math.max(stats.damaged, metered.damaged) + metered.misplaced,
    },
    gaps: { count: stats.gaps, lengthMs: round(stats.gapMs) },
    level: {
      peakDbfs: metered.peakDbfs,
      loudDbov: metered.levelDbov,
      clippedMs: round(metered.clippedSamples / track.channels / 48),
      silentMs: round(silentMs),
      silentPercent: round((100 * silentMs) / Math.max(1, totalMs)),
    },
    speech: speech && {
      talkMs: speech.talkMs,
      turns: speech.turns.length,
      longestTurnMs: speech.longestTurnMs,
      overlapMs: speech.overlapMs,
    },
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
