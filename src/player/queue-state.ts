import { NO_FILTERS, type Filters } from "../media/messages.ts";
import type { StoredSource, Track } from "./track.ts";

/** The track that is on, `positionMs` into it as last heard of; null when nothing is. */
export type NowPlaying = {
  track: Track;
  phase: "playing" | "paused";
  positionMs: number;
  /** What a stream says is on in it. Not kept: it says so again. */
  onAir?: string;
};

export const LOOPS = ["off", "track", "queue"] as const;
/** What comes again when it is over: nothing, the track, or everything in turn. */
export type Loop = (typeof LOOPS)[number];

export interface QueueState {
  readonly now: NowPlaying | null;
  /** How often what is on was started anew since it came on; see `playName`. */
  readonly take: number;
  readonly upcoming: readonly Track[];
  /** What was on before, the latest last. A track that comes again may be in the queue as well. */
  readonly history: readonly Track[];
  readonly loop: Loop;
  /** Percent, 0 to 200. */
  readonly volume: number;
  /** How everything here is made to sound. */
  readonly filters: Filters;
  /** Tracks that failed since the last one that was heard for `HEARD_MS`, to its end, or until somebody skipped it. */
  readonly failures: number;
  readonly lastSkip: { atMs: number } | null;
}

/** What the room has set about its queue. */
export interface QueueRules {
  /** People take turns, however much one of them adds. */
  readonly fair: boolean;
  /** Tracks of one person that may wait; 0: as many as fit. */
  readonly maxPerPerson: number;
}
export const NO_RULES: QueueRules = { fair: false, maxPerPerson: 0 };

export const MAX_QUEUE = 500;
export const MAX_HISTORY = 50;
/** A second !skip within this time means the track that is already gone. */
export const SKIP_WINDOW_MS = 2_000;
export const MAX_FAILURES = 5;
/** What gets so far is a track that can be played: others break off in their first seconds, each with a message of its own. */
export const HEARD_MS = 10_000;
/** What is shorter does not come again: each time costs a process. */
export const MIN_REPEATED_MS = 2_000;

export type QueueEvent =
  /** `next`: before what waits. Where people take turns only before what its requester has waiting. */
  | { kind: "add"; track: Track; next?: boolean; rules?: QueueRules }
  /** As many as fit. `next`: before what waits, unless people take turns. */
  | { kind: "add-many"; tracks: readonly Track[]; next?: boolean; rules: QueueRules }
  | { kind: "describe"; id: string; title: string; artist: string | null; durationMs: number | null }
  /**
   * `meant` is the track that played when the person said it; null when nothing did. `count` of them, default 1: what is
   * on and the first that wait.
   */
  | { kind: "skip"; meant: string | null; nowMs: number; count?: number }
  /** Of those that wait. Who is not there any more is passed over. */
  | { kind: "remove"; ids: readonly string[] }
  /** To the place `to` among those that wait, from 0. */
  | { kind: "move"; id: string; to: number }
  /** The same seed and queue make the same order. */
  | { kind: "shuffle"; seed: number; fair: boolean }
  /** People take turns from now on: what waits is put in that order. */
  | { kind: "arrange" }
  | { kind: "clear" }
  | { kind: "loop"; loop: Loop }
  | { kind: "previous" }
  | { kind: "replay" }
  | { kind: "seek"; positionMs: number }
  /** The play of this name stands still: it is started anew from where it was; `hold`: when somebody says so. */
  | { kind: "retry"; id: string; hold: boolean }
  | { kind: "stop" }
  | { kind: "pause" }
  | { kind: "resume" }
  | { kind: "volume"; percent: number }
  | { kind: "filters"; filters: Filters }
  /** From here on `id` is the play's name, see `playName`: what an earlier play of the track says changes nothing. */
  | { kind: "position"; id: string; positionMs: number }
  /** What is at this address does not end. */
  | { kind: "streams"; url: string; source: Extract<StoredSource, { kind: "stream" }> }
  /** What a stream says is on in it; null: nothing. */
  | { kind: "on-air"; id: string; title: string | null }
  | { kind: "finished"; id: string }
  | { kind: "failed"; id: string; reason: string };

/** Why nothing was changed: no place, nothing there, too many of one person, nothing before it, without length, too short. */
export type Refusal = "full" | "nothing" | "limit" | "no_history" | "live" | "beyond";

export type QueueEffect =
  /** What should sound changed (`now`, its phase, the volume, the filters): make the media plane do it. */
  | { kind: "sound" }
  | { kind: "failed"; track: Track; reason: string }
  | { kind: "gave-up"; failures: number; waiting: number }
  /** `track` was on; `count` with those that waited. */
  | { kind: "skipped"; track: Track; count: number }
  | { kind: "already-skipped" }
  /** Did not fit: how many, and why. */
  | { kind: "left-out"; count: number; why: Refusal }
  | { kind: "removed"; tracks: readonly Track[] }
  | { kind: "refused"; why: Refusal }
  /** The queue or what is on changed: keep it. Positions are kept on their own, more cheaply. */
  | { kind: "save" }
  /** Nothing is on. */
  | { kind: "idle" };

export interface QueueStep {
  readonly state: QueueState;
  readonly effects: readonly QueueEffect[];
}

export const emptyQueue: QueueState = {
  now: null,
  take: 0,
  upcoming: [],
  history: [],
  loop: "off",
  volume: 100,
  filters: NO_FILTERS,
  failures: 0,
  lastSkip: null,
};

/**
 * The media plane's name for what should sound, at most 64 characters; null when nothing should. The same track has
 * another name each time it is started anew, so that what is still said of the time before is not taken for it.
 */
export function playName({ now, take }: QueueState): string | null {
  if (!now) return null;
  return take === 0 ? now.track.id : `${now.track.id}.${take}`;
}

export const step = (state: QueueState, effects: readonly QueueEffect[]): QueueStep => ({ state, effects });

export const refused = (state: QueueState, why: Refusal): QueueStep =>
  step(state, [{ kind: "refused", why }]);

export const changed = (state: QueueState, ...more: readonly QueueEffect[]): QueueStep =>
  step(state, [...more, { kind: "save" }]);

/** Something else is on from now on, or the same from another place: `after` has it, `before` what was on until now. */
export function switched(before: QueueState, after: QueueState, told: readonly QueueEffect[]): QueueStep {
  const again = after.now !== null && before.now?.track.id === after.now.track.id;
  const effects: QueueEffect[] = [...told, { kind: "sound" }, { kind: "save" }];
  if (!after.now) effects.push({ kind: "idle" });
  return step({ ...after, take: again ? before.take + 1 : 0 }, effects);
}

/** On from its beginning. */
export const fromStart = (track: Track): NowPlaying => ({ track, phase: "playing", positionMs: 0 });
