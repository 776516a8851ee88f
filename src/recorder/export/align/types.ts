// What the time model gives to who writes files: where every packet of every track belongs on one common timeline.
// Samples are at 48 kHz and count from the recording's start; paused time is not in them.
import type { Owner } from "../sources.ts";

/**
 * A straight piece-by-piece map from one clock's RTP time (extended: without wrap-around) to samples of the timeline. Before the
 * first knot and behind the last one it goes on at the slope of the piece beside it. Knots are at most one in ten seconds.
 */
export interface ClockMap {
  /** RTP time of the knots, strictly rising. */
  readonly rtp: Float64Array;
  /** Their place, fractions of a sample, never falling; before the start it is negative. */
  readonly samples: Float64Array;
}

/** One run of one sender's clock: an SSRC of one file whose timestamps do not leap. */
export interface ClockSegment {
  readonly path: string;
  readonly file: string;
  readonly ssrc: number;
  /** Which clock of its file it is. */
  readonly index: number;
  readonly hasClock: boolean;
  readonly map: ClockMap;
  /** RTP time of its first packet and behind its last one, extended. */
  readonly firstRtp: number;
  readonly endRtp: number;
  readonly stats: ClockStats;
}

export interface ClockStats {
  readonly packets: number;
  /** How much faster the sender's clock runs than this machine's; null when it was heard for too short a time to say. */
  readonly driftPpm: number | null;
  /** Of its fastest way; null when nobody measured it (then nothing is taken off the arrivals). */
  readonly roundTripMs: number | null;
  /** Times the network's delay changed for good, which moved nothing. */
  readonly routeChanges: number;
  /** Times the sender's clock itself lost or won time, which was followed. */
  readonly clockSteps: number;
  /** How far the fastest packets of a while were from the model, 95th percentile: what is not known better. */
  readonly uncertaintyMs: number;
}

/** What became of a speaker's packets, by their sequence numbers. */
export interface TrackStats {
  /** Received, without doubled ones. */
  packets: number;
  /** Never received, and their share of what was sent, percent. */
  lost: number;
  lostPercent: number;
  /** Came after one that was sent later. */
  reordered: number;
  duplicates: number;
  /** Not Opus, or of a clock too many. */
  damaged: number;
  /** Stretches of more than 120 ms in which packets were lost or could not be written, and how long they were together. */
  gaps: number;
  gapMs: number;
  /** Of the clock that was heard longest; null as there. */
  driftPpm: number | null;
  roundTripMs: number | null;
  routeChanges: number;
  clockSteps: number;
  uncertaintyMs: number;
}

/** One output: a person under one state key, over all its rejoins; or the bot's music. */
export interface TrackPlan {
  readonly what: "voice" | "music";
  readonly owner: Owner;
  /** 2 when any packet is coded in stereo. */
  readonly channels: 1 | 2;
  /** False when some of it came without the sender's clock: its place is best effort. */
  readonly hasClock: boolean;
  /** By first sound. */
  readonly segments: readonly ClockSegment[];
  /** Where it begins to sound. */
  readonly firstSample: number;
  readonly stats: TrackStats;
}

/** A packet at its place. Starts never fall, and no packet begins before the one in front of it ends. */
export interface AlignedPacket {
  /** The Opus packet as it came: a copy that may be kept. */
  payload: Uint8Array;
  /** How long it sounds by its own account. */
  samples: number;
  /** Exact place of its first sample, and of the one behind its last: `endSample - startSample` differs from `samples` by the drift. */
  startSample: number;
  endSample: number;
  /** Goes on exactly where the packet before it ended, by the sender's clock. False after loss, silence, another clock. */
  contiguous: boolean;
  /** Packets missing directly before it, by sequence number; 0 where the sender itself was silent. */
  lostBefore: number;
  /** What is missing before it is so short, and surely loss, that a decoder may conceal it (at most 120 ms). */
  concealable: boolean;
  /** First of another clock: a decoder begins anew. */
  fresh: boolean;
  /** As the sender said it, 0 to -127 dBov; null: not said. */
  levelDbov: number | null;
}

/** Packets that have no place in the output, counted while its packets are read. */
export interface Misplaced {
  /** Later than any wait, or where another packet already is. */
  late: number;
  /** Before the start, behind the end, in paused time. */
  outside: number;
}
