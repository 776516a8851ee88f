import { BotError } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { Command, Invocation } from "./command.ts";
import { trackLine, trackName } from "./format.ts";
import { usageOf } from "./usage.ts";
import { isGone, playing, powerOver } from "./who-may.ts";

/** How many tracks are to be skipped; null when it is no number. */
function skipCount(args: string): number | null {
  if (args === "") return 1;
  const count = /^\d{1,3}$/.test(args) ? Number(args) : 0;
  return count > 0 ? count : null;
}

const forceSkip: Command = {
  name: "forceskip",
  refusal: "error.not_yours",
  djs: true,
  aliases: ["fs"],
  usage: "[n]",
  help: "help.forceskip",
  power(invocation) {
    // Nothing is taken from whoever has asked for what is on now: the answer is that the other is gone already.
    if (isGone(invocation.room, invocation)) return 0;
    const count = skipCount(invocation.args) ?? 0;
    const waiting = invocation.room.player.queue().slice(0, Math.max(0, count - 1));
    return count === 0 ? 0 : powerOver([...playing(invocation), ...waiting], invocation);
  },
  order: "once",
  run({ room, ageMs, args, track }) {
    const asked = skipCount(args);
    if (asked === null) throw usageOf(skip, room);
    const count = Math.min(asked, room.player.queue().length + 1);
    const title = trackName(room.player.skip(ageMs, count, track));
    const next = room.player.nowPlaying();
    if (!next) return { key: count > 1 ? "player.skipped_many" : "player.skipped", params: { title, count } };
    const params = { title, count, next: trackLine(next.track) };
    return { key: count > 1 ? "player.skipped_many_now" : "player.skipped_now", params };
  },
};

/** The skip of somebody who may not is a vote for it, where the room has that and they are in the channel. */
function vote(invocation: Invocation): Sentence | null {
  const { room, message, ageMs, args } = invocation;
  const now = room.player.nowPlaying();
  if (!now || skipCount(args) !== 1 || room.settings.get("vote-skip") === "off") return null;
  if (!room.votes.mayVote(message.sender)) {
    throw new BotError("not_permitted", "not in the channel", { say: { key: "vote.not_there" } });
  }
  const { votes, needed } = room.votes.vote(message.sender);
  const title = trackName(now.track);
  if (votes < needed) return { key: "vote.counted", params: { votes, needed, title, prefix: room.prefix } };
  room.player.skip(ageMs, 1, now.track.id);
  const next = room.player.nowPlaying();
  const params = { votes, needed, title, ...(next && { next: trackLine(next.track) }) };
  return { key: next ? "vote.skipped_now" : "vote.skipped", params };
}

const skip: Command = { ...forceSkip, name: "skip", aliases: ["s"], help: "help.skip", otherwise: vote };

export const skipCommands: readonly Command[] = [skip, forceSkip];
