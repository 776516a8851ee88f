import { connectionId } from "./codec.ts";
import type { CandidateSignal, DescriptionSignal } from "./codec.ts";
import { connectionOf, drop, flushCandidates, giveUp, memory, PATIENCE_MS, setPhase } from "./peers.ts";
import { isNewer } from "./roster.ts";
import type { Member, Stamp } from "./roster.ts";
import { takeId } from "./state.ts";
import type { Peer, PeerMemory, Turn } from "./state.ts";
import { CONNECT_TIMEOUT_MS, MAX_OFFERS } from "./negotiation.ts";

/* What the signalling of a member does to its peer. The picture is in negotiation.ts. */

const MAX_CANDIDATES = 64;

/** An offer of a member who is there. */
export function onOffer(turn: Turn, member: Member, signal: DescriptionSignal, stamp: Stamp): void {
  const { state } = turn;
  const known = state.peers.get(member.key);
  const peer: PeerMemory = known ?? memory(member.key);
  if (peer.offerStamp && !isNewer(stamp, peer.offerStamp, false)) return drop(turn, "older_offer");
  const heard = { ...peer, spoken: signal.form, offerStamp: stamp };
  if (known?.phase === "sending" || known?.phase === "offered") {
    const weYield = member.glareRule && state.ownKey < member.key;
    if (!weYield) {
      // Ours is out: they roll back and answer it. Answering theirs too would leave both stable and mismatched.
      state.peers.set(member.key, { ...known, spoken: signal.form });
      return drop(turn, "glare");
    }
  }
  const connection = takeId(turn);
  turn.effects.push({ do: "peer.answer", key: member.key, connection, sdp: signal.sdp });
  // Candidates that came while no description was set belong to this offer, or do no harm.
  flushCandidates(turn, heard);
  const remoteId = connectionId(signal.sdp);
  const phase = { phase: "answering", connection, form: signal.form, remoteId } as const;
  setPhase(turn, { ...heard, candidates: [] }, phase);
}

/** An answer of a member who is there. */
export function onAnswer(turn: Turn, member: Member, signal: DescriptionSignal): void {
  const { state, nowMs } = turn;
  const peer = state.peers.get(member.key);
  if (!peer) return drop(turn, "stray_answer");
  const heard: Peer = { ...peer, spoken: signal.form };
  const remoteId = connectionId(signal.sdp);
  switch (peer.phase) {
    case "sending":
    case "offered": {
      const { connection } = peer;
      turn.effects.push({ do: "peer.accept", key: peer.key, connection, sdp: signal.sdp });
      flushCandidates(turn, heard);
      const untilMs = nowMs + CONNECT_TIMEOUT_MS;
      setPhase(turn, { ...heard, candidates: [] }, { phase: "connecting", connection, remoteId, untilMs });
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
  setPhase(turn, { ...peer, candidates: [] }, { phase: "due" });
}
