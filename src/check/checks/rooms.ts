import { messageOf } from "../../base/errors.ts";
import { oneLine } from "../../base/messages/catalogue.ts";
import { missingIn, type Missing } from "../../room-admin/missing.ts";
import { readRoom } from "../../room-admin/read-room.ts";
import type { CheckContext } from "../context.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";
import { given } from "../context.ts";
import { joinedRooms } from "../joined-rooms.ts";

const AT_ONCE = 5;
const MAX_NAME = 60;

export const rooms: Check = {
  id: "rooms",
  about: "in each joined room the bot and its members may send what a voice channel takes",
  limitMs: 60_000,
  async run(context): Promise<Finding[]> {
    const { userId } = await given(context.identity(), "the account is not known");
    const homeserver = await context.homeserver();
    const { rooms: ids, more } = await joinedRooms(homeserver, context.signal);
    if (ids.length === 0) {
      return [
        warn(
          "the bot is in no room",
          `Invite ${userId} into a room without encryption, or: matrix-voice-bot room create`,
        ),
      ];
    }
    const findings: Finding[] = [];
    for (let first = 0; first < ids.length; first += AT_ONCE) {
      const some = ids.slice(first, first + AT_ONCE).map((id) => look(context, id, userId));
      findings.push(...(await Promise.all(some)).flat());
    }
    if (more > 0) findings.push(ok(`${more} more rooms were not looked at`));
    return findings;
  },
};

async function look(context: CheckContext, roomId: string, userId: string): Promise<Finding[]> {
  try {
    const room = await readRoom(await context.homeserver(), roomId, userId, {
      signal: context.signal,
    });
    const name = room.name === null ? roomId : `${oneLine(room.name).slice(0, MAX_NAME)} (${roomId})`;
    const missing = missingIn(room);
    if (missing.length === 0) return [ok(`${name}: nothing is missing`)];
    return missing.map((each) => tell(name, roomId, each));
  } catch (error) {
    return [warn(`${roomId}: ${messageOf(error)}`, "Its state could not be read; try again.")];
  }
}

function tell(name: string, roomId: string, missing: Missing): Finding {
  if (missing.kind === "encrypted") {
    return warn(
      `${name} is encrypted: the bot cannot work there`,
      "Encryption cannot be taken back: use a room without it.",
    );
  }
  if (missing.kind === "rate_limit")
    return warn(`${name}: the homeserver holds the bot back`, "See rate_limit.");
  const { event, needed, actual, suggested } = missing;
  const todo = `In the room's permissions set ${event} to ${suggested}, or: matrix-voice-bot room grant ${roomId}`;
  return missing.kind === "bot_power"
    ? fail(`${name}: sending ${event} needs level ${needed}, the bot has ${actual}`, todo)
    : warn(`${name}: sending ${event} needs level ${needed}, ordinary members have ${actual}`, todo);
}
