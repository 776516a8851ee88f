import { presentMembers } from "./reducer.ts";
import { mediaFlows } from "./state.ts";
import type { ChannelState } from "./state.ts";

/* What can be seen of a channel from outside, and how that changed. */

/** `joining` covers coming back after the media plane was lost. */
export type ChannelPhase = "out" | "joining" | "in" | "leaving";

export interface ChannelMember {
  /** Device key; the plane's name for the peer and its speaker. */
  key: string;
  userId: string;
  /** Whether media flows. */
  connected: boolean;
  /** Monotonic ms (Clock.now) since when it is in the channel. */
  sinceMs: number;
}

export type ChannelChange =
  | { kind: "state"; old: ChannelPhase; new: ChannelPhase }
  /** Whether the plane has the channel: with each `open: true` it is a new, empty one. */
  | { kind: "media"; open: boolean }
  | MemberChange;

/** `connected` and `disconnected` come between the `joined` and `left` of their member. */
export interface MemberChange {
  kind: "member.joined" | "member.left" | "member.connected" | "member.disconnected";
  member: ChannelMember;
}

export function phaseOf({ own }: ChannelState): ChannelPhase {
  switch (own.phase) {
    case "out":
    case "in":
    case "leaving":
      return own.phase;
    case "clearing":
    case "pausing":
    case "opening":
    case "joining":
    case "settling":
      return "joining";
  }
}

export function visibleMembers(state: ChannelState, nowMs: number): Map<string, ChannelMember> {
  return new Map(
    presentMembers(state, nowMs).map(({ key, userId, sinceMs }) => [
      key,
      { key, userId, sinceMs, connected: mediaFlows(state, key) },
    ]),
  );
}

/** What happened between two moments, in an order in which it can have happened. */
export function memberChanges(
  before: ReadonlyMap<string, ChannelMember>,
  now: ReadonlyMap<string, ChannelMember>,
): MemberChange[] {
  const changes: MemberChange[] = [];
  for (const [key, was] of before) {
    const is = now.get(key);
    // A free key that another person took over is another member, and so is one that left and came back.
    const stays = is?.userId === was.userId && is.sinceMs === was.sinceMs;
    const gone = { ...was, connected: false };
    if (was.connected && !(stays && is.connected))
      changes.push({ kind: "member.disconnected", member: gone });
    if (!stays) changes.push({ kind: "member.left", member: gone });
  }
  for (const [key, is] of now) {
    const was = before.get(key);
    const stayed = was?.userId === is.userId && was.sinceMs === is.sinceMs;
    if (!stayed) changes.push({ kind: "member.joined", member: is });
    if (is.connected && !(stayed && was.connected)) changes.push({ kind: "member.connected", member: is });
  }
  return changes;
}
