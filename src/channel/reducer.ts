import {
  onPeerResult,
  onPlaneEvent,
  onRefresh,
  peerWakeMs,
  reconcilePeers,
  startOffers,
  tickPeers,
} from "./negotiation.ts";
import { ownKeyEvent } from "./own-echo.ts";
import { isJoined } from "./own-key.ts";
import {
  ownResult,
  ownWakeMs,
  planeChanged,
  requestLeave,
  resetIfAlone,
  thrownOut,
  tickOwn,
} from "./own-membership.ts";
import { requestJoin } from "./own-moves.ts";
import { drop, removePeer } from "./peers.ts";
import {
  applyMembership,
  excuseSilence,
  forgetGone,
  isNewer,
  isPresent,
  mayUseKey,
  MEMBER_LIFETIME_MS,
  rosterMs,
} from "./roster.ts";
import type { Member } from "./roster.ts";
import { onAnswer, onCandidate, onOffer, startAnswers } from "./signals.ts";
import { beginTurn, mediaFlows, tellOnce } from "./state.ts";
import type { ChannelInput, ChannelState, Effect, Turn } from "./state.ts";

/** How long an offer waits for the JOINED of its sender. */
export const HOLD_OFFER_MS = 2000;
const MAX_HELD = 32;
const MAX_HELD_CANDIDATES = 32;
const MAX_OUTSIDE = 2000;
const MAX_OFFER_SENDERS = 1000;

/**
 * What an event does to the channel: the new state and what is to be done about it. `nowMs` is monotonic. Every event
 * ends with the same reconciliation: connections to exactly those who are there. `spare`: the rate budget allows more than
 * what has to be sent.
 */
export function reduce(
  before: ChannelState,
  input: ChannelInput,
  nowMs: number,
  spare: boolean,
): { state: ChannelState; effects: readonly Effect[] } {
  const turn = beginTurn(before, nowMs, spare);
  apply(turn, input);
  const { state } = turn;
  // Whatever the event was, what is due is due.
  tickHeld(turn);
  tickPeers(turn);
  if (turn.resetWanted) resetIfAlone(turn);
  tickOwn(turn);
  forgetGone(state.members, rosterMs(state.syncedMs, nowMs), (key) => mediaFlows(state, key));
  reconcilePeers(turn);
  startAnswers(turn);
  startOffers(turn);
  return { state, effects: turn.effects };
}

/** When a tick is needed next, in monotonic ms; null when only an event can change anything. */
export function nextWakeMs(state: ChannelState): number | null {
  let wakeMs = Math.min(ownWakeMs(state) ?? Infinity, state.offersFromMs ?? Infinity);
  for (const peer of state.peers.values()) wakeMs = Math.min(wakeMs, peerWakeMs(peer) ?? Infinity);
  for (const held of state.held.values()) wakeMs = Math.min(wakeMs, held.untilMs);
  for (const member of state.members.values()) {
    if (member.joinState !== "JOINED" || member.expired || mediaFlows(state, member.key)) continue;
    const expiresMs = member.heardMs + MEMBER_LIFETIME_MS;
    // Later only what the homeserver tells next makes anybody expire.
    if (rosterMs(state.syncedMs, expiresMs) === expiresMs) wakeMs = Math.min(wakeMs, expiresMs);
  }
  return wakeMs === Infinity ? null : wakeMs;
}

/** The others who are in the channel now. */
export function presentMembers(state: ChannelState, nowMs: number): Member[] {
  const judgedMs = rosterMs(state.syncedMs, nowMs);
  return [...state.members.values()].filter((member) =>
    isPresent(member, judgedMs, mediaFlows(state, member.key)),
  );
}

function apply(turn: Turn, input: ChannelInput): void {
  switch (input.kind) {
    case "tick":
      return;
    case "join":
      return requestJoin(turn);
    case "leave":
      return requestLeave(turn);
    case "synced":
      return synced(turn, input.afterFailure);
    case "plane":
      return planeChanged(turn, input.up);
    case "room.member":
      return roomMember(turn, input.userId, input.inRoom);
    case "membership":
      return membership(turn, input);
    case "signal":
      return signal(turn, input);
    case "put.done":
    case "put.failed":
    case "open.done":
    case "open.failed":
      return ownResult(turn, input);
    case "described":
    case "sent":
    case "peer.broken":
      return onPeerResult(turn, input);
    case "peer.state":
    case "peer.candidate":
      return onPlaneEvent(turn, input);
  }
}

function synced({ state, nowMs }: Turn, afterFailure: boolean): void {
  const lastMs = rosterMs(state.syncedMs, nowMs);
  state.syncedMs = nowMs;
  if (afterFailure) excuseSilence(state.members, lastMs, nowMs, (key) => mediaFlows(state, key));
}

/** Not in the room, not in the channel, whatever callstate and media say. */
function roomMember(turn: Turn, userId: string, inRoom: boolean): void {
  const { state } = turn;
  if (userId === state.ownUserId) {
    if (!inRoom) thrownOut(turn);
    return;
  }
  if (inRoom !== state.outside.has(userId)) return;
  const outside = new Set(state.outside);
  if (inRoom) outside.delete(userId);
  else {
    outside.add(userId);
    for (const oldest of outside) {
      if (outside.size <= MAX_OUTSIDE) break;
      outside.delete(oldest);
    }
    for (const member of state.members.values()) {
      if (member.userId !== userId) continue;
      state.members.delete(member.key);
      removePeer(turn, member.key);
    }
    for (const [key, held] of state.held) if (held.sender === userId) state.held.delete(key);
  }
  state.outside = outside;
}

function membership(turn: Turn, input: Extract<ChannelInput, { kind: "membership" }>): void {
  const { state, nowMs } = turn;
  const { event } = input;
  if (event.key === state.ownKey) return ownKeyEvent(turn, input.eventId, event);
  const owner = state.members.get(event.key)?.userId;
  const outcome = applyMembership(
    {
      members: state.members,
      nowMs,
      maxMembers: state.limits.maxMembers,
      maxKeysPerUser: state.limits.maxKeysPerUser,
      mediaFlows: (key) => mediaFlows(state, key),
      isOutside: (userId) => state.outside.has(userId),
    },
    event,
  );
  switch (outcome) {
    case "joined":
    case "refreshed": {
      // A join after an absence that we slept through is a new visit: what was tried before is void.
      if (outcome === "joined") removePeer(turn, event.key);
      else onRefresh(turn, event.key);
      release(turn, event.key);
      return;
    }
    case "left":
      removePeer(turn, event.key);
      forgetHeld(turn, event.key);
      return;
    case "key_taken":
      tellOnce(turn, `${event.key} ${event.sender}`, {
        key: "channel.key_taken",
        params: { user: event.sender, owner: owner ?? "", name: event.key },
      });
      drop(turn, outcome);
      return;
    case "foreign_key":
    case "outside_room":
    case "full":
      drop(turn, outcome);
      return;
    case "not_there":
      forgetHeld(turn, event.key);
      return;
    case "older":
    case "stale":
  }
}

function signal(turn: Turn, input: Extract<ChannelInput, { kind: "signal" }>): void {
  const { state, nowMs } = turn;
  const { sender, signal, stamp } = input;
  const { key } = signal;
  if (key === state.ownKey) return sender === state.ownUserId ? undefined : drop(turn, "foreign_key");
  if (signal.receiver !== null && signal.receiver !== state.ownKey) return;
  // LEFT as we are nobody should have offered; who did saw an older state of us.
  if (!isJoined(state.own)) return drop(turn, "not_in_channel");
  if (!mayUseKey(key, sender)) return drop(turn, "foreign_key");
  if (state.outside.has(sender)) return drop(turn, "outside_room");
  const member = state.members.get(key);
  const there = member?.joinState === "JOINED";
  if (there && member.userId !== sender) return drop(turn, "foreign_key");
  if (signal.type === "offer" && !withinRate(turn, sender)) return drop(turn, "too_many_offers");
  if (!there) {
    const held = state.held.get(key);
    if (signal.type === "offer") {
      // Of the visit that ended, or one that we hear of late.
      if (member && !isNewer(stamp, member.stamp, false)) return drop(turn, "not_joined");
      if (held || state.held.size < MAX_HELD) {
        state.held.set(key, { sender, signal, stamp, candidates: [], untilMs: nowMs + HOLD_OFFER_MS });
      } else drop(turn, "too_many_held");
    } else if (signal.type === "candidate" && held?.sender === sender) {
      const candidate = { candidate: signal.candidate, mid: signal.mid };
      state.held.set(key, {
        ...held,
        candidates: [...held.candidates, candidate].slice(-MAX_HELD_CANDIDATES),
      });
    } else drop(turn, "not_joined");
    return;
  }
  // Whoever talks to us is alive, even if its refresh was lost.
  state.members.set(key, { ...member, heardMs: nowMs, expired: false });
  if (signal.type === "candidate") onCandidate(turn, member, signal);
  else if (signal.type === "offer") onOffer(turn, member, signal, stamp);
  else onAnswer(turn, member, signal);
}

/** Takes up the offer that came before the JOINED of its sender. */
function release(turn: Turn, key: string): void {
  const { state } = turn;
  const held = state.held.get(key);
  const member = state.members.get(key);
  if (!held || !member) return;
  state.held.delete(key);
  if (held.sender !== member.userId) return drop(turn, "foreign_key");
  if (!isJoined(state.own)) return;
  onOffer(turn, member, held.signal, held.stamp);
  for (const candidate of held.candidates) turn.effects.push({ do: "peer.candidate", key, ...candidate });
}

/** They left after the offer that waits. */
function forgetHeld({ state }: Turn, key: string): void {
  const [held, member] = [state.held.get(key), state.members.get(key)];
  if (held && member && !isNewer(held.stamp, member.stamp, false)) state.held.delete(key);
}

function tickHeld(turn: Turn): void {
  for (const [key, held] of turn.state.held) {
    if (turn.nowMs < held.untilMs) continue;
    turn.state.held.delete(key);
    drop(turn, "not_joined");
  }
}

function withinRate(turn: Turn, sender: string): boolean {
  const { state, nowMs } = turn;
  for (const [other, times] of state.offerTimes) {
    if (nowMs - (times.at(-1) ?? 0) >= 60_000) state.offerTimes.delete(other);
  }
  const lately = (state.offerTimes.get(sender) ?? []).filter((atMs) => nowMs - atMs < 60_000);
  if (lately.length >= state.limits.maxOffersPerMinute) return false;
  if (lately.length === 0 && state.offerTimes.size >= MAX_OFFER_SENDERS) return false;
  state.offerTimes.set(sender, [...lately, nowMs]);
  return true;
}
