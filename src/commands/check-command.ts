import { reportSentence } from "../diagnosis/text.ts";
import type { Command } from "./command.ts";

/** How it stands with the channel: everybody's connection, and what is wrong in words. */
export const checkCommand: Command = {
  name: "check",
  aliases: [],
  usage: "",
  help: "help.check",
  power: 0,
  order: "once",
  run: async ({ room }) => reportSentence(await room.report(), room.language, room.prefix),
};
