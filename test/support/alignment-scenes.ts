// An hour of senders with everything that goes wrong, the truth known, and how far exported tracks are from it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FramePlacer } from "../../src/recorder/export/align/frame-placer.ts";
import { alignedPackets } from "../../src/recorder/export/align/packets.ts";
import { planTracks } from "../../src/recorder/export/align/plan.ts";
import type { TrackStats } from "../../src/recorder/export/align/types.ts";
import { farEvents, type FarClock } from "./far-clock.ts";
import { Errors, payloadOf, writeFarTrack } from "./far-recording.ts";
import { journalOf } from "./recording.ts";

export const HOUR = 3_600_000;
const MINUTE = 60_000;

export interface AlignmentScene {
  name: string;
  clocks: (seed: number) => FarClock[];
}

const WAY = [{ atMs: 0, thereMs: 25, backMs: 25 }];
const ROUGH = {
  ...{ jitterMs: 6, bursts: { everyMs: 30_000, forMs: 20_000, ms: 150, hereAlone: true }, loss: 0.05 },
  ...{ reordered: 0.02, doubled: 0.005, dtx: true, wanderPpm: 5, reports: { wallPpm: 20 } },
} satisfies Partial<FarClock>;

const hour = (seed: number, more: Partial<FarClock>): FarClock[] => [
  { ...{ seed, fromMs: 2_000, lengthMs: HOUR - 5_000, driftPpm: 200, routes: WAY }, ...ROUGH, ...more },
];
/** Comes and goes `times`, each time with new timestamps, under SSRCs of which every third is the same. */
const comings = (seed: number, times: number): FarClock[] =>
  Array.from({ length: times }, (_, i) => ({
    ...hour(seed + i, { fromMs: 2_000 + (i * HOUR) / times, lengthMs: HOUR / times - 20_000 })[0]!,
    ...{ ssrc: i % 3 === 0 ? 7 : 100 + i, firstTimestamp: (i * 2_654_435_761) >>> 0, driftPpm: -200 },
  }));

/** All with 5 % loss, jitter, one-sided congestion, reordering, doubled packets, DTX, 200 ppm of drift, if not said otherwise. */
export const ALIGNMENT_SCENES: readonly AlignmentScene[] = [
  {
    name: "200 ppm fast, without a pause, a calm network",
    clocks: (seed) =>
      hour(seed, { ...{ dtx: false, loss: 0, reordered: 0, bursts: { everyMs: HOUR, forMs: 1, ms: 0 } } }),
  },
  { name: "200 ppm fast, everything at once", clocks: (seed) => hour(seed, {}) },
  { name: "200 ppm slow, everything at once", clocks: (seed) => hour(seed, { driftPpm: -200 }) },
  { name: "without a pause", clocks: (seed) => hour(seed, { dtx: false }) },
  {
    name: "no sender reports",
    clocks: (seed) =>
      hour(seed, {}).map((clock) => {
        const { reports: _, ...silent } = clock;
        return silent;
      }),
  },
  {
    name: "the route changes four times, mostly one way",
    clocks: (seed) =>
      hour(seed, {
        routes: [
          ...WAY,
          { atMs: 10 * MINUTE, thereMs: 85, backMs: 25 },
          { atMs: 22 * MINUTE, thereMs: 60, backMs: 60 },
          { atMs: 31 * MINUTE, thereMs: 40, backMs: 25 },
          { atMs: 50 * MINUTE, thereMs: 130, backMs: 90 },
        ],
      }),
  },
  {
    name: "the route changes every minute, to and fro",
    clocks: (seed) =>
      hour(seed, {
        routes: Array.from({ length: 60 }, (_, i) => ({
          ...{ atMs: i * MINUTE, thereMs: i % 2 === 0 ? 25 : 65, backMs: i % 2 === 0 ? 25 : 30 },
        })),
      }),
  },
  {
    name: "its clock loses 80 and 600 ms, its wall clock is set twice",
    clocks: (seed) =>
      hour(seed, {
        steps: [
          { atMs: 20 * MINUTE, ms: 80 },
          { atMs: 40 * MINUTE, ms: 600 },
        ],
        reports: {
          wallPpm: -20,
          sets: [
            { atMs: 15 * MINUTE, ms: -4_000 },
            { atMs: 30 * MINUTE, ms: 70 },
          ],
        },
      }),
  },
  {
    name: "its capture stalls 200 times, 10 to 150 ms each",
    clocks: (seed) =>
      hour(seed, {
        steps: Array.from({ length: 200 }, (_, i) => ({
          atMs: 5_000 + i * 17_700,
          ms: 10 + ((i * 37) % 140),
        })),
      }),
  },
  { name: "late, and 12 times anew, an SSRC used again", clocks: (seed) => comings(seed, 12) },
  { name: "40 times anew", clocks: (seed) => comings(seed, 40) },
];

export interface Apartness {
  maxMs: number;
  p99Ms: number;
}

export interface AlignmentFigures {
  /** Of the exact places, that resampled sound has. */
  resampled: Apartness;
  /** Of original packets, moved by whole frames. */
  opus: Apartness;
  corrections: { quiet: number; loud: number };
  stats: TrackStats;
}

/** An hour of one sender, written as it would have arrived, read again and placed, against the truth. */
export async function measureScene(scene: AlignmentScene, seed: number): Promise<AlignmentFigures> {
  const directory = await mkdtemp(join(tmpdir(), "voicebot-hour-"));
  try {
    const events = scene.clocks(seed).flatMap(farEvents);
    await writeFarTrack(directory, "voice-001.mvt", { speaker: "k" }, events);
    const plan = await planTracks(
      directory,
      journalOf([{ kind: "stop", reason: "command", byUserId: null, atMs: HOUR }]),
    );
    const [track] = plan.tracks;
    if (!track) throw new Error("there is no track");
    const [resampled, opus] = [new Errors(), new Errors()];
    const length = payloadOf({ capturedMs: 0, talks: false }).length;
    let cursor = 0;
    const placer = new FramePlacer({
      end: plan.timeline.totalSamples,
      emit: (payload, samples) => {
        if (payload.length >= length) opus.packet({ payload, startSample: cursor });
        cursor += samples;
      },
    });
    for await (const packet of alignedPackets(plan, track)) {
      resampled.packet(packet);
      placer.push(packet);
    }
    const { maxMs, p99Ms } = resampled;
    return {
      ...{ resampled: { maxMs, p99Ms }, opus: { maxMs: opus.maxMs, p99Ms: opus.p99Ms }, stats: track.stats },
      corrections: placer.stats.corrections,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
