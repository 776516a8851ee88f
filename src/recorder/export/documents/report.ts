import type { TrackPlan } from "../align/types.ts";
import type { ExportFormat } from "../../exporter.ts";
import type { MeteredTrack } from "../pcm/mixdown.ts";
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
  metered: MeteredTrack;
  /** Null for music. */
  speech: Speech | null;
  format: ExportFormat;
  residueMs: number;
  totalMs: number;
}

/** -dBov; what is quieter counts as nothing to hear. */
const SILENT = 60;
const LEVEL_MS = 50;

export function reportOf({ track, metered, speech, format, residueMs, totalMs }: ReportParts): TrackReport {
  const { stats } = track;
  const loud = metered.levels.reduce((count, level) => count + (level < SILENT ? 1 : 0), 0);
  const silentMs = Math.max(0, totalMs - loud * LEVEL_MS);
  return {
    hasClock: track.hasClock,
    channels: track.channels,
    firstMs: round(track.firstSample / 48),
    alignment: {
      uncertaintyMs: round(stats.uncertaintyMs),
      residueMs: format === "opus" ? round(residueMs) : 0,
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
