import type { BotError } from "../base/errors.ts";
import { put } from "./own-key.ts";
import { closeAllPeers } from "./peers.ts";
import { takeId } from "./state.ts";
import type { Own, Trip, Turn } from "./state.ts";

/* The moves between the phases of our own membership; when each is made, and the picture, is in own-membership.ts. */

export const WRITE_TIMEOUT_MS = 60_000;
const OPEN_TIMEOUT_MS = 10_000;
export const RETRY_WRITE_MS = 5000;
const LEAVE_TIMEOUT_MS = 5000;
export const TRIP_TIMEOUT_MS = 120_000;

/** Sets off, or from `leaving` will when that is over. */
export function requestJoin(turn: Turn): void {
  const { own } = turn.state;
  if (own.phase === "leaving") turn.state.own = { ...own, joinAgain: true };
  else if (own.phase === "out") setOff(turn, { why: "asked", giveUpMs: turn.nowMs + TRIP_TIMEOUT_MS });
}

/** The way back after losing the media plane: nobody waits for it. */
export function lostTrip(turn: Turn): Trip {
  return { why: "lost", giveUpMs: turn.nowMs + TRIP_TIMEOUT_MS };
}

function setOff(turn: Turn, trip: Trip): void {
  if (turn.state.standing?.joinState === "JOINED") clear(turn, trip);
  else openChannel(turn, trip);
}

/** Takes back the JOINED that stands, so that the others close what they had with us. */
export function clear(turn: Turn, trip: Trip): void {
  const putId = put(turn, "LEFT", "leave");
  turn.state.own = { phase: "clearing", trip, putId, untilMs: turn.nowMs + WRITE_TIMEOUT_MS };
}

/** Asked for even while the plane is down: it may start with the first request. */
export function openChannel(turn: Turn, trip: Trip): void {
  const untilMs = turn.nowMs + OPEN_TIMEOUT_MS;
  openAgain(turn, { phase: "opening", trip, openId: 0, retryMs: null, untilMs });
}

/** Asks the plane once more within the same time. */
export function openAgain(turn: Turn, opening: Extract<Own, { phase: "opening" }>): void {
  const openId = takeId(turn);
  turn.effects.push({ do: "channel.open", openId });
  turn.state.own = { ...opening, openId, retryMs: null };
}

/** Writes JOINED. From now on others may offer to us. */
export function announce(turn: Turn, trip: Trip): void {
  const putId = put(turn, "JOINED", "refresh");
  turn.state.overwritten = null;
  turn.state.own = {
    phase: "joining",
    trip,
    putId,
    writtenMs: turn.nowMs,
    untilMs: turn.nowMs + WRITE_TIMEOUT_MS,
  };
}

/** LEFT stands though we are here: the channel stays open on the plane, all else begins anew. */
export function rejoin(turn: Turn): void {
  closeAllPeers(turn);
  announce(turn, lostTrip(turn));
}

/** A write on the way in failed. */
export function retryOrFail(turn: Turn, trip: Trip, error: BotError): void {
  if (trip.why === "asked") {
    // The homeserver may have it all the same, unless it said that it may not be.
    if (turn.state.own.phase !== "joining" || error.code === "forbidden") return fail(turn, error);
    failJoin(turn, error);
    leave(turn);
  } else if (error.code === "forbidden") {
    turn.effects.push({ do: "tell", sentence: { key: "channel.refresh_forbidden" } });
    goOut(turn);
  } else turn.state.own = { phase: "pausing", trip, untilMs: turn.nowMs + RETRY_WRITE_MS };
}

/** Ends a way in of which nothing was written. */
export function fail(turn: Turn, error: BotError): void {
  failJoin(turn, error);
  goOut(turn);
}

/** Tells whoever waits for `join()`. */
export function failJoin(turn: Turn, error: BotError): void {
  turn.effects.push({ do: "join.failed", error });
}

/** Everything of ours is closed; nothing is written. */
export function goOut(turn: Turn): void {
  closeAllPeers(turn);
  turn.state.own = { phase: "out" };
  turn.state.overwritten = null;
  turn.state.offersFromMs = null;
  turn.effects.push({ do: "media", open: false }, { do: "channel.close" });
}

/** Takes our membership back and closes everything. */
export function leave(turn: Turn): void {
  // LEFT first: with the homeserver's copy the others close at once, whatever becomes of the goodbye.
  const putId = put(turn, "LEFT", "leave");
  closeAllPeers(turn);
  turn.state.own = { phase: "leaving", putId, untilMs: turn.nowMs + LEAVE_TIMEOUT_MS, joinAgain: false };
}

/** LEFT stands, or took too long. */
export function left(turn: Turn, joinAgain: boolean): void {
  goOut(turn);
  if (joinAgain) requestJoin(turn);
}
