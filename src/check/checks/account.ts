import { BotError, messageOf } from "../../base/errors.ts";
import { isTokenRejected } from "../../matrix/homeserver.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";
import { given, need } from "../context.ts";
import { Skipped } from "../skipped.ts";

export const account: Check = {
  id: "account",
  about: "the access token is valid; whose it is, and of which device",
  limitMs: 20_000,
  async run(context): Promise<Finding> {
    need(context, "homeserverUrl");
    // That there is neither is told with the configuration.
    if (need(context, "accessToken") === null && need(context, "userId") === null)
      throw new Skipped("no account is configured");
    await given(context.versions(), "the homeserver does not answer");
    try {
      const { userId, deviceId } = await context.identity();
      if (deviceId !== null) return ok(`${userId}, device ${deviceId}`);
      return warn(
        `${userId}, without a device`,
        "Log in for a token with a device: the bot's name in the channel is made of it (or set VOICEBOT_DEVICE_NAME).",
      );
    } catch (error) {
      const refused = isTokenRejected(error) || (error instanceof BotError && error.code === "forbidden");
      return fail(
        messageOf(error),
        refused
          ? "The token is not valid (any more): log in again as the bot and set VOICEBOT_ACCESS_TOKEN, or VOICEBOT_USER_ID and VOICEBOT_PASSWORD."
          : "Try again; if it stays so, look into the homeserver's log.",
      );
    }
  },
};
