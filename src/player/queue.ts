import { z } from "zod";

/** What a track is made of, as it is kept: enough to find its bytes again after a restart. */
export const trackSourceSchema = z.discriminatedUnion("kind", [
  /** `path` is relative to the media folder. */
  z.object({ kind: z.literal("library"), path: z.string().min(1).max(4096) }),
  z.object({ kind: z.literal("upload"), mxc: z.string().min(1).max(512) }),
]);
export type StoredSource = z.infer<typeof trackSourceSchema>;

export const trackSchema = z.object({
  /** Unique within the bot's life; the media plane's name for it. */
  id: z.string().min(1).max(64),
  title: z.string().max(500),
  artist: z.string().max(500).nullable(),
  durationMs: z.number().nullable(),
  /** User id. */
  requester: z.string().max(255),
  source: trackSourceSchema,
});
export type Track = z.infer<typeof trackSchema>;

/** The track that is on, `positionMs` into it as last heard of; null when nothing is. */
export type NowPlaying = { track: Track; phase: "playing" | "paused"; positionMs: number };

export interface QueueState {
  readonly now: NowPlaying | null;
  readonly upcoming: readonly Track[];
  /** Percent, 0 to 200. */
  readonly volume: number;
  /** Tracks that failed since the last one that sounded. */
  readonly failures: number;
  readonly lastSkip: { atMs: number } | null;
}

export const MAX_QUEUE = 500;
/** A second !skip within this time means the track that is already gone. */
export const SKIP_WINDOW_MS = 2_000;
export const MAX_FAILURES = 5;

export type QueueEvent =
  | { kind: "add"; track: Track }
  | { kind: "describe"; id: string; title: string; artist: string | null; durationMs: number | null }
  /** `meant` is the track that played when the person said it; null when nothing did. */
  | { kind: "skip"; meant: string | null; nowMs: number }
  | { kind: "stop" }
  | { kind: "pause" }
  | { kind: "resume" }
  | { kind: "volume"; percent: number }
  | { kind: "started"; id: string }
  | { kind: "position"; id: string; positionMs: number }
  | { kind: "finished"; id: string }
  | { kind: "failed"; id: string; reason: string };

export type QueueEffect =
  /** What should sound changed (`now`, its phase, the volume): make the media plane do it. */
  | { kind: "sound" }
  | { kind: "failed"; track: Track; reason: string }
  | { kind: "gave-up"; failures: number; waiting: number }
  | { kind: "skipped"; track: Track }
  | { kind: "already-skipped" }
  | { kind: "refused"; why: "full" | "nothing" }
  /** The queue or what is on changed: keep it. Positions are kept on their own, more cheaply. */
  | { kind: "save" }
  /** Nothing is on. */
  | { kind: "idle" };

export interface QueueStep {
  readonly state: QueueState;
  readonly effects: readonly QueueEffect[];
}

export const emptyQueue: QueueState = { now: null, upcoming: [], volume: 100, failures: 0, lastSkip: null };

/** Decides; does nothing. Events about a track that is not on any more change nothing. */
export function reduceQueue(state: QueueState, event: QueueEvent): QueueStep {
  switch (event.kind) {
    case "add":
      return add(state, event.track);
    case "describe":
      return describe(state, event);
    case "skip":
      return skip(state, event.meant, event.nowMs);
    case "stop":
      if (!state.now && state.upcoming.length === 0) return refused(state, "nothing");
      return step({ ...state, now: null, upcoming: [], failures: 0 }, [
        { kind: "sound" },
        { kind: "save" },
        { kind: "idle" },
      ]);
    case "pause":
      if (state.now?.phase !== "playing") return refused(state, "nothing");
      return step({ ...state, now: { ...state.now, phase: "paused" } }, [
        { kind: "sound" },
        { kind: "save" },
      ]);
    case "resume":
      return resume(state);
    case "volume":
      return step({ ...state, volume: event.percent }, [{ kind: "sound" }, { kind: "save" }]);
    case "started":
      return state.now?.track.id === event.id ? step({ ...state, failures: 0 }, []) : step(state, []);
    case "position":
      if (state.now?.track.id !== event.id) return step(state, []);
      return step({ ...state, now: { ...state.now, positionMs: event.positionMs } }, []);
    case "finished":
      return state.now?.track.id === event.id ? next(state, []) : step(state, []);
    case "failed":
      return failed(state, event.id, event.reason);
  }
}

function add(state: QueueState, track: Track): QueueStep {
  if (state.upcoming.length >= MAX_QUEUE) return refused(state, "full");
  const queued = { ...state, upcoming: [...state.upcoming, track] };
  if (state.now) return step(queued, [{ kind: "save" }]);
  return next({ ...queued, failures: 0 }, []);
}

function describe(
  state: QueueState,
  { id, title, artist, durationMs }: QueueEvent & { kind: "describe" },
): QueueStep {
  const patch = (track: Track): Track => (track.id === id ? { ...track, title, artist, durationMs } : track);
  const now = state.now ? { ...state.now, track: patch(state.now.track) } : null;
  return step({ ...state, now, upcoming: state.upcoming.map(patch) }, [{ kind: "save" }]);
}

function skip(state: QueueState, meant: string | null, nowMs: number): QueueStep {
  const gone = state.lastSkip !== null && nowMs - state.lastSkip.atMs < SKIP_WINDOW_MS;
  if (gone) return step(state, [{ kind: "already-skipped" }]);
  if (!state.now) return refused(state, "nothing");
  if (meant !== null && meant !== state.now.track.id) return step(state, [{ kind: "already-skipped" }]);
  return next({ ...state, lastSkip: { atMs: nowMs } }, [{ kind: "skipped", track: state.now.track }]);
}

function resume(state: QueueState): QueueStep {
  if (state.now?.phase === "paused") {
    return step({ ...state, now: { ...state.now, phase: "playing" } }, [{ kind: "sound" }, { kind: "save" }]);
  }
  if (!state.now && state.upcoming.length > 0) return next({ ...state, failures: 0 }, []);
  return refused(state, "nothing");
}

function failed(state: QueueState, id: string, reason: string): QueueStep {
  if (state.now?.track.id !== id) return step(state, []);
  const failures = state.failures + 1;
  const told: QueueEffect = { kind: "failed", track: state.now.track, reason };
  if (failures < MAX_FAILURES) return next({ ...state, failures }, [told]);
  // What waits is kept, so that !resume goes on once the cause is gone.
  const waiting = state.upcoming.length;
  return step({ ...state, now: null, failures: 0 }, [
    told,
    { kind: "gave-up", failures, waiting },
    { kind: "sound" },
    { kind: "save" },
    { kind: "idle" },
  ]);
}

/** Goes to the next track; whatever was on is over or is replaced by it. */
function next(state: QueueState, before: QueueEffect[]): QueueStep {
  const [track, ...upcoming] = state.upcoming;
  const after: QueueEffect[] = [{ kind: "sound" }, { kind: "save" }];
  if (!track) return step({ ...state, now: null }, [...before, ...after, { kind: "idle" }]);
  const now: NowPlaying = { track, phase: "playing", positionMs: 0 };
  return step({ ...state, now, upcoming }, [...before, ...after]);
}

const step = (state: QueueState, effects: readonly QueueEffect[]): QueueStep => ({ state, effects });
const refused = (state: QueueState, why: "full" | "nothing"): QueueStep =>
  step(state, [{ kind: "refused", why }]);

/**
 * How long until the track at `index` of `upcoming` starts, in ms; null when a track before it has no known length.
 */
export function etaMs(state: QueueState, index: number): number | null {
  let sum = 0;
  if (state.now) {
    if (state.now.track.durationMs === null) return null;
    sum += Math.max(0, state.now.track.durationMs - state.now.positionMs);
  }
  for (const track of state.upcoming.slice(0, index)) {
    if (track.durationMs === null) return null;
    sum += track.durationMs;
  }
  return sum;
}
