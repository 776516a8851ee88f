import type { Track } from "../player/queue.ts";
import { MODERATOR, type Invocation } from "./command.ts";

/**
 * The power level that one needs to change something about these tracks: none for who has asked for all of them, nor for
 * who is alone in the channel with the bot.
 */
export function powerOver(tracks: readonly Track[], { room, message }: Invocation): number {
  const { sender } = message;
  const isFree = tracks.every(({ requester }) => requester === sender) || room.channel.isAlone(sender);
  return isFree ? 0 : MODERATOR;
}

/** What is on, for `powerOver`. */
export function playing({ room }: Invocation): Track[] {
  const now = room.player.nowPlaying();
  return now ? [now.track] : [];
}
