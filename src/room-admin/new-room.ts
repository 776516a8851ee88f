// What a new voice room looks like. Pure.
import { MEMBERSHIP_TYPE, SIGNAL_TYPE } from "../channel/ports.ts";

export interface RoomPlan {
  readonly name: string;
  /** Anybody with the link may join; else only who is invited. */
  readonly public: boolean;
  /** Level 50: `!stop`, `!record`, inviting, kicking. */
  readonly moderators: readonly string[];
  /** Level 100: everything, also the power levels. */
  readonly owners: readonly string[];
}

export const MODERATOR_LEVEL = 50;
export const OWNER_LEVEL = 100;

/** From room version 12 on creators rank above every level, and must not be named among the users (MSC4289). */
export function creatorsRankAbove(roomVersion: string): boolean {
  return /^\d+$/.test(roomVersion) && Number(roomVersion) >= 12;
}

/**
 * The body of POST /createRoom. Nobody is invited by it: one invitation that fails would fail the whole, and all at once
 * are more than a rate limit takes.
 * @param roomVersion the homeserver's default
 */
export function createRoomBody(
  plan: RoomPlan,
  creator: string,
  roomVersion: string,
): Readonly<Record<string, unknown>> {
  const above = creatorsRankAbove(roomVersion);
  return {
    name: plan.name,
    room_version: roomVersion,
    preset: plan.public ? "public_chat" : "private_chat",
    // Not in the homeserver's public list: who shares the link says who comes.
    visibility: "private",
    initial_state: [
      { type: "m.room.guest_access", state_key: "", content: { guest_access: "forbidden" } },
      // Signalling holds the network addresses of members: who comes later need not read it.
      { type: "m.room.history_visibility", state_key: "", content: { history_visibility: "joined" } },
    ],
    power_level_content_override: {
      users: {
        ...(above ? {} : { [creator]: OWNER_LEVEL }),
        ...Object.fromEntries(plan.moderators.map((userId) => [userId, MODERATOR_LEVEL])),
        ...Object.fromEntries(plan.owners.map((userId) => [userId, OWNER_LEVEL])),
      },
      users_default: 0,
      events_default: 0,
      state_default: 50,
      invite: 50,
      kick: 50,
      ban: 50,
      redact: 50,
      // Synapse replaces its whole map by this one, so its defaults are repeated.
      events: {
        "m.room.name": 50,
        "m.room.avatar": 50,
        "m.room.canonical_alias": 50,
        "m.room.history_visibility": 100,
        "m.room.power_levels": 100,
        "m.room.server_acl": 100,
        "m.room.tombstone": above ? 150 : 100,
        // Encryption cannot be switched off again, and ends the bot's work here.
        "m.room.encryption": 100,
        [MEMBERSHIP_TYPE]: 0,
        // By name, so that the channel stays open when the chat is closed one day (events_default).
        [SIGNAL_TYPE]: 0,
      },
    },
  };
}
