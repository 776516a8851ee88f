import { MEMBERSHIP_TYPE } from "../../channel/ports.ts";
import { deviceNameFrom } from "../../config/config.ts";
import { fail, ok, type Check, type Finding } from "../check.ts";
import { given, need } from "../context.ts";
import { joinedRooms, standingMemberships } from "../joined-rooms.ts";

/** Who is in a channel refreshes every 14 s, under a limit every 18. */
const FRESH_MS = 25_000;

/**
 * Whether another process uses the account. A bot with this data folder is seen by its lock; one elsewhere only while it is
 * in a channel, by its fresh entry there.
 */
export const instance: Check = {
  id: "instance",
  about: "no other bot uses the same account (one elsewhere shows only while it is in a channel)",
  limitMs: 20_000,
  async run(context): Promise<Finding> {
    if (await context.running()) return ok("a bot is running with this data folder");
    const { userId, deviceId } = await given(context.identity(), "the account is not known");
    const hs = await context.homeserver();
    const key = `${need(context, "deviceName") ?? deviceNameFrom(deviceId)}${userId}`;
    const { rooms } = await joinedRooms(hs, context.signal);
    const nowMs = context.clock.wall();
    for (const roomId of rooms) {
      const entries = await standingMemberships(hs, roomId, MEMBERSHIP_TYPE, context.signal);
      const fresh = entries.find(
        (entry) => entry.stateKey === key && entry.joined && nowMs - entry.originServerTs < FRESH_MS,
      );
      if (!fresh) continue;
      return fail(
        `no bot runs with this data folder, but ${key} was refreshed ${Math.round((nowMs - fresh.originServerTs) / 1000)} s ago in ${roomId}`,
        "Another bot uses this token: stop it, or log in once more for a token (and device) of its own.",
      );
    }
    return ok("no bot is running with this data folder, and none shows elsewhere");
  },
};
