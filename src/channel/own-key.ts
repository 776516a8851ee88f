import type { MembershipPriority } from "./ports.ts";
import { isPresent, rosterMs } from "./roster.ts";
import { mediaFlows, takeId } from "./state.ts";
import type { Own, Turn } from "./state.ts";

/*
 * Our own state event: writing it and keeping it fresh. What comes back under our key is own-echo.ts, when to be in and
 * out own-membership.ts.
 */
export const REFRESH_MS = 14_000;
const REFRESH_FOR_README_MS = 7000;
/** How soon it is asked again whether the rate budget has something over. */
const SPARE_ASKED_MS = 500;
/** After our own JOINED came back: what the others' sync may need more. Kept short, since an offer lost is offered again. */
const SETTLE_MS = 300;
const SETTLE_AFTER_RESET_MS = 1000;

/** Phases in which others see us as JOINED, or are about to, and may offer to us. */
export function isJoined(own: Own): boolean {
  return own.phase === "joining" || own.phase === "settling" || own.phase === "in";
}

/** Writes our membership. @returns the number that its result will carry. */
export function put(turn: Turn, joinState: "JOINED" | "LEFT", priority: MembershipPriority): number {
  const putId = takeId(turn);
  turn.effects.push({ do: "put", putId, joinState, priority });
  return putId;
}

/** Our JOINED came back in sync. */
export function echoed(turn: Turn, own: Extract<Own, { phase: "settling" }>): Own {
  if (own.echoed) return own;
  const waitMs = own.trip.why === "reset" ? SETTLE_AFTER_RESET_MS : SETTLE_MS;
  return { ...own, echoed: true, untilMs: turn.nowMs + waitMs };
}

/** Our JOINED stands again: offers reach the others a moment later. */
export function standsAgain({ state, nowMs }: Turn): void {
  if (state.offersFromMs !== null) state.offersFromMs = Math.min(state.offersFromMs, nowMs + SETTLE_MS);
}

/** Writes JOINED again, unless that is under way. */
export function refresh(turn: Turn): void {
  const { own } = turn.state;
  if (own.phase !== "in" || own.refreshing) return;
  const putId = put(turn, "JOINED", "refresh");
  turn.state.own = { ...own, refreshing: { putId, sinceMs: turn.nowMs } };
}

/**
 * README readers forget a member after 10 s, the web client after 20 s: where one of the former is, we refresh sooner as
 * long as the rate budget has something over. Asked again at each turn, so what is not possible now may be in a second.
 */
export function hurryForReadme(turn: Turn): void {
  const { state, nowMs } = turn;
  const { own } = state;
  if (own.phase !== "in" || own.refreshing) return;
  const soonMs = own.writtenMs + REFRESH_FOR_README_MS;
  // A write that failed is tried again sooner than that anyway.
  if (own.refreshMs < soonMs) return;
  const lateMs = own.writtenMs + REFRESH_MS;
  const askAgainMs = Math.min(lateMs, Math.max(soonMs, nowMs + SPARE_ASKED_MS));
  const refreshMs = !readmeIsThere(turn) ? lateMs : turn.spare ? soonMs : askAgainMs;
  state.own = { ...own, refreshMs };
}

function readmeIsThere({ state, nowMs }: Turn): boolean {
  const judgedMs = rosterMs(state.syncedMs, nowMs);
  for (const member of state.members.values()) {
    if (!isPresent(member, judgedMs, mediaFlows(state, member.key))) continue;
    const form = state.peers.get(member.key)?.spoken ?? member.form;
    if (form === "readme") return true;
  }
  return false;
}
