// What a room lacks for its voice channel to work with the bot in it. Pure. The invitation's greeting, `room grant` and
// `check` all ask this one function.
import type { Sentence } from "../base/messages/catalogue.ts";
import { MEMBERSHIP_TYPE, SIGNAL_TYPE } from "../channel/ports.ts";

/** What there is to know of a room; `RoomState` and `RoomContext` are such, and so is what `readRoom` returns. */
export interface RoomFacts {
  readonly ownUserId: string;
  /** Any doubt counts as encrypted. */
  readonly encrypted: boolean;
  powerOf(userId: string): number;
  powerNeeded(type: string, isState: boolean): number;
}

/** An event that has to be sent for something to work. */
export interface NeededEvent {
  readonly type: string;
  readonly isState: boolean;
}

/** Being in the voice channel, and finding each other there. */
export const CHANNEL_EVENTS: readonly NeededEvent[] = [
  { type: MEMBERSHIP_TYPE, isState: true },
  { type: SIGNAL_TYPE, isState: false },
];
/** Commands and answers. */
export const TALK_EVENT: NeededEvent = { type: "m.room.message", isState: false };

/** What may not be sent: `needed` is the level that it takes, `actual` the one there is, `suggested` what would do. */
interface LackOfPower {
  readonly event: string;
  readonly needed: number;
  readonly actual: number;
  readonly suggested: number;
}

export type Missing =
  /** The bot reads commands in the clear; it cannot work here at all, and nothing else matters. */
  | { readonly kind: "encrypted" }
  /** The bot may not send something. */
  | ({ readonly kind: "bot_power" } & LackOfPower)
  /** Ordinary members may not. */
  | ({ readonly kind: "members_power" } & LackOfPower)
  /** The homeserver holds the bot back. */
  | { readonly kind: "rate_limit" };

/**
 * The level of a member whom the room does not name (`users_default`). A room that silences newcomers (a negative
 * default) does so on purpose: what counts there is who was given a voice.
 */
export function membersLevel(room: Pick<RoomFacts, "powerOf">): number {
  return Math.max(0, room.powerOf("@"));
}

/**
 * What is missing in a room, the most important first; nothing when all is well.
 * @param limited whether the homeserver is known to hold the bot back (not exempt, or a 429 lately); default false
 */
export function missingIn(room: RoomFacts, { limited = false } = {}): Missing[] {
  if (room.encrypted) return [{ kind: "encrypted" }];
  const members = membersLevel(room);
  const own = room.powerOf(room.ownUserId);
  const lacking = (kind: "bot_power" | "members_power", actual: number): Missing[] =>
    [...CHANNEL_EVENTS, TALK_EVENT]
      .map(({ type, isState }) => ({ event: type, needed: room.powerNeeded(type, isState) }))
      .filter(({ needed }) => needed > actual)
      .map((lack) => ({ kind, ...lack, actual, suggested: members }));
  return [
    ...lacking("bot_power", own),
    ...lacking("members_power", members),
    ...(limited ? [{ kind: "rate_limit" } as const] : []),
  ];
}

/** For the people of the room: what is missing, and what changes it. */
export function missingSentence(missing: Missing): Sentence {
  if (missing.kind === "encrypted") return { key: "room.encrypted" };
  if (missing.kind === "rate_limit") return { key: "missing.rate_limit" };
  const { kind, ...params } = missing;
  const what = params.event === TALK_EVENT.type ? "talk" : "channel";
  return { key: `missing.${kind === "bot_power" ? "bot" : "members"}_${what}`, params: { ...params } };
}
