import { BotError } from "../base/errors.ts";
import type { Command } from "./command.ts";

/** "!volume [0-200] (vol, v)" */
export function usageLine({ name, usage, aliases }: Command, prefix: string): string {
  const short = aliases.length > 0 ? ` (${aliases.join(", ")})` : "";
  return `${prefix}${name}${usage && ` ${usage}`}${short}`;
}

/** The refusal of a command that was written wrongly. */
export const usageOf = (command: Command, prefix: string): BotError =>
  new BotError("bad_command", `wrong arguments for ${command.name}`, {
    say: { key: "command.usage", params: { usage: usageLine(command, prefix) } },
  });
