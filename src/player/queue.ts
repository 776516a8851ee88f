import { failed, finished, loop, previous, replay, retry, seek, skip, stop } from "./queue-advance.ts";
import { add, addMany, arrange, begun, clear, move, remove, shuffle } from "./queue-order.ts";
import { changed, HEARD_MS, playName, refused, step } from "./queue-state.ts";
import type { QueueEvent, QueueState, QueueStep } from "./queue-state.ts";
import type { Track } from "./track.ts";

export * from "./queue-state.ts";
export * from "./track.ts";

/** Decides; does nothing. Events about a track that is not on any more change nothing. */
export function reduceQueue(state: QueueState, event: QueueEvent): QueueStep {
  switch (event.kind) {
    case "add":
      return add(state, event);
    case "add-many":
      return addMany(state, event);
    case "describe":
      return describe(state, event);
    case "skip":
      return skip(state, event);
    case "remove":
      return remove(state, event);
    case "move":
      return move(state, event);
    case "shuffle":
      return shuffle(state, event);
    case "arrange":
      return arrange(state);
    case "clear":
      return clear(state);
    case "loop":
      return loop(state, event);
    case "previous":
      return previous(state);
    case "replay":
      return replay(state);
    case "seek":
      return seek(state, event);
    case "retry":
      return retry(state, event);
    case "stop":
      return stop(state);
    case "pause":
      if (state.now?.phase !== "playing") return refused(state, "nothing");
      return changed({ ...state, now: { ...state.now, phase: "paused" } }, { kind: "sound" });
    case "resume":
      return resume(state);
    case "volume":
      return changed({ ...state, volume: event.percent }, { kind: "sound" });
    case "filters":
      return changed({ ...state, filters: event.filters }, { kind: "sound" });
    case "position":
      return position(state, event);
    case "streams":
      return streams(state, event);
    case "on-air":
      return onAir(state, event);
    case "finished":
      return finished(state, event.id);
    case "failed":
      return failed(state, event.id, event.reason);
  }
}

function describe(
  state: QueueState,
  { id, title, artist, durationMs }: QueueEvent & { kind: "describe" },
): QueueStep {
  const patch = (track: Track): Track => (track.id === id ? { ...track, title, artist, durationMs } : track);
  const now = state.now ? { ...state.now, track: patch(state.now.track) } : null;
  const { upcoming, history } = state;
  return changed({ ...state, now, upcoming: upcoming.map(patch), history: history.map(patch) });
}

function position(state: QueueState, { id, positionMs }: QueueEvent & { kind: "position" }): QueueStep {
  if (!state.now || playName(state) !== id) return step(state, []);
  const failures = positionMs >= HEARD_MS ? 0 : state.failures;
  return step({ ...state, now: { ...state.now, positionMs }, failures }, []);
}

/** What has turned out to be a stream is kept as one. */
function streams(state: QueueState, { url, source }: QueueEvent & { kind: "streams" }): QueueStep {
  const patch = (track: Track): Track =>
    track.source.kind === "url" && track.source.url === url ? { ...track, source } : track;
  const now = state.now && { ...state.now, track: patch(state.now.track) };
  return changed({ ...state, now, upcoming: state.upcoming.map(patch) });
}

function onAir(state: QueueState, { id, title }: QueueEvent & { kind: "on-air" }): QueueStep {
  if (!state.now || playName(state) !== id) return step(state, []);
  const { onAir: before, ...now } = state.now;
  if ((before ?? null) === title) return step(state, []);
  return changed({ ...state, now: title === null ? now : { ...now, onAir: title } });
}

function resume(state: QueueState): QueueStep {
  if (state.now?.phase === "paused") {
    return changed({ ...state, now: { ...state.now, phase: "playing" } }, { kind: "sound" });
  }
  if (!state.now && state.upcoming.length > 0) return begun(state);
  return refused(state, "nothing");
}

/** How it would be if what is on finished now. */
export function following(state: QueueState): QueueState {
  const id = playName(state);
  return id === null ? state : finished(state, id).state;
}

/**
 * How long until the track at `index` of `upcoming` starts, in ms; null when a track before it has no known length, or
 * what is on comes again and again.
 */
export function etaMs(state: Timed, index: number): number | null {
  return etasMs(state)[index] ?? null;
}

type Timed = Pick<QueueState, "now" | "upcoming" | "loop" | "filters">;

/** `etaMs` of each that waits. */
export function etasMs({ now, upcoming, loop: repeated, filters: { speed } }: Timed): (number | null)[] {
  let sum: number | null = 0;
  if (now) {
    const { durationMs } = now.track;
    const known = durationMs !== null && repeated !== "track";
    sum = known ? Math.max(0, durationMs - now.positionMs) / speed : null;
  }
  return upcoming.map(({ durationMs }) => {
    const eta = sum;
    sum = sum === null || durationMs === null ? null : sum + durationMs / speed;
    return eta;
  });
}
