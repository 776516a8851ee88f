// What the outbox sends next, and when. Pure: no timers, no I/O; times are the monotonic clock's milliseconds.
//
// The budget. A homeserver gives a user so many events a second over all rooms (Synapse: 0.2, burst 10), and does not say
// how many, nor whether we are exempt. A refused request costs nothing but the wait that the answer names. So:
//
//            ┌──────────── 429 ────────────┐
//            ▼                             │
//   limited ──10 min without a 429──► assumed ──taken beyond the default limit──► lifted
//            ◄───────────────────── 429 ──────────────────────────────────────────┘
//
//   assumed   the channel sends at once, but refreshes later while little is left; replies and cards keep a reserve for
//             whoever joins next, or are paced
//   limited   the model below is obeyed, and each priority leaves tokens to those before it
//   lifted    everything at once
//
// In every state a 429 stops everything until the time that it names. A model token is spent per event sent.
//
// A refresh is the first to give: it waits until its membership is nearly old (`REFRESH_BY_MS`), unless there is
// plenty. Limited, it then goes even before answers, if the next token came too late for it, because whoever forgets us does not
// offer to us any more. Of three events in a row at most one is such a refresh, so in many rooms refreshes become rarer,
// and answers never wait for more than one.

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
  offer: { tokens: 2, limit: 200, lifeMs: 150_000 },
  refresh: { tokens: 1, limit: 200, lifeMs: 55_000 },
  candidate: { tokens: 2, limit: 200, lifeMs: 60_000 },
  reply: { tokens: 4, limit: 100, lifeMs: 300_000 },
  card: { tokens: 6, limit: 50, lifeMs: 120_000 },
};

export const MODEL = { perSecond: 0.2, burst: 10 } as const;
/** With so many tokens a refresh need not wait for its time, and may come sooner (README readers forget us after 10 s). */
const PLENTY_TOKENS = 5;
/** The same in the only channel: a refresh every 7 s is less than the default limit, so what it takes comes back. */
const PLENTY_FOR_ONE_TOKENS = 2;
/** Limited, a refresh may wait until the last write of its membership is so old. */
export const REFRESH_FROM_MS = 18_000;
/** The web client forgets whose last write is 20 s old. */
export const REFRESH_BY_MS = 19_500;
/** A write so soon after the last one is no refresh: it puts right what somebody else wrote under our key. */
const REPAIR_WITHIN_MS = 6000;
/** How long the first write of a membership may wait for answers. */
const JOIN_WITHIN_MS = 5000;
/** At most one of so many events is a refresh that goes before a waiting answer. */
const REFRESH_SHARE = 3;
/** While the limit is assumed, replies and cards that would take of the reserve go one at a time. */
const PACE_MS = 2000;
/** So many events beyond what the model allows tell that the limit is another, or lifted. */
const LIFTED_TOKENS = -2;
/** A debt is bounded, so that an exempt time is not paid for later. */
const MAX_DEBT = -8;
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
  const items = firstOfEach(state);
  let untilMs = deadlineMs;
  for (const item of items) {
    const readyMs = readyAtMs(state, item, nowMs);
    if (readyMs <= nowMs) return { kind: "send", item: pressing(state, items, item, nowMs) ?? item };
    untilMs = Math.min(untilMs, readyMs);
  }
  return { kind: "wait", untilMs };
}

/** The first of each priority that may go beside what is on its way; of refreshes the one that should be there first. */
function firstOfEach(state: OutboxState): Item[] {
  const free = state.waiting.filter((item) => isFree(state, item));
  return PRIORITIES.flatMap((priority) => {
    const items = free.filter((item) => item.priority === priority);
    if (priority === "refresh") items.sort((a, b) => byMs(state, a) - byMs(state, b));
    return items.slice(0, 1);
  });
}

/** The refresh that would be too late if `item` took the token that it is about to take. */
function pressing(state: OutboxState, items: readonly Item[], item: Item, nowMs: number): Item | null {
  const refresh = items.find(({ priority }) => priority === "refresh");
  if (refresh === undefined || item.priority === "leave" || !isLimited(state, nowMs)) return null;
  if (item.priority === "answer" && state.sinceRefresh < REFRESH_SHARE - 1) return null;
  const tokens = tokensAt(state, nowMs);
  const tokensThen = tokens - 1 + ((byMs(state, refresh) - nowMs) / 1000) * MODEL.perSecond;
  return tokens >= RULES.refresh.tokens && tokensThen < 1 ? refresh : null;
}

/** When the item may go if nothing else is sent; tokens and reserves as the state of the limit has them. */
function readyAtMs(state: OutboxState, item: Item, nowMs: number): number {
  const { priority } = item;
  if (state.lifted) return nowMs;
  const tokensMs = tokensAtMs(state, RULES[priority].tokens, nowMs);
  const limited = isLimited(state, nowMs);
  if (priority === "refresh") {
    const dueMs = Math.max(limited ? tokensMs : nowMs, fromMs(state, item));
    return Math.min(dueMs, tokensAtMs(state, plenty(state), nowMs));
  }
  if (limited) return tokensMs;
  return isLow(priority) ? Math.min(tokensMs, state.lowAtMs + PACE_MS) : nowMs;
}

function isLow(priority: Priority): boolean {
  return priority === "reply" || priority === "card";
}

/** When a membership write is due at the earliest, while tokens are few. */
function fromMs(state: OutboxState, { coalesceKey, enqueuedMs }: Item): number {
  const writtenMs = coalesceKey === null ? undefined : state.writtenMs.get(coalesceKey);
  if (writtenMs === undefined || enqueuedMs - writtenMs < REPAIR_WITHIN_MS) return enqueuedMs;
  return writtenMs + REFRESH_FROM_MS;
}

/** When a membership write should be there. */
function byMs(state: OutboxState, item: Item): number {
  const from = fromMs(state, item);
  return from === item.enqueuedMs ? from + JOIN_WITHIN_MS : from + REFRESH_BY_MS - REFRESH_FROM_MS;
}

/** When the model has so many tokens. */
function tokensAtMs(state: OutboxState, tokens: number, nowMs: number): number {
  const missing = tokens - tokensAt(state, nowMs);
  return missing <= 0 ? nowMs : nowMs + Math.ceil((missing / MODEL.perSecond) * 1000);
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
  if (coalesceKey === null || (priority !== "refresh" && priority !== "leave")) return { ...rest, lifted };
  const writtenMs = new Map(rest.writtenMs);
  if (priority === "refresh") writtenMs.set(coalesceKey, startedMs);
  else writtenMs.delete(coalesceKey);
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
  return { ...state, blockedUntilMs: Math.max(state.blockedUntilMs, nowMs + delayMs) };
}

export function isLimited(state: OutboxState, nowMs: number): boolean {
  return state.limitedAtMs !== null && nowMs - state.limitedAtMs < FORGET_LIMIT_MS;
}

/** Whether what nobody has to have may be sent: there is no limit, or enough for it after all that is kept back. */
export function hasSpare(state: OutboxState, nowMs: number): boolean {
  if (nowMs < state.blockedUntilMs) return false;
  if (!isLimited(state, nowMs)) return true;
  const before = state.waiting.filter(({ priority }) => !isLow(priority)).length;
  return tokensAt(state, nowMs) - before >= plenty(state);
}

function plenty(state: OutboxState): number {
  return state.writtenMs.size <= 1 ? PLENTY_FOR_ONE_TOKENS : PLENTY_TOKENS;
}

/** Events that the model lets go at once, now. */
export function tokensAt(state: OutboxState, nowMs: number): number {
  return Math.min(MODEL.burst, state.tokens + ((nowMs - state.tokensAtMs) / 1000) * MODEL.perSecond);
}
