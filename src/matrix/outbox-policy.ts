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
// plenty. Limited, it then goes even before answers, if the next token came too late for it, because whoever forgets us
// does not offer to us any more. Of three events in a row at most one is such a refresh, so in many rooms refreshes
// become rarer, and answers never wait for more than one. While somebody is to be offered to, none goes before its time.

import {
  freeAtMs,
  isLimited,
  isLow,
  MODEL,
  PRIORITIES,
  REFRESH_SHARE,
  RULES,
  tokensAt,
  type Item,
  type OutboxState,
} from "./outbox-state.ts";

/** With so many tokens a refresh need not wait for its time, and may come sooner (README readers forget us after 10 s). */
const PLENTY_TOKENS = 5;
/** The same in the only channel: a refresh every 7 s is less than the default limit, so what it takes comes back. */
const PLENTY_FOR_ONE_TOKENS = 2;
/** Limited, a refresh may wait until the last write of its membership is so old. */
export const REFRESH_FROM_MS = 18_000;
/**
 * The web client forgets whose last write is older than 20 s, but looks only every 20 s. Tokens come every 5 s, so a little
 * more lets four events pass between two refreshes instead of three: 25 people are answered 5 s sooner.
 */
export const REFRESH_BY_MS = 20_100;
/** A refresh asked for sooner is for README readers. */
const HURRIED_MS = 13_500;
/** With so many tokens a refresh that is not hurried need not wait for its time. Fewer may be gone before it is due again. */
const PLENTY_TO_REFRESH_TOKENS = 8;
/** How long the first write of a membership may wait for answers. */
const JOIN_WITHIN_MS = 5000;
/** While the limit is assumed, replies and cards that would take of the reserve go one at a time. */
const PACE_MS = 2000;
/** At most so many requests at once, one of them per room; a LEFT may go beside them. */
export const MAX_IN_FLIGHT = 4;

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
  if (nowMs < freeAtMs(state)) return { kind: "wait", untilMs: Math.min(freeAtMs(state), deadlineMs) };
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
  const isFirst = item.priority === "answer" || item.priority === "restore";
  if (isFirst && state.sinceRefresh < REFRESH_SHARE - 1) return null;
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
    const dueMs = limited ? Math.max(tokensMs, sparing(state, item)) : Math.max(nowMs, fromMs(state, item));
    return Math.min(dueMs, tokensAtMs(state, plentyFor(state, item), nowMs));
  }
  if (limited) return tokensMs;
  return isLow(priority) ? Math.min(tokensMs, state.lowAtMs + PACE_MS) : nowMs;
}

/** When a membership write is due at the earliest, while tokens are few. */
function fromMs(state: OutboxState, { coalesceKey, enqueuedMs }: Item): number {
  const writtenMs = coalesceKey === null ? undefined : state.writtenMs.get(coalesceKey);
  if (writtenMs === undefined) return enqueuedMs;
  return writtenMs + REFRESH_FROM_MS;
}

/** An offer needs two tokens: refreshes before their time would take one of them again and again. A first write is due. */
function sparing(state: OutboxState, item: Item): number {
  const fromAtMs = fromMs(state, item);
  const isOwed = state.waiting.some(({ priority }) => priority === "offer");
  return isOwed && fromAtMs !== item.enqueuedMs ? byMs(state, item) : fromAtMs;
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

/** Whether a refresh may go before it has to: there is no limit, or enough after all that goes before it. */
export function hasSpare(state: OutboxState, nowMs: number): boolean {
  if (nowMs < freeAtMs(state)) return false;
  if (state.lifted) return true;
  const before = state.waiting.filter(({ priority }) => !isLow(priority)).length;
  return tokensAt(state, nowMs) - before >= plenty(state);
}

/** What must be there for this refresh to go before it has to. */
function plentyFor(state: OutboxState, { coalesceKey, enqueuedMs }: Item): number {
  const writtenMs = coalesceKey === null ? undefined : state.writtenMs.get(coalesceKey);
  const isHurried = writtenMs !== undefined && enqueuedMs - writtenMs < HURRIED_MS;
  return isHurried ? plenty(state) : PLENTY_TO_REFRESH_TOKENS;
}

/** All of them: then nobody who joins next waits for what is sent now. */
const RESTED_TOKENS = MODEL.burst;
/** What only looks better leaves more to whoever joins next than what somebody asked for. */
const NICE_TOKENS = 7;

/**
 * What the limit leaves for what is only good to have and grows old while it waits: `none` (ask again later), `some` (an
 * event now leaves what is kept back for whoever joins next), `plenty` (and is not missed either), `unlimited`.
 */
export type Budget = "none" | "some" | "plenty" | "unlimited";

export function budgetOf(state: OutboxState, nowMs: number): Budget {
  if (nowMs < freeAtMs(state)) return "none";
  // A refresh may wait for its time, everything else is owed now.
  const refreshes = state.waiting.filter(({ priority }) => priority === "refresh").length;
  if (state.waiting.length > refreshes) return "none";
  if (state.lifted) return "unlimited";
  const tokens = tokensAt(state, nowMs) - refreshes;
  if (tokens < NICE_TOKENS) return "none";
  return tokens >= RESTED_TOKENS && !isLimited(state, nowMs) ? "plenty" : "some";
}

function plenty(state: OutboxState): number {
  return state.writtenMs.size <= 1 ? PLENTY_FOR_ONE_TOKENS : PLENTY_TOKENS;
}
