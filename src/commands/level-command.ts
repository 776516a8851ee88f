import { BotError } from "../base/errors.ts";
import { render } from "../base/messages/catalogue.ts";
import { levelsIn, levelsText } from "../settings/lists.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import { usageOf } from "./usage.ts";

/**
 * Shows and changes which power level a command needs in the room.
 * @param named the command of that name; @throws BotError with the nearest
 */
export function levelCommand(named: (name: string, prefix: string) => Command): Command {
  const command: Command = {
    name: "level",
    aliases: ["levels"],
    usage: "[{command} 0-100|default]",
    help: "help.level",
    power: ({ args }) => (args === "" ? 0 : MODERATOR),
    pinned: true,
    order: "once",
    run(invocation) {
      const { room, args } = invocation;
      const levels = new Map(levelsIn(room.settings.get("levels")));
      const { prefix, language } = room;
      if (args === "") {
        if (levels.size === 0) return { key: "level.none", params: { prefix } };
        const list = [...levels].map(([name, level]) => {
          return `– ${render({ key: "level.line", params: { prefix, name, level } }, language).text}`;
        });
        return { key: "level.list", params: { prefix, list: list.join("\n") } };
      }
      const [, word, wanted] = /^(\S+)\s+(100|[1-9]?\d|default)$/i.exec(args) ?? [];
      if (word === undefined || wanted === undefined) throw usageOf(command, room);
      const { name, power, pinned } = named(word.toLowerCase(), prefix);
      if (pinned) throw refused("level.pinned", { prefix, name });
      const level = wanted.toLowerCase() === "default" ? null : Number(wanted);
      requireReach(invocation, Math.max(level ?? 0, levels.get(name) ?? 0));
      if (level === null) levels.delete(name);
      else levels.set(name, level);
      const text = levelsText(levels);
      if (text === null) room.settings.reset("levels");
      else room.settings.set("levels", text);
      if (level === null) return { key: "level.default", params: { prefix, name } };
      const key = typeof power === "number" ? "level.set" : "level.set_others";
      return { key, params: { prefix, name, level } };
    },
  };
  return command;
}

/** Nobody shuts themselves out, or undoes what somebody above them has set. @throws BotError */
function requireReach({ room, message }: Invocation, level: number): void {
  const actual = room.powerOf(message.sender);
  if (actual < level) throw refused("level.above", { level, actual });
}

const refused = (key: "level.pinned" | "level.above", params: Record<string, string | number>): BotError =>
  new BotError("not_permitted", "that level cannot be set", { say: { key, params } });
