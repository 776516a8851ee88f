import { BotError } from "../base/errors.ts";
import { render, type Sentence } from "../base/messages/catalogue.ts";
import type { SettingChange } from "../settings/room-settings.ts";
import { SETTING_NAMES, settingName, settingOf } from "../settings/table.ts";
import type { Command, Invocation } from "./command.ts";
import type { RoomContext } from "./room-context.ts";

/** "name", "name value"; null where there is none. */
function argumentsOf(args: string): { name: string | null; value: string | null } {
  const [, name = null, value = null] = /^(\S+)(?:\s+([^]+))?$/.exec(args) ?? [];
  return { name, value };
}

/** Shows what the room has set, explains one setting, or changes it. */
export const settingsCommand: Command = {
  name: "settings",
  aliases: ["set"],
  usage: "[{name} [{value}|default]]",
  help: "help.settings",
  power({ args }) {
    const { name, value } = argumentsOf(args);
    const known = name === null || value === null ? null : settingName(name);
    return known === null ? 0 : settingOf(known).power;
  },
  pinned: true,
  djs({ args }) {
    const { name } = argumentsOf(args);
    const known = name === null ? null : settingName(name);
    return known !== null && settingOf(known).djs === true;
  },
  order: "once",
  run(invocation) {
    const { room, args } = invocation;
    const { name, value } = argumentsOf(args);
    if (name === null) return listOf(room);
    if (value === null) return explained(room, name);
    const { settings } = room;
    const before = settings.named(name);
    const { command } = settingOf(before);
    if (command !== undefined) throw byCommand(before, room.prefix + command);
    const change = /^default$/i.test(value) ? settings.reset(before) : settings.set(before, value);
    return changed(invocation, change);
  },
};

const byCommand = (name: string, command: string): BotError =>
  new BotError("bad_command", "changed by its own command", {
    say: { key: "settings.by_command", params: { name, command } },
  });

function listOf(room: RoomContext): Sentence {
  const { settings, language, prefix } = room;
  const list = SETTING_NAMES.map((name) => {
    const { allowed, default: standard } = settingOf(name);
    const params = { name, value: settings.get(name), allowed, standard, meaning: meaning(name, room) };
    const key = settings.isDefault(name) ? "settings.line" : "settings.line_changed";
    return `– ${render({ key, params }, language).text}`;
  });
  return { key: "settings.list", params: { prefix, list: list.join("\n") } };
}

function explained(room: RoomContext, typed: string): Sentence {
  const { settings, prefix } = room;
  const name = settings.named(typed);
  const { allowed, default: standard, power } = settingOf(name);
  const value = settings.get(name);
  return {
    key: "settings.one",
    params: { name, value, allowed, standard, power, prefix, meaning: meaning(name, room) },
  };
}

/** The answer is how the room learns of it, so it says who did it, and what it means. */
function changed({ room, message }: Invocation, { name, before, value }: SettingChange): Sentence {
  // A change of the language is said in the new one already.
  const { language } = room;
  if (before === value) return { key: "settings.same", params: { name, value } };
  const by = room.displayName(message.sender);
  const params = { by, name, value, before, meaning: meaning(name, room) };
  const { phase } = room.recorder.status();
  const noteKey = settingOf(name).note(value, phase === "recording" || phase === "interrupted");
  if (noteKey === null) return { key: "settings.changed", params };
  return {
    key: "settings.changed_note",
    params: { ...params, note: render({ key: noteKey, params: { prefix: room.prefix } }, language).text },
  };
}

const meaning = (name: (typeof SETTING_NAMES)[number], { language, prefix }: RoomContext): string =>
  render({ key: settingOf(name).meaning, params: { prefix } }, language).text;
