import { connectionId } from "./codec.ts";
import type { CandidateSignal, DescriptionSignal } from "./codec.ts";
import {
  CONNECT_TIMEOUT_MS,
  MAX_OFFERS,
  connectionOf,
  drop,
  flushCandidates,
  giveUp,
  memory,
  PATIENCE_MS,
  setPhase,
} from "./peers.ts";
import { isNewer } from "./roster.ts";
import type { Member, Stamp } from "./roster.ts";
import { takeId } from "./state.ts";
import type { Peer, PeerMemory, Turn } from "./state.ts";

/* What the signalling of a member does to its peer. The picture is in negotiation.ts. */

const MAX_CANDIDATES = 64;
/** So many wait for at most as many tokens of the rate budget, and a refresh: 15 s. */
const MAX_ANSWERS_UNDER_WAY = 2;

/** An offer of a member who is there. */
export function onOffer(turn: Turn, member: Member, signal: DescriptionSignal, stamp: Stamp): void {
  const { state } = turn;
  const { key } = member;
  const known = state.peers.get(key);
  const peer: PeerMemory = known ?? memory(key);
  if (peer.offerStamp && !isNewer(stamp, peer.offerStamp, false)) return drop(turn, "older_offer");
  // The same description again, in an event of its own: they repeat themselves, and our answer is there or on its way.
  // A second one, of another connection of ours, would fit nothing they have.
  if (known && "remoteId" in known && known.remoteId === connectionId(signal.sdp)) {
    return drop(turn, "repeated_offer");
  }
  if (known?.phase === "sending") {
    // Whether ours can still be taken back is known when its result comes; an answer now might overtake it.
    state.peers.set(key, { ...known, spoken: signal.form, unanswered: 0, theirs: { signal, stamp } });
    turn.effects.push({ do: "unsend", key });
    return;
  }
  if (known?.phase === "offered" && !yields(turn, key)) {
    // Ours is out: they roll back and answer it. Answering theirs too would leave both stable and mismatched.
    state.peers.set(key, { ...known, spoken: signal.form, unanswered: 0 });
    return drop(turn, "glare");
  }
  answerOffer(turn, peer, signal, stamp);
}

/** Of two who offered to each other and both know the rule, the smaller key gives way. */
export function yields(turn: Turn, key: string): boolean {
  const { ownKey, members } = turn.state;
  return members.get(key)?.glareRule === true && ownKey < key;
}

/** Takes their offer, in place of the connection there may be; it is answered when its turn comes, mostly at once. */
export function answerOffer(
  turn: Turn,
  peer: PeerMemory,
  signal: DescriptionSignal,
  offerStamp: Stamp,
): void {
  const memory = { ...peer, spoken: signal.form, unanswered: 0, offerStamp };
  if (!isBusyAnswering(turn, peer.key)) return makeAnswer(turn, memory, signal);
  const known = turn.state.peers.get(peer.key);
  if (known && connectionOf(known) !== null) turn.effects.push({ do: "peer.close", key: peer.key });
  setPhase(turn, memory, { phase: "owed", signal });
}

/** Starts the answers whose turn it is. */
export function startAnswers(turn: Turn): void {
  for (const peer of turn.state.peers.values()) {
    if (peer.phase !== "owed") continue;
    if (isBusyAnswering(turn, peer.key)) return;
    makeAnswer(turn, peer, peer.signal);
  }
}

/**
 * Whether enough answers to others are on their way. A connection that answers fails if it is not connected within half a
 * minute later: made too early, it would be dead by the time that the rate limit lets the answer go.
 */
function isBusyAnswering({ state }: Turn, except: string): boolean {
  let underWay = 0;
  for (const peer of state.peers.values()) {
    const isUnderWay = peer.phase === "answering" || (peer.phase === "connecting" && !peer.answerSent);
    if (isUnderWay && peer.key !== except) underWay++;
  }
  return underWay >= MAX_ANSWERS_UNDER_WAY;
}

function makeAnswer(turn: Turn, peer: PeerMemory, { form, sdp }: DescriptionSignal): void {
  const { key } = peer;
  const connection = takeId(turn);
  turn.effects.push({ do: "peer.answer", key, connection, sdp });
  // Candidates that came while no description was set belong to this offer, or do no harm.
  flushCandidates(turn, peer);
  setPhase(
    turn,
    { ...peer, candidates: [] },
    { phase: "answering", connection, form, remoteId: connectionId(sdp) },
  );
}

/** An answer of a member who is there. */
export function onAnswer(turn: Turn, member: Member, signal: DescriptionSignal): void {
  const { state, nowMs } = turn;
  const peer = state.peers.get(member.key);
  if (!peer) return drop(turn, "stray_answer");
  const heard: Peer = { ...peer, spoken: signal.form, unanswered: 0 };
  const remoteId = connectionId(signal.sdp);
  switch (peer.phase) {
    case "sending":
    case "offered": {
      const { connection } = peer;
      turn.effects.push({ do: "peer.accept", key: peer.key, connection, sdp: signal.sdp });
      flushCandidates(turn, heard);
      const untilMs = nowMs + CONNECT_TIMEOUT_MS;
      setPhase(
        turn,
        { ...heard, candidates: [] },
        {
          phase: "connecting",
          connection,
          remoteId,
          answerSent: true,
          untilMs,
        },
      );
      return;
    }
    case "connecting":
    case "connected": {
      const silent = peer.phase === "connecting" || peer.shakyUntilMs !== null;
      if (peer.remoteId === remoteId || !silent) return drop(turn, "stray_answer");
      // They answered another offer than the one this connection is made of: it will never work.
      offerAgain(turn, heard);
      return;
    }
    case "dormant":
      offerAgain(turn, heard);
      return;
    case "waiting":
    case "due":
    case "making":
    case "owed":
    case "answering":
      drop(turn, "stray_answer");
  }
}

/** A trickled candidate of a member who is there; it waits for its description if need be. */
export function onCandidate(turn: Turn, member: Member, signal: CandidateSignal): void {
  const { state } = turn;
  const candidate = { candidate: signal.candidate, mid: signal.mid };
  const peer = state.peers.get(member.key);
  if (!peer) return drop(turn, "candidate_without_peer");
  if (peer.phase === "answering" || peer.phase === "connecting" || peer.phase === "connected") {
    turn.effects.push({ do: "peer.candidate", key: peer.key, ...candidate });
  } else {
    state.peers.set(peer.key, {
      ...peer,
      candidates: [...peer.candidates, candidate].slice(-MAX_CANDIDATES),
    });
  }
}

/** Replaces the connection by a new offer of ours, within the bounds of one round of offers. */
function offerAgain(turn: Turn, peer: Peer): void {
  if (peer.attempts >= MAX_OFFERS || peer.failures >= PATIENCE_MS.length) return giveUp(turn, peer);
  if (connectionOf(peer) !== null) turn.effects.push({ do: "peer.close", key: peer.key });
  setPhase(turn, { ...peer, candidates: [] }, { phase: "due", restore: false });
}
