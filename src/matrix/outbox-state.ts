// The outbox's state and what happens to it; when what is sent is outbox-policy.ts. Pure; times are the monotonic clock's
// milliseconds.

export const PRIORITIES = [
  "leave",
  "restore",
  "answer",
  "offer",
  "refresh",
  "candidate",
  "reply",
  "card",
] as const;
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
  restore: { tokens: 1, limit: 200, lifeMs: 55_000 },
  answer: { tokens: 1, limit: 200, lifeMs: 150_000 },
  offer: { tokens: 2, limit: 200, lifeMs: 150_000 },
  refresh: { tokens: 1, limit: 200, lifeMs: 55_000 },
  candidate: { tokens: 2, limit: 200, lifeMs: 60_000 },
  reply: { tokens: 4, limit: 100, lifeMs: 300_000 },
  card: { tokens: 6, limit: 50, lifeMs: 120_000 },
};

/** Those of membership, when they have a key to coalesce by. */
const MEMBERSHIP: ReadonlySet<Priority> = new Set(["leave", "restore", "refresh"]);

export const MODEL = { perSecond: 0.2, burst: 10 } as const;
/** At most one of so many events is a refresh that goes before a waiting answer. */
export const REFRESH_SHARE = 3;
/** So many events beyond what the model allows tell that the limit is another, or lifted. */
const LIFTED_TOKENS = -2;
/** A debt is bounded, so that an exempt time is not paid for later. */
const MAX_DEBT = -8;
/** A membership that was not refreshed for so long is none: we are not in that channel any more. */
const FORGET_WRITE_MS = 120_000;
/** After so long without a 429 the limit is tried again: the operator may have lifted it. */
export const FORGET_LIMIT_MS = 600_000;

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
  /** By a limit nothing is sent before. */
  readonly blockedUntilMs: number;
  /** Nor before this, while the homeserver is not well. */
  readonly pausedUntilMs: number;
  /** When the last 429 came; null: none. */
  readonly limitedAtMs: number | null;
  /** More was taken than the default limit allows, and no 429 since. */
  readonly lifted: boolean;
  /** By coalesce key, when the membership that stands was written. One for each channel that we are in. */
  readonly writtenMs: ReadonlyMap<string, number>;
  /** Events since the last refresh. */
  readonly sinceRefresh: number;
  /** When a reply or a card was last sent. */
  readonly lowAtMs: number;
}

export function emptyOutbox(nowMs: number): OutboxState {
  return {
    waiting: [],
    inFlight: [],
    tokens: MODEL.burst,
    tokensAtMs: nowMs,
    blockedUntilMs: 0,
    pausedUntilMs: 0,
    limitedAtMs: null,
    lifted: false,
    writtenMs: new Map(),
    sinceRefresh: REFRESH_SHARE,
    lowAtMs: -Infinity,
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

/** The item is on the wire. */
export function started(state: OutboxState, item: Item, nowMs: number): OutboxState {
  return {
    ...remove(state, item.id),
    inFlight: [...state.inFlight, item],
    tokens: Math.max(tokensAt(state, nowMs) - 1, MAX_DEBT),
    tokensAtMs: nowMs,
    sinceRefresh: item.priority === "refresh" ? 0 : state.sinceRefresh + 1,
    lowAtMs: isLow(item.priority) ? nowMs : state.lowAtMs,
  };
}

/** The homeserver took it, or refused it for good, or it was given up. */
export function settled(state: OutboxState, id: number): OutboxState {
  return { ...state, inFlight: state.inFlight.filter((item) => item.id !== id) };
}

/** The homeserver took what was put on the wire at `startedMs`. */
export function taken(state: OutboxState, id: number, startedMs: number, nowMs: number): OutboxState {
  const item = state.inFlight.find((other) => other.id === id);
  const rest = settled(state, id);
  if (item === undefined) return rest;
  // What else is on its way is not known to be taken.
  const isBeyond = tokensAt(rest, nowMs) + rest.inFlight.length <= LIFTED_TOKENS;
  const lifted = rest.lifted || (isBeyond && !isLimited(rest, nowMs));
  const { coalesceKey, priority } = item;
  if (coalesceKey === null || !MEMBERSHIP.has(priority)) return { ...rest, lifted };
  const writtenMs = new Map([...rest.writtenMs].filter(([, atMs]) => nowMs - atMs < FORGET_WRITE_MS));
  if (priority === "leave") writtenMs.delete(coalesceKey);
  else writtenMs.set(coalesceKey, startedMs);
  return { ...rest, lifted, writtenMs };
}

/**
 * It has to be sent again, as the first of its priority; unless a newer one with its key waits by now (`replacedBy`), or
 * it is a membership write that a LEFT of the same key overtook.
 */
export function returned(state: OutboxState, id: number): { state: OutboxState; replacedBy: Item | null } {
  const item = state.inFlight.find((other) => other.id === id);
  // A refresh that did not get through has not had its turn.
  const sinceRefresh = item?.priority === "refresh" ? REFRESH_SHARE : state.sinceRefresh;
  const settledState = { ...settled(state, id), sinceRefresh };
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
    tokens: 1 - (retryAfterMs / 1000) * MODEL.perSecond,
    tokensAtMs: nowMs,
    limitedAtMs: nowMs,
    lifted: false,
  };
}

/** The homeserver is not there: everything waits. */
export function paused(state: OutboxState, nowMs: number, delayMs: number): OutboxState {
  return { ...state, pausedUntilMs: Math.max(state.pausedUntilMs, nowMs + delayMs) };
}

/** It is there again. */
export function unpaused(state: OutboxState): OutboxState {
  return { ...state, pausedUntilMs: 0 };
}

/** When a limit and a pause are both over. */
export function freeAtMs({ blockedUntilMs, pausedUntilMs }: OutboxState): number {
  return Math.max(blockedUntilMs, pausedUntilMs);
}

export function isLimited(state: OutboxState, nowMs: number): boolean {
  return state.limitedAtMs !== null && nowMs - state.limitedAtMs < FORGET_LIMIT_MS;
}

/** Events that the model lets go at once, now. */
export function tokensAt(state: OutboxState, nowMs: number): number {
  return Math.min(MODEL.burst, state.tokens + ((nowMs - state.tokensAtMs) / 1000) * MODEL.perSecond);
}

/** What people asked for rather than what the channel needs. */
export function isLow(priority: Priority): boolean {
  return priority === "reply" || priority === "card";
}
