import { z } from "zod";
import { BotError } from "../base/errors.ts";
import { usersIn } from "../settings/lists.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import type { RoomContext } from "./room-context.ts";
import { usageOf } from "./usage.ts";

/** Intentional mentions (client-server API, "User and room mentions"): whom a pill in the text means. */
const mentionsSchema = z.object({
  "m.mentions": z.object({ user_ids: z.array(z.string().max(255)).max(50) }),
});

/** Shows who of the room may what moderators may about the music, and changes that. */
export const djCommand: Command = {
  name: "dj",
  aliases: [],
  usage: "[add|remove @{name}]",
  help: "help.dj",
  power: ({ args }) => (args === "" ? 0 : MODERATOR),
  order: "once",
  run(invocation) {
    const { room, args } = invocation;
    const before = usersIn(room.settings.get("dj"));
    if (args === "") {
      if (before.length === 0) return { key: "dj.none", params: { prefix: room.prefix } };
      return { key: "dj.list", params: { names: named(room, before) } };
    }
    const [, what, whom] = /^(add|remove)\s+([^]+)$/i.exec(args) ?? [];
    if (what === undefined || whom === undefined) throw usageOf(djCommand, room);
    const isAdding = what.toLowerCase() === "add";
    const users = isAdding ? meantUsers(invocation, whom) : meantUsers(invocation, whom, before);
    const after = isAdding
      ? [...new Set([...before, ...users])]
      : before.filter((each) => !users.includes(each));
    if (after.length === 0) room.settings.reset("dj");
    else room.settings.set("dj", after.join(" "));
    return { key: isAdding ? "dj.added" : "dj.removed", params: { names: named(room, users) } };
  },
};

const named = (room: RoomContext, users: readonly string[]): string =>
  users.map((userId) => room.displayName(userId)).join(", ");

/**
 * Whom somebody means: user ids as written, else whom the message mentions, else who is called so.
 * @param of of whom to choose; default everybody in the room
 * @throws BotError `not_found`
 */
function meantUsers({ room, message }: Invocation, whom: string, of?: readonly string[]): readonly string[] {
  const written = whom.match(/@[^\s:,]+:[^\s,]+/g) ?? [];
  const mentioned = mentionsSchema.safeParse(message.content).data?.["m.mentions"].user_ids ?? [];
  const name = whom.replace(/^@/, "").trim();
  const ways = [written, mentioned.filter((userId) => userId !== room.ownUserId), room.usersCalled(name)];
  const isThere = (userId: string): boolean =>
    of === undefined ? room.isHere(userId) && userId !== room.ownUserId : of.includes(userId);
  for (const way of ways) {
    const users = way.filter(isThere);
    if (users.length > 0) return users;
  }
  throw new BotError("not_found", "nobody of that name", {
    say: { key: of === undefined ? "dj.unknown" : "dj.is_none", params: { name: whom.slice(0, 80) } },
  });
}
