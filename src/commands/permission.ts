import { BotError } from "../base/errors.ts";
import type { MessageKey } from "../base/messages/catalogue.ts";
import { levelsIn, usersIn } from "../settings/lists.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import type { RoomContext } from "./room-context.ts";

/** Sentences that also name the DJs, where there are any. */
const WITH_DJS: Partial<Record<MessageKey, MessageKey>> = {
  "error.not_permitted": "error.not_permitted_dj",
  "error.not_yours": "error.not_yours_dj",
  "lists.not_yours": "lists.not_yours_dj",
};

type Asking = Pick<RoomContext, "settings">;

export const isDj = ({ settings }: Asking, userId: string): boolean =>
  usersIn(settings.get("dj")).includes(userId);

/**
 * Who may not give a command is told who may. The level is the command's own, or what the room has set for it: then that
 * counts wherever the command asks for any level at all.
 * @returns the refusal; null: they may
 */
export function refusalOf(command: Command, invocation: Invocation): BotError | null {
  const { room, message } = invocation;
  const level = levelFor(command, invocation);
  const actual = room.powerOf(message.sender);
  if (actual >= level) return null;
  const forDjs = command.djs === true || (command.djs?.(invocation) ?? false);
  if (forDjs && level <= MODERATOR && isDj(room, message.sender)) return null;
  const key = command.refusal ?? "error.not_permitted";
  const hasDjs = forDjs && level <= MODERATOR && usersIn(room.settings.get("dj")).length > 0;
  return new BotError("not_permitted", `needs ${level}, has ${actual}`, {
    say: { key: (hasDjs && WITH_DJS[key]) || key, params: { level, actual, prefix: room.prefix } },
  });
}

function levelFor(command: Command, invocation: Invocation): number {
  if (command.isOwn?.(invocation)) return 0;
  const { name, power, pinned } = command;
  const asked = typeof power === "number" ? power : power(invocation);
  const set = pinned ? undefined : levelsIn(invocation.room.settings.get("levels")).get(name);
  if (set === undefined) return asked;
  // What is free in this case (one's own track, a look) stays so.
  return typeof power === "function" && asked === 0 ? 0 : set;
}
