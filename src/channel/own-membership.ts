import { BotError } from "../base/errors.ts";
import { offerToEverybody } from "./negotiation.ts";
import { repair } from "./own-echo.ts";
import { echoed, hurryForReadme, isJoined, put, REFRESH_MS, refresh, standsAgain } from "./own-key.ts";
import {
  announce,
  clear,
  failJoin,
  fail,
  goOut,
  leave,
  left,
  lostTrip,
  openAgain,
  openChannel,
  RETRY_WRITE_MS,
  retryOrFail,
  TRIP_TIMEOUT_MS,
  WRITE_TIMEOUT_MS,
} from "./own-moves.ts";
import { closeAllPeers, forgetAllPeers } from "./peers.ts";
import type { ChannelInput, ChannelState, Turn } from "./state.ts";

/*
 * The one scheduler of our own membership. Names are `own.phase`; in brackets what stands in the room.
 *
 *         join, our key stands as JOINED     join, it does not
 *     out ──────────────────┬───────────────────────┐
 *      ▲                    ▼                       ▼
 *      │               clearing ──────► pausing ──────► opening ──────► joining ──────► settling ──────► in ─┐
 *      │               [JOINED]  LEFT   [LEFT]  300 ms  [LEFT]  the     [LEFT]  JOINED  [JOINED] our    [JOINED]
 *      │                 ▲  ▲    taken   ▲              plane has       │       taken      │    event      │ │
 *      │                 │  │            │              the channel     │                  │    back, and  │ └─► refresh every
 *      │                 │  │            └─ 5 s ─ write failed ◄────────┘                  │    0.3 s      │    14 s (7 s)
 *      │                 │  │               and nobody waits                               │               │
 *      │                 │  └─ media plane lost ◄──────────────────────────────────────────┴───────────────┤
 *      │                 └──── reset, the last resort ◄────────────────────────────────────────────────────┤
 *      │                                                                                                   │
 *      └── LEFT taken, or 5 s ── leaving ◄── leave, or too long on the way (2 min), or refresh forbidden ──┘
 *
 * A way in that somebody asked for ends in `out` when a write or the plane fails, and `join()` is told why; one that
 * nobody waits for goes on for two minutes. Out of the room is `out` at once, from everywhere. A LEFT in our name that
 * came back and that we did not write (the homeserver posted the delayed one) leads from `in` to `joining`: LEFT stands,
 * so everybody is offered to anew; the channel stays open on the plane.
 */
export const CLEAR_PAUSE_MS = 300;
const RETRY_OPEN_MS = 1000;
const ECHO_TIMEOUT_MS = 10_000;
const RESET_EVERY_MS = 10 * 60_000;

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
  turn.effects.push({ do: "media", open: false });
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
    if (peer.phase === "connected" || peer.phase === "connecting") return;
    if (peer.phase === "owed" || peer.phase === "answering") return;
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
      if (state.planeUp) {
        turn.effects.push({ do: "media", open: true });
        announce(turn, own.trip);
      }
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
      openChannel(turn, own.trip);
      return;
    case "opening":
      if (nowMs < own.untilMs) openAgain(turn, own);
      else if (own.trip.why === "asked") {
        fail(turn, new BotError("media_plane_down", "the media plane did not open the channel", planeDown));
      } else openChannel(turn, own.trip);
      return;
    case "joining":
      retryOrFail(
        turn,
        own.trip,
        new BotError("timeout", "the homeserver did not take JOINED in time", serverSlow),
      );
      return;
    case "settling":
      state.own = {
        phase: "in",
        writtenMs: own.writtenMs,
        refreshMs: own.writtenMs + REFRESH_MS,
        refreshing: null,
      };
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

function written(turn: Turn, putId: number, joinState: "JOINED" | "LEFT", eventId: string): void {
  const { state, nowMs } = turn;
  const { own } = state;
  const echo = state.standing?.eventId === eventId;
  // The echo knows the server's time of it; the answer to the write does not.
  if (!echo) state.standing = { joinState, eventId, sender: state.ownUserId, stamp: null };
  if (joinState === "LEFT") state.clearedId = eventId;
  if (own.phase === "clearing" && own.putId === putId) {
    state.own = { phase: "pausing", trip: own.trip, untilMs: nowMs + CLEAR_PAUSE_MS };
  } else if (own.phase === "joining" && own.putId === putId) {
    const settling = {
      phase: "settling",
      trip: own.trip,
      eventId,
      echoed: false,
      writtenMs: own.writtenMs,
      untilMs: nowMs + ECHO_TIMEOUT_MS,
    } as const;
    state.own = echo ? echoed(turn, settling) : settling;
  } else if (own.phase === "in" && own.refreshing?.putId === putId) {
    // It may have waited for the rate budget, and has the time at which it left: count from now, not from when it was due.
    state.own = { phase: "in", writtenMs: nowMs, refreshMs: nowMs + REFRESH_MS, refreshing: null };
    standsAgain(turn);
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
