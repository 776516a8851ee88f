import type { Sentence } from "../base/messages/catalogue.ts";
import type { Command } from "./command.ts";
import { usageOf } from "./usage.ts";

const SHOWN = 10;

/** What there is by some words, numbered: a number alone, or `!play` with it, plays one. */
export const searchCommand: Command = {
  name: "search",
  aliases: ["find"],
  usage: "{words}",
  help: "help.search",
  djs: true,
  power: 0,
  order: "once",
  async run({ room, message, args, choices }): Promise<Sentence> {
    if (args === "") throw usageOf(searchCommand, room);
    const found = await room.sources.search(args, SHOWN);
    if (found.choices.length === 0) return { key: "play.not_found", params: { query: args } };
    choices.offer(message.sender, found.choices);
    const names = found.choices.map(({ label }, i) => `${i + 1}. ${label}`).join("\n");
    const count = found.choices.length;
    return { key: found.more ? "search.more" : "search.found", params: { names, count, query: args } };
  },
};
