import { BotError } from "../base/errors.ts";
import { offerToEverybody } from "./negotiation.ts";
import { echoed, hurryForReadme, isJoined, put, REFRESH_MS, refresh, repair } from "./own-key.ts";
import { closeAllPeers, forgetAllPeers } from "./peers.ts";
import { takeId } from "./state.ts";
import type { ChannelInput, ChannelState, Own, Trip, Turn } from "./state.ts";

/*
 * The one scheduler of our own membership. Names are `own.phase`; (LEFT) and (JOINED) are what stands in the room.
 *
 *          join, our key stands as JOINED        join, it does not
 *      out ───────────────┬────────────────────────────┐
 *       ▲                 ▼                            ▼
 *       │             clearing ──LEFT taken──► pausing ──300 ms──► opening ◄─┐
 *       │  media plane    ▲  ▲                 (LEFT)              │         │ media plane lost or
 *       │  lost, or reset │  │                                     │ opened  │ not there: waits
 *       │                 │  └── write failed: pausing 5 s ──┐     │ on the  ┘
 *       │                 │      (not if somebody waits)     │     ▼ plane
 *       │                in ◄──echo + wait── settling ◄── joining
 *       │              refresh               (JOINED)   JOINED taken
 *       │              every 14 s, 7 s
 *       │ LEFT taken      │
 *       │ or 5 s          ▼ leave (from anywhere after the JOINED was written)
 *       └────────────── leaving ◄── join in vain, timed out
 *
 *  From every phase to `out` at once: we are not in the room any more. From `clearing` to `settling` a trip that
 *  somebody asked for ends in `out` when a write or the plane fails or takes too long, and `join()` is told why.
 */
export const CLEAR_PAUSE_MS = 300;
const WRITE_TIMEOUT_MS = 60_000;
const OPEN_TIMEOUT_MS = 10_000;
const RETRY_OPEN_MS = 1000;
const ECHO_TIMEOUT_MS = 10_000;
const RETRY_WRITE_MS = 5000;
const LEAVE_TIMEOUT_MS = 5000;
const TRIP_TIMEOUT_MS = 120_000;
const RESET_EVERY_MS = 10 * 60_000;

export function requestJoin(turn: Turn): void {
  const { own } = turn.state;
  if (own.phase === "leaving") turn.state.own = { ...own, joinAgain: true };
  else if (own.phase === "out") setOff(turn, { why: "asked", giveUpMs: turn.nowMs + TRIP_TIMEOUT_MS });
}

export function requestLeave(turn: Turn): void {
  const { own } = turn.state;
  if (own.phase === "out") return;
  if (own.phase === "leaving") {
    turn.state.own = { ...own, joinAgain: false };
    return;
  }
  const written = isJoined(own) || turn.state.standing?.joinState === "JOINED";
  if (own.phase !== "in") failJoin(turn, new BotError("cancelled", "left the channel while joining"));
  if (written) leave(turn);
  else goOut(turn);
}

/** The media plane came or went; with it went every connection. */
export function planeChanged(turn: Turn, up: boolean): void {
  const { state } = turn;
  if (state.planeUp === up) return;
  state.planeUp = up;
  const { own } = state;
  if (up) {
    if (own.phase === "opening" && own.retryMs !== null) openAgain(turn, own);
    return;
  }
  forgetAllPeers(turn);
  if (isJoined(own)) {
    // Whoever waits for join() goes on waiting: the trip starts again.
    const trip = "trip" in own ? own.trip : lostTrip(turn);
    clear(turn, trip.why === "reset" ? lostTrip(turn) : trip);
  } else if (own.phase === "opening") {
    // Whatever comes of that request now, it was about the plane that is gone.
    state.own = { ...own, openId: 0, retryMs: turn.nowMs + RETRY_OPEN_MS };
  }
}

/** As a last resort LEFT and JOINED again: this resets us for everybody, so only when nobody is connected. */
export function resetIfAlone(turn: Turn): void {
  const { state, nowMs } = turn;
  if (state.own.phase !== "in") return;
  if (state.resetMs !== null && nowMs - state.resetMs < RESET_EVERY_MS) return;
  for (const peer of state.peers.values()) {
    if (peer.phase === "connected" || peer.phase === "connecting" || peer.phase === "answering") return;
  }
  state.resetMs = nowMs;
  closeAllPeers(turn);
  clear(turn, { why: "reset", giveUpMs: nowMs + TRIP_TIMEOUT_MS });
}

/** We are not in the room any more: nothing can be written there. */
export function thrownOut(turn: Turn): void {
  const { own } = turn.state;
  if (own.phase === "out") return;
  failJoin(
    turn,
    new BotError("forbidden", "not in the room any more", { say: { key: "channel.not_in_room" } }),
  );
  goOut(turn);
}

export function ownResult(
  turn: Turn,
  input: Extract<ChannelInput, { kind: "put.done" | "put.failed" | "open.done" | "open.failed" }>,
): void {
  const { state } = turn;
  const { own } = state;
  switch (input.kind) {
    case "open.done":
      if (own.phase !== "opening" || own.openId !== input.openId) return;
      if (state.planeUp) announce(turn, own.trip);
      // It died while the answer was on its way.
      else state.own = { ...own, retryMs: turn.nowMs + RETRY_OPEN_MS };
      return;
    case "open.failed":
      if (own.phase !== "opening" || own.openId !== input.openId) return;
      if (own.trip.why === "asked" && !input.error.retryable) fail(turn, input.error);
      // The plane is starting, or restarting.
      else state.own = { ...own, retryMs: turn.nowMs + RETRY_OPEN_MS };
      return;
    case "put.done":
      written(turn, input.putId, input.joinState, input.eventId);
      return;
    case "put.failed":
      notWritten(turn, input.putId, input.error);
  }
}

/** What is due at `turn.nowMs`. */
export function tickOwn(turn: Turn): void {
  const { state, nowMs } = turn;
  hurryForReadme(turn);
  const { own } = state;
  const trip = "trip" in own ? own.trip : null;
  if (trip && nowMs >= trip.giveUpMs) {
    if (trip.why === "asked") failJoin(turn, new BotError("timeout", "joining took too long", serverSlow));
    else turn.effects.push({ do: "tell", sentence: { key: "channel.lost" } });
    leave(turn);
    return;
  }
  const dueMs = ownWakeMs(state);
  if (dueMs === null || nowMs < dueMs) return;
  switch (own.phase) {
    case "out":
      return;
    case "clearing":
      retryOrFail(turn, own.trip, new BotError("timeout", "the homeserver did not take LEFT in time"));
      return;
    case "pausing":
      open(turn, own.trip);
      return;
    case "opening":
      if (nowMs < own.untilMs) openAgain(turn, own);
      else if (own.trip.why === "asked") {
        fail(turn, new BotError("media_plane_down", "the media plane did not open the channel", planeDown));
      } else open(turn, own.trip);
      return;
    case "joining":
      if (own.trip.why === "asked") {
        failJoin(turn, new BotError("timeout", "the homeserver did not take JOINED in time", serverSlow));
        leave(turn);
      } else retryOrFail(turn, own.trip, new BotError("timeout", "JOINED was not taken in time"));
      return;
    case "settling":
      state.own = { phase: "in", writtenMs: nowMs, refreshMs: nowMs + REFRESH_MS, refreshing: null };
      offerToEverybody(turn);
      repair(turn);
      return;
    case "in":
      // A write that is under way for so long will not come back; its result is void from now on.
      if (own.refreshing) state.own = { ...own, refreshing: null };
      refresh(turn);
      return;
    case "leaving":
      left(turn, own.joinAgain);
  }
}

/** When `tickOwn` has something to do; null when only an event moves it. */
export function ownWakeMs(state: ChannelState): number | null {
  const { own } = state;
  switch (own.phase) {
    case "out":
      return null;
    case "in":
      return own.refreshing ? own.refreshing.sinceMs + WRITE_TIMEOUT_MS : own.refreshMs;
    case "leaving":
      return own.untilMs;
    case "opening":
      return Math.min(own.retryMs ?? Infinity, own.untilMs, own.trip.giveUpMs);
    case "clearing":
    case "pausing":
    case "joining":
    case "settling":
      return Math.min(own.untilMs, own.trip.giveUpMs);
  }
}

const planeDown = { retryable: true, say: { key: "error.media_plane_down" } } as const;
const serverSlow = {
  retryable: true,
  say: { key: "error.homeserver", params: { reason: "timeout" } },
} as const;

function lostTrip(turn: Turn): Trip {
  return { why: "lost", giveUpMs: turn.nowMs + TRIP_TIMEOUT_MS };
}

function setOff(turn: Turn, trip: Trip): void {
  if (turn.state.standing?.joinState === "JOINED") clear(turn, trip);
  else open(turn, trip);
}

function clear(turn: Turn, trip: Trip): void {
  const putId = put(turn, "LEFT", "leave");
  turn.state.own = { phase: "clearing", trip, putId, untilMs: turn.nowMs + WRITE_TIMEOUT_MS };
}

/** Asked for even while the plane is down: it may start with the first request. */
function open(turn: Turn, trip: Trip): void {
  const untilMs = turn.nowMs + OPEN_TIMEOUT_MS;
  openAgain(turn, { phase: "opening", trip, openId: 0, retryMs: null, untilMs });
}

function openAgain(turn: Turn, opening: Extract<Own, { phase: "opening" }>): void {
  const openId = takeId(turn);
  turn.effects.push({ do: "channel.open", openId });
  turn.state.own = { ...opening, openId, retryMs: null };
}

function announce(turn: Turn, trip: Trip): void {
  const putId = put(turn, "JOINED", "refresh");
  turn.state.overwritten = null;
  turn.state.own = { phase: "joining", trip, putId, untilMs: turn.nowMs + WRITE_TIMEOUT_MS };
}

function written(turn: Turn, putId: number, joinState: "JOINED" | "LEFT", eventId: string): void {
  const { state, nowMs } = turn;
  const { own } = state;
  const echo = state.standing?.eventId === eventId;
  // The echo knows the server's time of it; the answer to the write does not.
  if (!echo) state.standing = { joinState, eventId, sender: state.ownUserId, stamp: null };
  if (own.phase === "clearing" && own.putId === putId) {
    state.own = { phase: "pausing", trip: own.trip, untilMs: nowMs + CLEAR_PAUSE_MS };
  } else if (own.phase === "joining" && own.putId === putId) {
    const settling = {
      phase: "settling",
      trip: own.trip,
      eventId,
      echoed: false,
      untilMs: nowMs + ECHO_TIMEOUT_MS,
    } as const;
    state.own = echo ? echoed(turn, settling) : settling;
  } else if (own.phase === "in" && own.refreshing?.putId === putId) {
    const writtenMs = own.refreshing.sinceMs;
    state.own = { phase: "in", writtenMs, refreshMs: writtenMs + REFRESH_MS, refreshing: null };
    repair(turn);
  } else if (own.phase === "leaving" && own.putId === putId) {
    left(turn, own.joinAgain);
  } else if (joinState === "JOINED" && own.phase === "out") {
    // A write that was given up came through after all: take it back, nobody of ours is there.
    put(turn, "LEFT", "leave");
  }
}

function notWritten(turn: Turn, putId: number, error: BotError): void {
  const { state, nowMs } = turn;
  const { own } = state;
  if ((own.phase === "clearing" || own.phase === "joining") && own.putId === putId) {
    retryOrFail(turn, own.trip, error);
  } else if (own.phase === "in" && own.refreshing?.putId === putId) {
    if (error.code === "forbidden") {
      turn.effects.push({ do: "tell", sentence: { key: "channel.refresh_forbidden" } });
      leave(turn);
    } else state.own = { ...own, refreshing: null, writtenMs: nowMs, refreshMs: nowMs + RETRY_WRITE_MS };
  } else if (own.phase === "leaving" && own.putId === putId) {
    left(turn, own.joinAgain);
  }
}

function retryOrFail(turn: Turn, trip: Trip, error: BotError): void {
  if (trip.why === "asked") fail(turn, error);
  else if (error.code === "forbidden") {
    turn.effects.push({ do: "tell", sentence: { key: "channel.refresh_forbidden" } });
    goOut(turn);
  } else turn.state.own = { phase: "pausing", trip, untilMs: turn.nowMs + RETRY_WRITE_MS };
}

function fail(turn: Turn, error: BotError): void {
  failJoin(turn, error);
  goOut(turn);
}

function failJoin(turn: Turn, error: BotError): void {
  turn.effects.push({ do: "join.failed", error });
}

function goOut(turn: Turn): void {
  closeAllPeers(turn);
  turn.state.own = { phase: "out" };
  turn.state.overwritten = null;
  turn.effects.push({ do: "channel.close" });
}

function leave(turn: Turn): void {
  // LEFT first: with the homeserver's copy the others close at once, whatever becomes of the goodbye.
  const putId = put(turn, "LEFT", "leave");
  closeAllPeers(turn);
  turn.state.own = { phase: "leaving", putId, untilMs: turn.nowMs + LEAVE_TIMEOUT_MS, joinAgain: false };
}

function left(turn: Turn, joinAgain: boolean): void {
  goOut(turn);
  if (joinAgain) requestJoin(turn);
}
