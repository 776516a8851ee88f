import { BotError } from "../base/errors.ts";
import { CLIP_SECONDS } from "../recorder/clip/keeper.ts";
import type { Command } from "./command.ts";

const USUAL_SECONDS = 60;

/** What was said lately, as a file; the answer is the file, with a word to it. */
export const clipCommand: Command = {
  name: "clip",
  aliases: [],
  usage: `[1-${CLIP_SECONDS}]`,
  help: "help.clip",
  power: 0,
  order: "turn",
  async run({ room, message, args }) {
    const seconds = args === "" ? USUAL_SECONDS : Number(/^(\d{1,4})\s*s?$/i.exec(args)?.[1] ?? "0");
    if (seconds < 1 || seconds > CLIP_SECONDS) {
      const say = { key: "clip.seconds", params: { limit: CLIP_SECONDS } } as const;
      throw new BotError("bad_command", "no such length of a clip", { say });
    }
    if (room.settings.get("clip") === "on" && room.channel.joined && room.channel.people === 0) {
      throw new BotError("channel_empty", "nobody is in the voice channel", { say: { key: "clip.alone" } });
    }
    await room.clips.make(message.sender, seconds);
    return null;
  },
};
