import {
  changed,
  fromStart,
  MAX_QUEUE,
  NO_RULES,
  refused,
  step,
  switched,
  type QueueEvent,
  type QueueRules,
  type QueueState,
  type QueueStep,
  type Refusal,
} from "./queue-state.ts";
import type { Track } from "./track.ts";

type Of<Kind extends QueueEvent["kind"]> = Extract<QueueEvent, { kind: Kind }>;

export function add(state: QueueState, { track, next = false, rules = NO_RULES }: Of<"add">): QueueStep {
  const why = refusal(state, track, rules);
  if (why) return refused(state, why);
  const queued = { ...state, upcoming: placed(state, track, next, rules.fair) };
  return state.now ? changed(queued) : begun(queued);
}

export function addMany(state: QueueState, { tracks, next = false, rules }: Of<"add-many">): QueueStep {
  let after = state;
  let left = 0;
  let because: Refusal | null = null;
  for (const track of tracks) {
    const why = refusal(after, track, rules);
    if (why) {
      left++;
      because ??= why;
    } else after = { ...after, upcoming: placed(after, track, false, rules.fair) };
  }
  if (left === tracks.length) return refused(state, because ?? "nothing");
  const before = state.upcoming.length;
  if (next && !rules.fair)
    after = { ...after, upcoming: [...after.upcoming.slice(before), ...state.upcoming] };
  const { state: done, effects } = state.now ? changed(after) : begun(after);
  return step(done, because ? [...effects, { kind: "left-out", count: left, why: because }] : effects);
}

export function remove(state: QueueState, { ids }: Of<"remove">): QueueStep {
  const gone = new Set(ids);
  const tracks = state.upcoming.filter(({ id }) => gone.has(id));
  if (tracks.length === 0) return refused(state, "nothing");
  const upcoming = state.upcoming.filter(({ id }) => !gone.has(id));
  return changed({ ...state, upcoming }, { kind: "removed", tracks });
}

export function clear(state: QueueState): QueueStep {
  if (state.upcoming.length === 0) return refused(state, "nothing");
  return changed({ ...state, upcoming: [] }, { kind: "removed", tracks: state.upcoming });
}

export function move(state: QueueState, { id, to }: Of<"move">): QueueStep {
  const track = state.upcoming.find((each) => each.id === id);
  if (!track) return refused(state, "nothing");
  const others = state.upcoming.filter((each) => each !== track);
  return changed({ ...state, upcoming: others.toSpliced(Math.max(0, to), 0, track) });
}

/** Each order is as likely as any other (Fisher and Yates). */
export function shuffle(state: QueueState, { seed, fair }: Of<"shuffle">): QueueStep {
  if (state.upcoming.length === 0) return refused(state, "nothing");
  const random = mulberry32(seed);
  const rest = [...state.upcoming];
  const upcoming: Track[] = [];
  while (rest.length > 0) upcoming.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return changed(inTurns({ ...state, upcoming }, fair));
}

export const arrange = (state: QueueState): QueueStep => changed(inTurns(state, true));

function refusal(
  { upcoming }: QueueState,
  { requester }: Track,
  { maxPerPerson }: QueueRules,
): Refusal | null {
  if (upcoming.length >= MAX_QUEUE) return "full";
  const own = upcoming.filter((each) => each.requester === requester).length;
  return maxPerPerson > 0 && own >= maxPerPerson ? "limit" : null;
}

/** Something waits and nothing is on: now it is. */
export function begun(state: QueueState): QueueStep {
  const [track, ...upcoming] = state.upcoming;
  const now = track ? fromStart(track) : null;
  return switched(state, { ...state, now, upcoming, failures: 0 }, []);
}

function placed(state: QueueState, track: Track, next: boolean, fair: boolean): Track[] {
  const { upcoming } = state;
  if (!fair) return next ? [track, ...upcoming] : [...upcoming, track];
  const at = turnOf(state, track.requester);
  const result = upcoming.toSpliced(at, 0, track);
  if (!next) return result;
  // Before what is its requester's own: the places that those have stay theirs.
  const own = [track, ...upcoming.filter(({ requester }) => requester === track.requester)];
  return result.map((each) => (each.requester === track.requester ? (own.shift() ?? each) : each));
}

/** Where one more of this person comes: after what they have waiting, before whoever has had more turns by then. */
function turnOf(state: QueueState, requester: string): number {
  const { upcoming } = state;
  const rounds = roundsOf(state);
  const own = upcoming.findLastIndex((each) => each.requester === requester);
  const isOn = state.now?.track.requester === requester ? 1 : 0;
  const round = own === -1 ? isOn : (rounds[own] ?? 0) + 1;
  const later = rounds.findIndex((each, index) => index > own && each > round);
  return later === -1 ? upcoming.length : later;
}

/** In which round of turns each that waits comes, in its present place; what is on was in round 0. */
function roundsOf({ now, upcoming }: QueueState): number[] {
  const had = new Map<string, number>();
  if (now) had.set(now.track.requester, 1);
  return upcoming.map(({ requester }) => {
    const round = had.get(requester) ?? 0;
    had.set(requester, round + 1);
    return round;
  });
}

function inTurns(state: QueueState, fair: boolean): QueueState {
  if (!fair) return state;
  const rounds = roundsOf(state);
  const upcoming = state.upcoming
    .map((track, index) => ({ track, round: rounds[index] ?? 0 }))
    .sort((a, b) => a.round - b.round)
    .map(({ track }) => track);
  return { ...state, upcoming };
}

/** Numbers from 0 to below 1 (Tommy Ettinger's mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
