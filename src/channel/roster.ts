import type { Form, Membership } from "./codec.ts";

/**
 * Who is in the channel, by the rules of docs/PROTOCOL.md "Trust". Pure: a roster is a map that the caller owns, and time
 * is passed in. `nowMs` is monotonic; `wallMs` is our reading of the time of day, used only to compare with server times.
 */

/** A member whose last event is older is gone, unless its media flows. */
export const MEMBER_LIFETIME_MS = 25_000;
/** Without a word from the homeserver for so long nobody grows older: we would not know if they were heard of. */
const SILENCE_MS = 8000;
/** How long a LEFT is remembered, to recognise an older JOINED that arrives after it. */
const LEFT_MEMORY_MS = 60_000;

export interface Member {
  key: string;
  /** Who the key is bound to: the sender of its JOINED. */
  userId: string;
  joinState: "JOINED" | "LEFT";
  stamp: Stamp;
  /** Monotonic time of the last sign of life, the homeserver's age of the event taken off. */
  heardMs: number;
  /** Monotonic time at which we saw it join. */
  sinceMs: number;
  /** It was found to be not present any more, so nothing is to be expected of it at any time. */
  expired: boolean;
  /** The dialect its membership suggests. */
  form: Form;
  glareRule: boolean;
}

/** A server time that can be compared: a time in our future counts as the time received. */
export interface Stamp {
  serverTs: number;
  wallMs: number;
}

export interface MembershipEvent {
  key: string;
  sender: string;
  membership: Membership;
  originServerTs: number;
  ageMs: number;
  wallMs: number;
  /** From a snapshot of the room's state: it never beats what came live with the same time. */
  snapshot: boolean;
}

export type RosterOutcome =
  | "joined"
  | "refreshed"
  | "left"
  /** Ignored, and why: */
  | "older"
  | "stale"
  | "not_there"
  | "foreign_key"
  | "key_taken"
  | "outside_room"
  | "full";

/**
 * The user id inside a key of the form `<device>@<user>:<server>`, null for a free-text key. The server part must look
 * like one (Matrix spec, appendix "Server name"), so that `me @ home: laptop` stays free text.
 */
export function userOfKey(key: string): string | null {
  return /@[^@:\s]+:[A-Za-z0-9.\-[\]:]+$/.exec(key)?.[0] ?? null;
}

/** Whether `sender` may use `key` at all. */
export function mayUseKey(key: string, sender: string): boolean {
  const owner = userOfKey(key);
  return owner === null || owner === sender;
}

/** Whether an event with the stamp `a` is newer than one with `b`. Ties go to the later arrival, but not of a snapshot. */
export function isNewer(a: Stamp, b: Stamp, snapshot: boolean): boolean {
  // With both in our future it is our clock that is behind, or the same server's that is ahead: they still compare.
  const bothAhead = a.serverTs > a.wallMs && b.serverTs > b.wallMs;
  const left = bothAhead ? a.serverTs : Math.min(a.serverTs, a.wallMs);
  const right = bothAhead ? b.serverTs : Math.min(b.serverTs, b.wallMs);
  return snapshot ? left > right : left >= right;
}

/** The time by which members are judged: it stands still while the homeserver tells us nothing (`syncedMs`, null: nobody says). */
export function rosterMs(syncedMs: number | null, nowMs: number): number {
  return syncedMs === null ? nowMs : Math.min(nowMs, syncedMs + SILENCE_MS);
}

/** The homeserver was away: whoever was there has all of a lifetime from now on to be heard of again. */
export function excuseSilence(
  members: Map<string, Member>,
  lastMs: number,
  nowMs: number,
  mediaFlows: (key: string) => boolean,
): void {
  for (const [key, member] of members) {
    if (member.expired || !isPresent(member, lastMs, mediaFlows(key))) continue;
    members.set(key, { ...member, heardMs: nowMs });
  }
}

/** Whether a member counts as being in the channel: JOINED and heard of, or JOINED and its media flows. */
export function isPresent(member: Member | undefined, nowMs: number, mediaFlows: boolean): boolean {
  return member?.joinState === "JOINED" && (mediaFlows || nowMs - member.heardMs < MEMBER_LIFETIME_MS);
}

export interface RosterView {
  members: Map<string, Member>;
  nowMs: number;
  maxMembers: number;
  maxKeysPerUser: number;
  mediaFlows: (key: string) => boolean;
  isOutside: (userId: string) => boolean;
}

/** Applies a membership event of somebody else's key to `view.members` and says what came of it. */
export function applyMembership(view: RosterView, event: MembershipEvent): RosterOutcome {
  const { members, nowMs } = view;
  const { key, sender, membership } = event;
  if (!mayUseKey(key, sender)) return "foreign_key";
  if (view.isOutside(sender)) return "outside_room";
  const known = members.get(key);
  const present = isPresent(known, nowMs, view.mediaFlows(key));
  const leaving = membership.joinState === "LEFT";
  if (known && present && known.userId !== sender) return leaving ? "foreign_key" : "key_taken";
  const stamp = { serverTs: event.originServerTs, wallMs: event.wallMs };
  if (known && !isNewer(stamp, known.stamp, event.snapshot)) return "older";
  const eventMs = nowMs - event.ageMs;
  const aged = nowMs - eventMs >= (leaving ? LEFT_MEMORY_MS : MEMBER_LIFETIME_MS);
  if (aged && !known) return "stale";
  if (aged && !leaving && !present) return "stale";
  if (!leaving && !present && keysOf(view, sender) >= view.maxKeysPerUser) return "full";
  if (!known && !makeRoom(view)) return "full";
  const { form, glareRule } = membership;
  const entry = { key, userId: sender, stamp, expired: false, form, glareRule };
  if (leaving) {
    // Remembered even if we never saw it join: its JOINED may still be on the way.
    members.set(key, { ...entry, joinState: "LEFT", heardMs: eventMs, sinceMs: eventMs });
    return present ? "left" : "not_there";
  }
  const stays = known && present;
  members.set(key, {
    ...entry,
    joinState: "JOINED",
    heardMs: stays ? Math.max(known.heardMs, eventMs) : eventMs,
    sinceMs: stays ? known.sinceMs : eventMs,
  });
  return present ? "refreshed" : "joined";
}

/** Marks who is gone, and drops what no longer counts for anything: a room with many visits keeps a small roster. */
export function forgetGone(
  members: Map<string, Member>,
  nowMs: number,
  mediaFlows: (key: string) => boolean,
): void {
  for (const [key, member] of members) {
    if (isPresent(member, nowMs, mediaFlows(key))) continue;
    if (nowMs - member.heardMs > LEFT_MEMORY_MS) members.delete(key);
    else if (!member.expired) members.set(key, { ...member, expired: true });
  }
}

/** How many keys of a person are in the channel. */
function keysOf({ members, nowMs, mediaFlows }: RosterView, userId: string): number {
  let count = 0;
  for (const member of members.values()) {
    if (member.userId === userId && isPresent(member, nowMs, mediaFlows(member.key))) count++;
  }
  return count;
}

function makeRoom(view: RosterView): boolean {
  if (view.members.size < view.maxMembers) return true;
  for (const [key, member] of view.members) {
    if (isPresent(member, view.nowMs, view.mediaFlows(key))) continue;
    view.members.delete(key);
    return true;
  }
  return false;
}
