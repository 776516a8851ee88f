import type { ChannelSession } from "../channel/session.ts";
import type { RoomState } from "../matrix/session.ts";
import { usersIn } from "../settings/lists.ts";
import type { RoomSettings } from "../settings/room-settings.ts";

export interface PeopleThereDeps {
  room: Pick<RoomState, "ownUserId">;
  channel: Pick<ChannelSession, "members">;
  settings: Pick<RoomSettings, "get">;
}

/** User ids of the people in the channel: without the bot's own account and without what the room says are other bots. */
export function peopleThere({ room, channel, settings }: PeopleThereDeps): Set<string> {
  const people = new Set(channel.members().map(({ userId }) => userId));
  for (const bot of [room.ownUserId, ...usersIn(settings.get("bots"))]) people.delete(bot);
  return people;
}
