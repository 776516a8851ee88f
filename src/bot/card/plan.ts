// What becomes of the now-playing card next, and when. Pure; times are the monotonic clock's milliseconds.
//
//           a track plays, 5 s                    another track, 8 messages later
//   none ────────────────────────► standing ─────────────────────────────────────► standing (the new one), old ─► none
//     ▲                             │  │ ▲ edited: on a change after half a second and 3 s after the last edit, the bar
//     │ removed by somebody: nothing│  └─┘ alone every 30 s without a limit, every minute with plenty, else never
//     │ until another track plays   │
//     └──────◄──────────────────────┴── card off ─► old ─► none
//
// Whatever it does takes one event at the lowest priority and only while the homeserver's limit leaves something over; buttons
// (reactions of ours) and the bar only while there is plenty. An answer to a command may be the card: that one is a reply.

import type { Budget } from "../../matrix/outbox-policy.ts";
import type { CardView } from "./view.ts";

/** Reactions that act; the bot offers the first five where there is a limit. */
export const BUTTONS = ["⏯️", "⏭️", "⏹️", "🔀", "🔁", "🔉", "🔊"] as const;
const BUTTONS_WITH_A_LIMIT = 5;

/** Who has asked for it is answered first, and the answer may be the card; what fails at once needs none. */
export const POST_AFTER_MS = 5_000;
const SETTLE_MS = 500;
const EDIT_EVERY_MS = 3_000;
const BAR_EVERY_MS = 60_000;
const BAR_UNLIMITED_MS = 30_000;
/** Messages of the room after which the card is out of sight. */
export const MOVE_AFTER = 8;
/** It was wound, or stood still for so long. */
const JUMP_MS = 7_000;
const STANDS_MS = 1_000;
const ASK_AGAIN_MS = 5_000;

/** The card in the room, and what it said when it was last written. */
export interface Standing {
  readonly eventId: string;
  readonly track: string | null;
  /** See `CardView.fixed`; null: not known (an earlier run wrote it). */
  readonly fixed: string | null;
  /** The picture that it has; null: none, or not known. */
  readonly cover: string | null;
  readonly positionMs: number;
  /** How far that goes in a millisecond: 0 while paused. */
  readonly speed: number;
  readonly writtenMs: number;
  /** How many buttons it has of us. */
  readonly buttons: number;
}

export interface CardState {
  readonly standing: Standing | null;
  /** Earlier ones that are to go. */
  readonly old: readonly string[];
  /** Messages of the room since the card was posted. */
  readonly talked: number;
  /** Since when another track is on. */
  readonly trackMs: number;
  /** Since when the text should be another. */
  readonly changedMs: number;
  /** The track whose card somebody removed. */
  readonly dismissed: string | null;
}

export type CardStep =
  | { readonly do: "post" | "edit" | "retire" }
  | { readonly do: "remove"; readonly eventId: string }
  | { readonly do: "offer"; readonly button: string }
  /** Ask again at this time (null: when something changes). */
  | { readonly do: "wait"; readonly untilMs: number | null };

/** @param wanted null: there is to be no card */
export function nextStep(state: CardState, wanted: CardView | null, budget: Budget, nowMs: number): CardStep {
  const { standing, old } = state;
  if (wanted === null && standing) return { do: "retire" };
  const next = wanted && due(state, wanted, nowMs);
  const waits: number[] = [];
  if (next && nowMs < next.atMs) waits.push(next.atMs);
  else if (next) return budget === "none" ? later(nowMs) : { do: next.do };
  if (old[0] !== undefined) return budget === "none" ? later(nowMs) : { do: "remove", eventId: old[0] };
  const extra = wanted && standing && !next ? luxury(standing, wanted, budget, nowMs) : null;
  if (extra && extra.do !== "wait") return extra;
  if (extra && extra.untilMs !== null) waits.push(extra.untilMs);
  return { do: "wait", untilMs: waits.length === 0 ? null : Math.min(...waits) };
}

/** What stands when this was written. */
export function written(view: CardView, writtenMs: number): Omit<Standing, "eventId" | "buttons"> {
  const { track, fixed, cover, positionMs, speed, playing } = view;
  return { track, fixed, cover, positionMs, writtenMs, speed: playing ? speed : 0 };
}

/** Whether the card would be moved down if its track were another now. */
export const isOutOfSight = ({ standing, talked }: CardState): boolean =>
  standing === null || talked >= MOVE_AFTER;

/** What has to be written, and when it may be at the earliest; null: the card is as it should be, or there need be none. */
function due(
  state: CardState,
  wanted: CardView,
  nowMs: number,
): { do: "post" | "edit"; atMs: number } | null {
  const { standing, trackMs, changedMs, dismissed } = state;
  const isNew = standing?.track !== wanted.track;
  if (wanted.track !== null && wanted.playing && isOutOfSight(state) && (isNew || standing === null)) {
    return dismissed === wanted.track ? null : { do: "post", atMs: trackMs + POST_AFTER_MS };
  }
  if (standing === null) return null;
  const isAsItShould = standing.fixed === wanted.fixed && standing.cover === wanted.cover;
  if (isAsItShould && !hasJumped(standing, wanted, nowMs)) return null;
  return { do: "edit", atMs: Math.max(changedMs + SETTLE_MS, standing.writtenMs + EDIT_EVERY_MS) };
}

function hasJumped(standing: Standing, wanted: CardView, nowMs: number): boolean {
  if (!wanted.hasBar || Math.abs(wanted.positionMs - standing.positionMs) < STANDS_MS) return false;
  const expectedMs = standing.positionMs + standing.speed * (nowMs - standing.writtenMs);
  return Math.abs(wanted.positionMs - expectedMs) > JUMP_MS;
}

/** What is good to have: buttons first, then the bar. */
function luxury(standing: Standing, wanted: CardView, budget: Budget, nowMs: number): CardStep | null {
  if (wanted.track === null) return null;
  const offered = budget === "unlimited" ? BUTTONS.length : BUTTONS_WITH_A_LIMIT;
  const button = BUTTONS[standing.buttons];
  const isRich = budget === "plenty" || budget === "unlimited";
  if (standing.buttons < offered && button !== undefined)
    return isRich ? { do: "offer", button } : later(nowMs);
  if (!wanted.playing || !wanted.hasBar) return null;
  const barMs = standing.writtenMs + (budget === "unlimited" ? BAR_UNLIMITED_MS : BAR_EVERY_MS);
  if (nowMs < barMs) return { do: "wait", untilMs: barMs };
  // Where nothing moves (the media plane is away) there is nothing to show.
  const isMoving = Math.abs(wanted.positionMs - standing.positionMs) > STANDS_MS;
  return isRich && isMoving ? { do: "edit" } : later(nowMs);
}

const later = (nowMs: number): CardStep => ({ do: "wait", untilMs: nowMs + ASK_AGAIN_MS });
