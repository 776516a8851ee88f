import { echoed, isJoined, put } from "./own-key.ts";
import { rejoin } from "./own-moves.ts";
import { lostKey } from "./peers.ts";
import { isNewer } from "./roster.ts";
import type { MembershipEvent } from "./roster.ts";
import { tellOnce } from "./state.ts";
import type { Turn } from "./state.ts";

/*
 * What comes back from the room under our own key: our echo, a LEFT in our name that we did not write now (the homeserver
 * posted the delayed one because it did not hear of us), or somebody else's claim.
 */
const REPAIRS_PER_MINUTE = 3;

/** A membership event of our own key. */
export function ownKeyEvent(turn: Turn, eventId: string, event: MembershipEvent): void {
  const { state } = turn;
  const stamp = { serverTs: event.originServerTs, wallMs: event.wallMs };
  const known = state.standing;
  if (known?.eventId !== eventId && known?.stamp && !isNewer(stamp, known.stamp, event.snapshot)) return;
  const joinState = event.membership.joinState;
  state.standing = { joinState, eventId, sender: event.sender, stamp };
  const { own } = state;
  if (own.phase === "settling" && own.eventId === eventId) {
    state.own = echoed(turn, own);
    return;
  }
  if (event.sender === state.ownUserId) {
    if (joinState === "LEFT" && eventId !== state.clearedId) leftInOurName(turn);
    return;
  }
  if (!isJoined(own)) return;
  tellOnce(turn, event.sender, { key: "channel.key_overwritten", params: { user: event.sender } });
  state.overwritten = { by: event.sender, joinState };
  repair(turn);
}

/**
 * Writes our key again after somebody overwrote it, in place of a refresh that waits; beyond a few times a minute the next
 * refresh has to do.
 */
export function repair(turn: Turn): void {
  const { state } = turn;
  const { overwritten, own } = state;
  if (!overwritten || own.phase !== "in") return;
  state.overwritten = null;
  if (!mayRepair(turn)) return;
  turn.effects.push({ do: "log", level: "warn", event: "own_key_overwritten", fields: overwritten });
  const putId = put(turn, "JOINED", "restore");
  state.own = { ...own, refreshing: { putId, sinceMs: turn.nowMs } };
  if (overwritten.joinState === "LEFT") lostKey(turn);
}

/** Everybody believed it, and closed what they had with us: we join again, with offers to all. */
function leftInOurName(turn: Turn): void {
  const { state } = turn;
  const { own } = state;
  // Before our JOINED is back it is older than that.
  const joined = own.phase === "in" || (own.phase === "settling" && own.echoed);
  if (!joined || !mayRepair(turn)) return;
  const fields = { by: state.ownUserId, joinState: "LEFT" };
  turn.effects.push({ do: "log", level: "warn", event: "own_key_overwritten", fields });
  rejoin(turn);
}

function mayRepair({ state, nowMs }: Turn): boolean {
  const lately = state.repairsMs.filter((atMs) => nowMs - atMs < 60_000);
  if (lately.length >= REPAIRS_PER_MINUTE) return false;
  state.repairsMs = [...lately, nowMs];
  return true;
}
