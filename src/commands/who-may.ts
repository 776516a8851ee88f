import type { Track } from "../player/queue.ts";
import { MODERATOR, type Invocation } from "./command.ts";
import type { RoomContext } from "./room-context.ts";

/**
 * The power level that one needs to change something about these tracks: none for who has asked for all of them, nor for
 * who is alone in the channel with the bot.
 */
export function powerOver(tracks: readonly Track[], { room, message }: Invocation): number {
  const { sender } = message;
  const isFree = tracks.every(({ requester }) => requester === sender) || room.channel.isAlone(sender);
  return isFree ? 0 : MODERATOR;
}

/** As `powerOver` for everything that there is; of nothing nothing is taken, and the answer is that there is nothing. */
export const powerOverAll = (invocation: Invocation): number =>
  powerOver([...playing(invocation), ...invocation.room.player.queue()], invocation);

/** Who says it is in the channel, and nobody else but the bot. */
export const isAlone = ({ room, message }: Invocation): boolean => room.channel.isAlone(message.sender);

/** Whether the track that somebody means is not on any more. */
export function isGone(
  room: Pick<RoomContext, "player">,
  { track, ageMs }: Pick<Invocation, "track" | "ageMs">,
): boolean {
  const meant = track ?? room.player.meant(ageMs);
  const now = room.player.nowPlaying();
  return meant !== null && now !== null && meant !== now.track.id;
}

/** What is on, for `powerOver`. */
export function playing({ room }: Invocation): Track[] {
  const now = room.player.nowPlaying();
  return now ? [now.track] : [];
}
