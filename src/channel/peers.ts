import type { Peer, PeerMemory, PeerPhase, Turn } from "./state.ts";

/*
 * The books of the peers: every change of a phase and every end of a connection goes through here, so that whoever gives
 * a connection up closes it.
 */

/** Unanswered offers go out again 8, 20 and 45 s after the first. */
export const ANSWER_WAITS_MS: readonly number[] = [8000, 12_000, 25_000, 25_000];
export const MAX_OFFERS = ANSWER_WAITS_MS.length;
export const CONNECT_TIMEOUT_MS = 30_000;
/** A LEFT under our key may reach the others sooner or later than us. */
const LOST_BEFORE_MS = 5000;
const LOST_AFTER_MS = 15_000;
/** Whoever did not believe it is connected by then. */
const CONNECT_SOON_MS = 5000;
/** Without our JOINED by then, offers go out all the same. */
const REPAIR_TIMEOUT_MS = 10_000;
/** For so long after it failures weigh no more than so many. */
const EXCUSED_MS = 120_000;
const EXCUSED_FAILURES = 3;
const MAX_RESTORED = 3;
const RESTORE_SPAN_MS = 10 * 60_000;
/** A connection that lasted this long wipes out earlier failures. */
const GOOD_CONNECTION_MS = 30_000;
/** After the nth failure in a row their refresh counts only after this long; theirs offers always do. */
export const PATIENCE_MS: readonly number[] = [0, 10_000, 60_000, 120_000, 300_000, 600_000];

export function removePeer(turn: Turn, key: string): void {
  const peer = turn.state.peers.get(key);
  if (!peer) return;
  if (connectionOf(peer) !== null) turn.effects.push({ do: "peer.close", key });
  turn.state.peers.delete(key);
  logPhase(turn, key, "gone");
}

export function closeAllPeers(turn: Turn): void {
  for (const key of [...turn.state.peers.keys()]) removePeer(turn, key);
  turn.state.held.clear();
}

/** The plane is gone and every connection with it: there is nothing to close. */
export function forgetAllPeers(turn: Turn): void {
  turn.state.peers.clear();
  turn.state.held.clear();
}

/** The number of the connection that the plane has, or is making, for this peer. */
export function connectionOf(peer: Peer): number | null {
  return "connection" in peer ? peer.connection : null;
}

/** Closes what is there; from now on their refresh or offer is waited for, longer if they never answered. */
export function giveUp(turn: Turn, peer: Peer, unanswered = false): void {
  if (connectionOf(peer) !== null) turn.effects.push({ do: "peer.close", key: peer.key });
  const good = peer.phase === "connected" && turn.nowMs - peer.sinceMs >= GOOD_CONNECTION_MS;
  const failures = good ? 0 : peer.failures + 1;
  const { lostMs } = turn.state;
  // While our key is being overwritten it is no fault of theirs.
  const excused = lostMs !== null && turn.nowMs - lostMs < EXCUSED_MS;
  const longest = excused ? EXCUSED_FAILURES : PATIENCE_MS.length;
  const step = Math.min(failures + (unanswered ? 2 : 0), longest);
  const patienceMs = PATIENCE_MS[step - 1] ?? 0;
  const rest = { ...peer, attempts: 0, unanswered: 0, failures, candidates: [] };
  const endedMs = peer.phase === "connected" ? turn.nowMs : null;
  setPhase(turn, rest, { phase: "dormant", notBeforeMs: turn.nowMs + patienceMs, endedMs });
}

/**
 * Offers again, before others, if the peer believed somebody else's LEFT under our key.
 * @returns false when that is not why, or was done too often: whoever writes such LEFTs could make us spend everything.
 */
export function restore(turn: Turn, peer: Peer): boolean {
  const { state, nowMs } = turn;
  if (state.own.phase !== "in" || state.lostMs === null || nowMs - state.lostMs > LOST_AFTER_MS) return false;
  const lately = peer.restoredMs.filter((atMs) => nowMs - atMs < RESTORE_SPAN_MS);
  if (lately.length >= MAX_RESTORED) return false;
  if (connectionOf(peer) !== null) turn.effects.push({ do: "peer.close", key: peer.key });
  const rest = { ...peer, attempts: 0, unanswered: 0, candidates: [], restoredMs: [...lately, nowMs] };
  setPhase(turn, rest, { phase: "due", restore: true });
  return true;
}

/** LEFT stood under our key: those whose end came ahead of it are offered to again, and who is connecting soon shows. */
export function lostKey(turn: Turn): void {
  const { state, nowMs } = turn;
  state.lostMs = nowMs;
  state.offersFromMs = nowMs + REPAIR_TIMEOUT_MS;
  for (const peer of state.peers.values()) {
    if (peer.phase === "dormant" && peer.endedMs !== null && nowMs - peer.endedMs <= LOST_BEFORE_MS) {
      restore(turn, peer);
    } else if (peer.phase === "connecting" && peer.answerSent) {
      state.peers.set(peer.key, { ...peer, untilMs: Math.min(peer.untilMs, nowMs + CONNECT_SOON_MS) });
    }
  }
}

export function flushCandidates(turn: Turn, peer: PeerMemory): void {
  for (const candidate of peer.candidates) {
    turn.effects.push({ do: "peer.candidate", key: peer.key, ...candidate });
  }
}

export function memory(key: string): PeerMemory {
  const counts = { attempts: 0, unanswered: 0, failures: 0 };
  return { key, spoken: null, ...counts, offerStamp: null, candidates: [], restoredMs: [] };
}

export function setPhase(turn: Turn, peer: PeerMemory, phase: PeerPhase): void {
  const { key, spoken, attempts, unanswered, failures, offerStamp, candidates, restoredMs } = peer;
  turn.state.peers.set(key, {
    ...{ key, spoken, attempts, unanswered, failures, offerStamp, candidates, restoredMs },
    ...phase,
  });
  logPhase(turn, key, phase.phase);
}

function logPhase(turn: Turn, peer: string, state: string): void {
  const level = state === "connected" || state === "dormant" ? "info" : "debug";
  turn.effects.push({ do: "log", level, event: "peer_state", fields: { peer, state } });
}

export function drop(turn: Turn, reason: string): void {
  turn.effects.push({ do: "dropped", reason });
}
