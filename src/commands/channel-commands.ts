import { BotError } from "../base/errors.ts";
import { missingIn, TALK_EVENT, type RoomFacts } from "../room-admin/missing.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import { isAlone } from "./who-may.ts";

/**
 * Brings the bot into the voice channel for a command that is about sound.
 * @throws BotError `channel_empty` when nobody would hear it, `room_power` when the bot may not, and what joining throws.
 */
export async function ensureInChannel(invocation: Invocation, command: string): Promise<void> {
  const { room } = invocation;
  if (room.channel.people === 0) {
    throw new BotError("channel_empty", "nobody is in the voice channel", {
      say: { key: "channel.empty", params: { command: room.prefix + command } },
    });
  }
  if (room.channel.joined) return;
  requireChannelPower(invocation);
  await room.channel.join();
}

/** @throws BotError `room_power` naming the event, the level it needs and what a moderator can change. */
export function requireChannelPower({ room }: { room: RoomFacts }): void {
  for (const missing of missingIn(room)) {
    if (missing.kind !== "bot_power" || missing.event === TALK_EVENT.type) continue;
    const { event, needed, actual, suggested } = missing;
    throw new BotError("room_power", `${event} needs ${needed}, own ${actual}`, {
      say: { key: "room.power", params: { event, needed, actual, suggested } },
    });
  }
}

export const channelCommands: readonly Command[] = [
  {
    name: "join",
    djs: true,
    aliases: ["j"],
    usage: "",
    help: "help.join",
    power: 0,
    order: "turn",
    async run(invocation) {
      if (!invocation.room.channel.joined) {
        requireChannelPower(invocation);
        await invocation.room.channel.join();
      }
      return { key: "channel.joined" };
    },
  },
  {
    name: "leave",
    aliases: ["lv", "dc"],
    usage: "",
    help: "help.leave",
    // Who is alone there takes it from nobody; a recording is more than what is heard now.
    power: (invocation) =>
      isAlone(invocation) && invocation.room.recorder.status().phase !== "recording" ? 0 : MODERATOR,
    djs: true,
    order: "once",
    async run({ room, message }) {
      const { channel, player, recorder, prefix } = room;
      if (!channel.joined) {
        throw new BotError("not_in_channel", "not in the channel", {
          say: { key: "command.not_in_channel", params: { prefix } },
        });
      }
      if (recorder.status().phase === "recording") await recorder.stop("command", message.sender);
      if (player.nowPlaying() ?? player.queue()[0]) player.stop();
      await channel.leave();
      return { key: "channel.left" };
    },
  },
];
