import { BotError } from "../base/errors.ts";
import { render } from "../base/messages/catalogue.ts";
import { nearest } from "../base/nearest.ts";
import { channelCommands } from "./channel-commands.ts";
import { checkCommand } from "./check-command.ts";
import { consentCommands } from "./consent-commands.ts";
import { clipCommand } from "./clip-command.ts";
import type { Command } from "./command.ts";
import { djCommand } from "./dj-command.ts";
import { filterCommand } from "./filter-command.ts";
import { levelCommand } from "./level-command.ts";
import { listCommands } from "./list-commands.ts";
import { otherName } from "./other-names.ts";
import { playCommands } from "./play-commands.ts";
import { playerCommands } from "./player-commands.ts";
import { queueCommands } from "./queue-commands.ts";
import { radioCommand } from "./radio-command.ts";
import { recordCommand } from "./record-command.ts";
import { recordingsCommand } from "./recordings-command.ts";
import { searchCommand } from "./search-command.ts";
import { settingsCommand } from "./settings-command.ts";
import { statusCommand } from "./status-command.ts";
import { helpOf, usageLine } from "./usage.ts";

const help: Command = {
  name: "help",
  aliases: ["h"],
  usage: "[{command}]",
  help: "help.help",
  power: 0,
  pinned: true,
  order: "once",
  run({ room, args }) {
    const text = ({ help: key }: Command): string => render({ key }, room.language).text;
    if (args !== "") {
      const [word = ""] = args.toLowerCase().split(/\s/);
      const command = namedCommand(word, room.prefix);
      return helpOf(command, room);
    }
    const list = COMMANDS.map((command) => `${usageLine(command, room)}: ${text(command)}`).join("\n");
    return { key: "help.list", params: { list } };
  },
};

const ping: Command = {
  name: "ping",
  aliases: [],
  usage: "",
  help: "help.ping",
  power: 0,
  order: "once",
  run: ({ ageMs }) => ({ key: "ping", params: { ms: Math.round(ageMs) } }),
};

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  ...channelCommands,
  ...playCommands,
  ...playerCommands,
  filterCommand,
  ...queueCommands,
  ...listCommands,
  searchCommand,
  radioCommand,
  recordCommand,
  recordingsCommand,
  ...consentCommands,
  clipCommand,
  settingsCommand,
  djCommand,
  levelCommand((name, prefix) => namedCommand(name, prefix)),
  checkCommand,
  help,
  ping,
  statusCommand,
];

const byName = new Map(
  COMMANDS.flatMap((command) => [command.name, ...command.aliases].map((name) => [name, command] as const)),
);

/** @param name in lower case, a name or an alias */
export const findCommand = (name: string): Command | null => byName.get(name) ?? null;

/** @param name with or without the prefix. @throws BotError with the nearest */
function namedCommand(name: string, prefix: string): Command {
  const command = findCommand(name.startsWith(prefix) ? name.slice(prefix.length) : name);
  if (!command) throw unknownCommand(name, prefix);
  return command;
}

/** The answer to a name that is none. */
export function unknownCommand(name: string, prefix: string): BotError {
  const names = COMMANDS.map((command) => command.name);
  const meant = otherName(name) ?? nearest(name, names);
  return new BotError("bad_command", "no such command", {
    say: meant
      ? { key: "command.unknown_nearest", params: { prefix, name, nearest: meant } }
      : { key: "command.unknown", params: { prefix, name } },
  });
}
