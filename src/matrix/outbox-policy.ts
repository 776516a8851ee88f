// What the outbox sends next, and when. Pure: no timers, no I/O; times are the monotonic clock's milliseconds.
//
// The budget. A homeserver gives a user so many events a second over all rooms (Synapse: 0.2, burst 10), and does not say
// how many, nor whether we are exempt. A refused request costs nothing but the wait that the answer names. So:
//
//   open ──────── 429 ────────► limited: the model below is obeyed, and tokens are held back from low priorities,
//   (send at     ◄── 10 min ──  so that a LEFT, an answer or a refresh is never behind a card
//    once)      without a 429
//
// In both states a 429 stops everything until the time that it names. A model token is spent per event sent.

export const PRIORITIES = ["leave", "answer", "offer", "refresh", "candidate", "reply", "card"] as const;
export type Priority = (typeof PRIORITIES)[number];

interface PriorityRule {
  /** Model tokens that must be there in `limited`: what is above one is kept for the priorities before. */
  readonly tokens: number;
  /** How many may wait. */
  readonly limit: number;
  /** After this time waiting, it is of no use any more. Answers may have to wait for two minutes (25 people at once). */
  readonly lifeMs: number;
}

export const RULES: Readonly<Record<Priority, PriorityRule>> = {
  leave: { tokens: 0, limit: 200, lifeMs: 60_000 },
  answer: { tokens: 1, limit: 200, lifeMs: 150_000 },
  offer: { tokens: 2, limit: 200, lifeMs: 60_000 },
  refresh: { tokens: 1, limit: 200, lifeMs: 30_000 },
  candidate: { tokens: 2, limit: 200, lifeMs: 60_000 },
  reply: { tokens: 2, limit: 100, lifeMs: 300_000 },
  card: { tokens: 3, limit: 50, lifeMs: 120_000 },
};

export const MODEL = { perSecond: 0.2, burst: 10 } as const;
/** More than what is kept back from an offer, so that whoever joins is never behind a luxury. */
const SPARE_TOKENS = 3;
/** After so long without a 429 the limit is tried again: the operator may have lifted it. */
export const FORGET_LIMIT_MS = 600_000;
/** At most so many requests at once, one of them per room; a LEFT may go beside them. */
export const MAX_IN_FLIGHT = 4;

export interface Item {
  readonly id: number;
  readonly roomId: string;
  readonly priority: Priority;
  /** A newer item with the same key takes the place of a waiting one: own membership, edits of a card. */
  readonly coalesceKey: string | null;
  readonly enqueuedMs: number;
}

export interface OutboxState {
  /** Oldest first. */
  readonly waiting: readonly Item[];
  readonly inFlight: readonly Item[];
  readonly tokens: number;
  readonly tokensAtMs: number;
  /** Nothing is sent before. */
  readonly blockedUntilMs: number;
  /** When the last 429 came; null: open. */
  readonly limitedAtMs: number | null;
}

export function emptyOutbox(nowMs: number): OutboxState {
  return {
    waiting: [],
    inFlight: [],
    tokens: MODEL.burst,
    tokensAtMs: nowMs,
    blockedUntilMs: 0,
    limitedAtMs: null,
  };
}

/** `dropped` are items that the new one pushed out: `replaced` by it, or too many (it may be the new one itself). */
export interface Enqueued {
  readonly state: OutboxState;
  readonly replaced: Item | null;
  readonly overflow: Item | null;
}

/** Adds an item. A replaced one gives it its place in the queue; of too many, the oldest of its priority goes. */
export function enqueue(state: OutboxState, item: Item): Enqueued {
  const place =
    item.coalesceKey === null
      ? -1
      : state.waiting.findIndex((other) => other.coalesceKey === item.coalesceKey);
  if (place >= 0) {
    const replaced = state.waiting[place] ?? null;
    const waiting = state.waiting.with(place, item);
    return { state: { ...state, waiting }, replaced, overflow: null };
  }
  const waiting = [...state.waiting, item];
  const same = waiting.filter((other) => other.priority === item.priority);
  const overflow = same.length > RULES[item.priority].limit ? (same[0] ?? null) : null;
  return {
    state: { ...state, waiting: waiting.filter((other) => other !== overflow) },
    replaced: null,
    overflow,
  };
}

/** Takes a waiting item out, because its sender does not want it any more. */
export function remove(state: OutboxState, id: number): OutboxState {
  return { ...state, waiting: state.waiting.filter((item) => item.id !== id) };
}

/** Splits off what waited for longer than it is worth. */
export function expire(state: OutboxState, nowMs: number): { state: OutboxState; expired: readonly Item[] } {
  const isOld = (item: Item): boolean => nowMs - item.enqueuedMs >= RULES[item.priority].lifeMs;
  const expired = state.waiting.filter(isOld);
  if (expired.length === 0) return { state, expired };
  return { state: { ...state, waiting: state.waiting.filter((item) => !isOld(item)) }, expired };
}

export type Decision =
  | { readonly kind: "send"; readonly item: Item }
  /** Ask again at this time, or when something changes. */
  | { readonly kind: "wait"; readonly untilMs: number }
  /** Ask again when something changes. */
  | { readonly kind: "idle" };

/** What to send now: the first by priority, then by age, whose room is free and whose tokens are there. */
export function decide(state: OutboxState, nowMs: number): Decision {
  if (state.waiting.length === 0) return { kind: "idle" };
  const deadlineMs = Math.min(...state.waiting.map((item) => item.enqueuedMs + RULES[item.priority].lifeMs));
  if (nowMs < state.blockedUntilMs) {
    return { kind: "wait", untilMs: Math.min(state.blockedUntilMs, deadlineMs) };
  }
  const tokens = tokensAt(state, nowMs);
  const limited = isLimited(state, nowMs);
  let needed = Infinity;
  for (const priority of PRIORITIES) {
    const item = state.waiting.find((other) => other.priority === priority && isFree(state, other));
    if (item === undefined) continue;
    if (!limited || tokens >= RULES[priority].tokens) return { kind: "send", item };
    needed = Math.min(needed, RULES[priority].tokens);
  }
  const refilledMs = nowMs + Math.ceil(((needed - tokens) / MODEL.perSecond) * 1000);
  return { kind: "wait", untilMs: Math.min(refilledMs, deadlineMs) };
}

/** One at a time per room, because order counts; a LEFT waits only for another write of the same key. */
function isFree(state: OutboxState, item: Item): boolean {
  if (item.priority === "leave") {
    return state.inFlight.every(
      (other) => other.coalesceKey === null || other.coalesceKey !== item.coalesceKey,
    );
  }
  return (
    state.inFlight.length < MAX_IN_FLIGHT && state.inFlight.every((other) => other.roomId !== item.roomId)
  );
}

/** The item is on the wire. */
export function started(state: OutboxState, item: Item, nowMs: number): OutboxState {
  return {
    ...remove(state, item.id),
    inFlight: [...state.inFlight, item],
    // A debt is bounded, so that an exempt time is not paid for later.
    tokens: Math.max(tokensAt(state, nowMs) - 1, -1),
    tokensAtMs: nowMs,
  };
}

/** The homeserver took it, or refused it for good. */
export function settled(state: OutboxState, id: number): OutboxState {
  return { ...state, inFlight: state.inFlight.filter((item) => item.id !== id) };
}

/**
 * It has to be sent again, as the first of its priority; unless a newer one with its key waits by now (`replacedBy`), or
 * it is a membership write that a LEFT of the same key overtook.
 */
export function returned(state: OutboxState, id: number): { state: OutboxState; replacedBy: Item | null } {
  const item = state.inFlight.find((other) => other.id === id);
  const settledState = settled(state, id);
  if (item === undefined) return { state: settledState, replacedBy: null };
  const replacedBy =
    item.coalesceKey === null
      ? null
      : (state.waiting.find((other) => other.coalesceKey === item.coalesceKey) ?? null);
  if (replacedBy !== null) return { state: settledState, replacedBy };
  return { state: { ...settledState, waiting: [item, ...settledState.waiting] }, replacedBy: null };
}

/** A 429: everything waits, and the model learns that at the end of the wait there is one token. */
export function refused(state: OutboxState, nowMs: number, retryAfterMs: number): OutboxState {
  return {
    ...state,
    blockedUntilMs: Math.max(state.blockedUntilMs, nowMs + retryAfterMs),
    tokens: Math.min(tokensAt(state, nowMs), 1 - (retryAfterMs / 1000) * MODEL.perSecond),
    tokensAtMs: nowMs,
    limitedAtMs: nowMs,
  };
}

/** The homeserver is not there: everything waits. */
export function paused(state: OutboxState, nowMs: number, delayMs: number): OutboxState {
  return { ...state, blockedUntilMs: Math.max(state.blockedUntilMs, nowMs + delayMs) };
}

export function isLimited(state: OutboxState, nowMs: number): boolean {
  return state.limitedAtMs !== null && nowMs - state.limitedAtMs < FORGET_LIMIT_MS;
}

/** Whether what nobody has to have may be sent: there is no limit, or enough for it after all that is kept back. */
export function hasSpare(state: OutboxState, nowMs: number): boolean {
  if (nowMs < state.blockedUntilMs) return false;
  return !isLimited(state, nowMs) || tokensAt(state, nowMs) - state.waiting.length >= SPARE_TOKENS;
}

/** Events that the model lets go at once, now. */
export function tokensAt(state: OutboxState, nowMs: number): number {
  return Math.min(MODEL.burst, state.tokens + ((nowMs - state.tokensAtMs) / 1000) * MODEL.perSecond);
}
