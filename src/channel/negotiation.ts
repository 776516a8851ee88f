import { encodeCandidate, encodeDescription, otherForm } from "./codec.ts";
import type { Form } from "./codec.ts";
import { isPresent, rosterMs } from "./roster.ts";
import type { Member } from "./roster.ts";
import {
  ANSWER_WAITS_MS,
  CONNECT_TIMEOUT_MS,
  connectionOf,
  giveUp,
  MAX_OFFERS,
  memory,
  removePeer,
  restore,
  setPhase,
} from "./peers.ts";
import { answerOffer, yields } from "./signals.ts";
import { mediaFlows, takeId } from "./state.ts";
import type { ChannelInput, ChannelState, Peer, PeerMemory, Turn } from "./state.ts";

/*
 * Who offers, and what becomes of it, for one peer. Every connection has a number; whoever gives one up either asks the
 * plane for the next one of the same peer, which replaces it, or closes it, so none is ever left over.
 *
 *                         5 s without their offer
 *   (they join) ► waiting ───────────────────────► due ◄─ (we join)      dormant ─their refresh─► waiting
 *                    │                              │ turn                  ▲
 *                    │ their offer                  ▼                       │ failed, closed by them, or 4 offers
 *                    │                            making ─► sending ─► offered   unanswered
 *                    ▼          their offer ◄───────┘           │        │ 8, 20, 45 s: due again
 *                answering ◄──── (glare, we yield) ─────────────┴────────┤
 *                    │                                                   │ their answer
 *                    └───────────────► connecting ◄──────────────────────┘
 *                                          │ ▲      failed before it worked: waiting 1 s (we
 *                                          ▼ │      offered) or 5 s (they did), a few times
 *                                       connected ─► their new offer: answering
 *
 *   Gone from the channel: closed at once, from every phase.
 */
export const OFFER_EXPECTED_MS = 5000;
/** When a connection of our offer failed before it ever worked. */
const OFFER_AGAIN_MS = 1000;
const MAX_FAILED_ANSWERS = 2;
/** An offer or answer that the outbox still has by then is of no use any more. */
const SEND_TIMEOUT_MS = 180_000;
const SHAKY_TIMEOUT_MS = 30_000;
/** Offers on their way at the same time; the outbox takes them as fast as the homeserver lets it. */
const MAX_OFFERS_UNDER_WAY = 3;

/** Everybody who is there when we come in is offered to. */
export function offerToEverybody(turn: Turn): void {
  for (const member of present(turn)) {
    const peer = turn.state.peers.get(member.key);
    if (peer === undefined || peer.phase === "waiting")
      setPhase(turn, peer ?? memory(member.key), { phase: "due", restore: false });
  }
}

/** Makes the peers what the roster wants: nobody who is gone, everybody who is there. */
export function reconcilePeers(turn: Turn): void {
  const { state, nowMs } = turn;
  const wanted = new Set(present(turn).map((member) => member.key));
  for (const peer of state.peers.values()) {
    if (!wanted.has(peer.key)) removePeer(turn, peer.key);
  }
  if (state.own.phase !== "in") return;
  for (const key of wanted) {
    if (!state.peers.has(key)) {
      setPhase(turn, memory(key), { phase: "waiting", untilMs: nowMs + OFFER_EXPECTED_MS });
    }
  }
}

/** Starts the offers whose turn it is. */
export function startOffers(turn: Turn): void {
  const { state, nowMs } = turn;
  if (state.offersFromMs !== null && nowMs >= state.offersFromMs) state.offersFromMs = null;
  if (state.own.phase !== "in" || state.offersFromMs !== null) return;
  const peers = [...state.peers.values()];
  let underWay = peers.filter(({ phase }) => phase === "making" || phase === "sending").length;
  const due = peers.filter((peer) => peer.phase === "due");
  for (const peer of due.sort((a, b) => Number(b.restore) - Number(a.restore))) {
    if (underWay >= MAX_OFFERS_UNDER_WAY) return;
    underWay++;
    const connection = takeId(turn);
    const form = offerForm(state, peer);
    turn.effects.push({ do: "peer.offer", key: peer.key, connection });
    const making = { phase: "making", connection, form, restore: peer.restore } as const;
    const { attempts, unanswered } = peer;
    setPhase(turn, { ...peer, attempts: attempts + 1, unanswered: unanswered + 1 }, making);
  }
}

/** The member showed that it is alive by refreshing its membership. */
export function onRefresh(turn: Turn, key: string): void {
  const { state, nowMs } = turn;
  const peer = state.peers.get(key);
  if (peer?.phase !== "dormant" || nowMs < peer.notBeforeMs) return;
  setPhase(
    turn,
    { ...peer, attempts: 0, unanswered: 0 },
    { phase: "waiting", untilMs: nowMs + OFFER_EXPECTED_MS },
  );
}

/** Results of what was asked of the plane and the homeserver; those of a former connection are void. */
export function onPeerResult(
  turn: Turn,
  input: Extract<ChannelInput, { kind: "described" | "sent" | "peer.broken" }>,
): void {
  const { state, nowMs } = turn;
  const peer = state.peers.get(input.key);
  if (!peer || connectionOf(peer) !== input.connection) return;
  switch (input.kind) {
    case "described":
      described(turn, peer, input.sdp);
      return;
    case "sent":
      if (peer.phase === "connecting" || peer.phase === "connected") {
        turn.effects.push({ do: "peer.answered", key: peer.key });
      }
      if (peer.phase === "sending") {
        const { theirs } = peer;
        if (theirs && yields(turn, peer.key)) return answerOffer(turn, peer, theirs.signal, theirs.stamp);
        const waitMs = ANSWER_WAITS_MS[Math.min(peer.attempts, ANSWER_WAITS_MS.length) - 1] ?? 8000;
        const { connection, form } = peer;
        setPhase(turn, peer, { phase: "offered", connection, form, untilMs: nowMs + waitMs });
      } else if (peer.phase === "connecting") {
        state.peers.set(peer.key, { ...peer, answerSent: true, untilMs: nowMs + CONNECT_TIMEOUT_MS });
      }
      return;
    case "peer.broken":
      if (peer.phase === "sending" && peer.theirs) {
        const { signal, stamp } = peer.theirs;
        return answerOffer(turn, peer, signal, stamp);
      }
      // A connection whose media flows has no use for whatever failed late.
      if (peer.phase !== "connected") giveUp(turn, peer);
  }
}

/** What the plane says of the current connection. Until it is described an event may still be of the one before. */
export function onPlaneEvent(
  turn: Turn,
  input: Extract<ChannelInput, { kind: "peer.state" | "peer.candidate" }>,
): void {
  const { state, nowMs } = turn;
  const peer = state.peers.get(input.key);
  if (!peer) return;
  const { phase } = peer;
  if (phase !== "sending" && phase !== "offered" && phase !== "connecting" && phase !== "connected") return;
  if (input.kind === "peer.candidate") {
    const form = peer.spoken ?? ("form" in peer ? peer.form : "web");
    const encoded = encodeCandidate(form, state.ownKey, peer.key, input.candidate, input.mid);
    // Without a receiver it is for everybody, so only who is known to speak README gets one of those.
    const content = peer.spoken === "readme" ? encoded : { ...encoded, receiver: peer.key };
    turn.effects.push({ do: "send", key: peer.key, connection: null, content, priority: "candidate" });
    return;
  }
  switch (input.state) {
    case "connecting":
      return;
    case "connected":
      if (phase === "connected") state.peers.set(peer.key, { ...peer, shakyUntilMs: null });
      else if (phase === "connecting") {
        const { connection, remoteId } = peer;
        const connected = {
          phase: "connected",
          connection,
          remoteId,
          sinceMs: nowMs,
          shakyUntilMs: null,
        } as const;
        setPhase(turn, { ...peer, attempts: 0, unanswered: 0 }, connected);
      }
      return;
    case "disconnected":
      if (phase === "connected" && peer.shakyUntilMs === null) {
        state.peers.set(peer.key, { ...peer, shakyUntilMs: nowMs + SHAKY_TIMEOUT_MS });
      }
      return;
    case "failed":
    case "closed":
      if (restore(turn, peer)) return;
      if (phase === "connecting") neverConnected(turn, peer);
      else giveUp(turn, peer);
  }
}

/** What is due of the peers at `turn.nowMs`. */
export function tickPeers(turn: Turn): void {
  const { state, nowMs } = turn;
  for (const peer of state.peers.values()) {
    const dueMs = peerWakeMs(peer);
    if (dueMs === null || nowMs < dueMs) continue;
    if (peer.phase === "waiting") setPhase(turn, peer, { phase: "due", restore: false });
    else if (peer.phase === "offered" && peer.attempts < MAX_OFFERS) {
      setPhase(turn, peer, { phase: "due", restore: false });
      turn.effects.push({ do: "peer.close", key: peer.key });
    } else if (peer.phase !== "connecting" || !restore(turn, peer)) {
      if (peer.phase === "offered") turn.resetWanted = true;
      giveUp(turn, peer, peer.phase === "offered");
    }
  }
}

/** When `tickPeers` has something to do for the peer; null when only an event moves it. */
export function peerWakeMs(peer: Peer): number | null {
  switch (peer.phase) {
    case "waiting":
    case "sending":
    case "offered":
    case "connecting":
      return peer.untilMs;
    case "connected":
      return peer.shakyUntilMs;
    case "due":
    case "making":
    case "owed":
    case "answering":
    case "dormant":
      return null;
  }
}

function described(turn: Turn, peer: Peer, sdp: string): void {
  const { nowMs } = turn;
  const { ownKey } = turn.state;
  const { key } = peer;
  if (peer.phase === "making") {
    const { connection, form } = peer;
    const content = encodeDescription(form, "offer", ownKey, key, sdp);
    const priority = peer.restore ? "restore" : "offer";
    turn.effects.push({ do: "send", key, connection, content, priority });
    setPhase(turn, peer, {
      phase: "sending",
      connection,
      form,
      untilMs: nowMs + SEND_TIMEOUT_MS,
      theirs: null,
    });
  } else if (peer.phase === "answering") {
    const { connection, form, remoteId } = peer;
    const content = encodeDescription(form, "answer", ownKey, key, sdp);
    turn.effects.push({ do: "send", key, connection, content, priority: "answer" });
    const untilMs = nowMs + SEND_TIMEOUT_MS;
    setPhase(turn, peer, { phase: "connecting", connection, remoteId, answerSent: false, untilMs });
  }
}

/** ICE or DTLS failed at the first go: whoever offered soon tries again, the other side expects that. */
function neverConnected(turn: Turn, peer: Peer): void {
  const { attempts, failures } = peer;
  const offered = attempts > 0;
  if (offered ? attempts >= MAX_OFFERS : failures >= MAX_FAILED_ANSWERS) return giveUp(turn, peer);
  turn.effects.push({ do: "peer.close", key: peer.key });
  const untilMs = turn.nowMs + (offered ? OFFER_AGAIN_MS : OFFER_EXPECTED_MS);
  const rest = { ...peer, failures: failures + (offered ? 0 : 1), candidates: [] };
  setPhase(turn, rest, { phase: "waiting", untilMs });
}

function offerForm(state: ChannelState, peer: PeerMemory): Form {
  const first = peer.spoken ?? state.members.get(peer.key)?.form ?? "web";
  return peer.unanswered % 2 === 0 ? first : otherForm(first);
}

function present(turn: Turn): Member[] {
  const { state, nowMs } = turn;
  const judgedMs = rosterMs(state.syncedMs, nowMs);
  return [...state.members.values()].filter((member) =>
    isPresent(member, judgedMs, mediaFlows(state, member.key)),
  );
}
