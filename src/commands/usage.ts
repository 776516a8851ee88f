import { BotError } from "../base/errors.ts";
import { isMessageKey, render, type Language, type Sentence } from "../base/messages/catalogue.ts";
import type { Command } from "./command.ts";

/** Where a usage is read. */
interface Reader {
  readonly prefix: string;
  readonly language: Language;
}

/** "!queue [page] (q)", in German "!queue [Seite] (q)". */
export function usageLine({ name, usage, aliases }: Command, { prefix, language }: Reader): string {
  const short = aliases.length > 0 ? ` (${aliases.join(", ")})` : "";
  const said = usage.replaceAll(/\{(\w+)\}/g, (whole, word: string) => {
    const key = `usage.${word}`;
    return isMessageKey(key) ? render({ key }, language).text : whole;
  });
  return `${prefix}${name}${said && ` ${said}`}${short}`;
}

/** How it is used and what it is for. */
export const helpOf = (command: Command, reader: Reader): Sentence => ({
  key: "help.one",
  params: { usage: usageLine(command, reader), text: render({ key: command.help }, reader.language).text },
});

/** The refusal of a command that was written wrongly. */
export const usageOf = (command: Command, reader: Reader): BotError =>
  new BotError("bad_command", `wrong arguments for ${command.name}`, {
    say: { key: "command.usage", params: { usage: usageLine(command, reader) } },
  });
