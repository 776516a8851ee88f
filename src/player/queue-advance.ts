import {
  changed,
  fromStart,
  MAX_FAILURES,
  MAX_HISTORY,
  MAX_QUEUE,
  MIN_REPEATED_MS,
  playName,
  refused,
  SKIP_WINDOW_MS,
  step,
  switched,
  type Loop,
  type QueueEffect,
  type QueueEvent,
  type QueueState,
  type QueueStep,
} from "./queue-state.ts";
import type { Track } from "./track.ts";

type Of<Kind extends QueueEvent["kind"]> = Extract<QueueEvent, { kind: Kind }>;

export function skip(state: QueueState, { meant, nowMs, count = 1 }: Of<"skip">): QueueStep {
  const gone = state.lastSkip !== null && nowMs - state.lastSkip.atMs < SKIP_WINDOW_MS;
  if (gone) return step(state, [{ kind: "already-skipped" }]);
  if (!state.now) return refused(state, "nothing");
  if (meant !== null && meant !== state.now.track.id) return step(state, [{ kind: "already-skipped" }]);
  const skipped = Math.max(1, Math.min(count, state.upcoming.length + 1));
  let after = state;
  for (let index = 0; index < skipped; index++) after = over(after);
  const told: QueueEffect = { kind: "skipped", track: state.now.track, count: skipped };
  return switched(state, { ...after, lastSkip: { atMs: nowMs }, failures: 0 }, [told]);
}

export function finished(state: QueueState, id: string): QueueStep {
  if (!state.now || playName(state) !== id) return step(state, []);
  const { phase, positionMs, track } = state.now;
  const loop = loopOf(state, positionMs);
  const after = loop === "track" ? { ...state, now: fromStart(track) } : over(state, loop);
  // Paused in its last moment: what follows is held then.
  return switched(state, { ...after, now: after.now && { ...after.now, phase }, failures: 0 }, []);
}

export function failed(state: QueueState, id: string, reason: string): QueueStep {
  if (!state.now || playName(state) !== id) return step(state, []);
  const failures = state.failures + 1;
  const told: QueueEffect = { kind: "failed", track: state.now.track, reason };
  // It does not come again, whatever comes again: it would fail again.
  if (failures < MAX_FAILURES) return switched(state, nextOf({ ...state, failures }), [told]);
  // What waits is kept, so that !resume goes on once the cause is gone.
  const waiting = state.upcoming.length;
  return switched(state, { ...state, now: null, failures: 0 }, [
    told,
    { kind: "gave-up", failures, waiting },
  ]);
}

export function stop(state: QueueState): QueueStep {
  if (!state.now && state.upcoming.length === 0) return refused(state, "nothing");
  const history = state.now ? remembered(state.history, state.now.track) : state.history;
  const nothing = { now: null, upcoming: [], loop: "off", failures: 0 } as const;
  return switched(state, { ...state, ...nothing, history }, []);
}

/** What was on before is on, and what was on comes after it. */
export function previous(state: QueueState): QueueStep {
  const { now, upcoming, history, loop } = state;
  const earlier = now
    ? history.slice(0, history.findLastIndex(({ id }) => id !== now.track.id) + 1)
    : history;
  // Where everything comes again, what comes last was on before, as far as anybody remembers.
  const last = loop === "queue" && now ? upcoming.at(-1) : undefined;
  const track = earlier.at(-1) ?? last;
  if (!track) return refused(state, "no_history");
  const others = upcoming.filter(({ id }) => id !== track.id);
  if (now && others.length >= MAX_QUEUE) return refused(state, "full");
  const rest = now ? [now.track, ...others] : others;
  const kept = { history: earlier.slice(0, -1), failures: 0 };
  return switched(state, { ...state, now: fromStart(track), upcoming: rest, ...kept }, []);
}

/** What is on begins again; where nothing is, what was on last. */
export function replay(state: QueueState): QueueStep {
  if (!state.now) return previous(state);
  return switched(state, { ...state, now: fromStart(state.now.track) }, []);
}

export function seek(state: QueueState, { positionMs }: Of<"seek">): QueueStep {
  if (!state.now) return refused(state, "nothing");
  const { durationMs } = state.now.track;
  if (durationMs === null) return refused(state, "live");
  if (positionMs >= durationMs) return refused(state, "beyond");
  return switched(state, { ...state, now: { ...state.now, positionMs: Math.max(0, positionMs) } }, []);
}

export function retry(state: QueueState, { id, hold }: Of<"retry">): QueueStep {
  if (!state.now || playName(state) !== id) return step(state, []);
  const phase = hold ? "paused" : state.now.phase;
  return switched(state, { ...state, now: { ...state.now, phase } }, []);
}

export function loop(state: QueueState, event: Of<"loop">): QueueStep {
  return changed({ ...state, loop: event.loop });
}

/** What comes again, for what is on. @param heardMs how long it is, where it does not say */
function loopOf({ now, loop: wanted }: QueueState, heardMs = Infinity): Loop {
  return (now?.track.durationMs ?? heardMs) < MIN_REPEATED_MS ? "off" : wanted;
}

/** What is on is over: it goes where it belongs, and the next is on. */
function over(state: QueueState, loop = loopOf(state)): QueueState {
  if (!state.now) return state;
  const { track } = state.now;
  const upcoming = loop === "queue" ? [...state.upcoming, track] : state.upcoming;
  return nextOf({ ...state, upcoming, history: remembered(state.history, track) });
}

function nextOf(state: QueueState): QueueState {
  const [track, ...upcoming] = state.upcoming;
  return { ...state, now: track ? fromStart(track) : null, upcoming };
}

const remembered = (history: readonly Track[], track: Track): Track[] =>
  [...history.filter((each, index) => index < history.length - 1 || each.id !== track.id), track].slice(
    -MAX_HISTORY,
  );
