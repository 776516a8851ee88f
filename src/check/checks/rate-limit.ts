import { messageOf } from "../../base/errors.ts";
import { exemptionCall, isExempt } from "../../room-admin/rate-limit.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";
import { given } from "../context.ts";

/** Nobody tells a client its limits: only an administrator can ask, and asking by sending would spend them. */
export const rateLimit: Check = {
  id: "rate_limit",
  about: "whether the account is exempt from the homeserver's rate limits (with --admin-token-file)",
  limitMs: 10_000,
  async run(context): Promise<Finding> {
    const { userId } = await given(context.identity(), "the account is not known");
    const call = exemptionCall(userId);
    const admin = await context.admin().catch((error: unknown) => messageOf(error));
    if (typeof admin === "string") return fail(admin, "Name a file with an administrator's access token.");
    if (admin === null) {
      return warn(
        "not known: only a server administrator may ask",
        `Run this again with --admin-token-file. The call that exempts the bot (Synapse), by an administrator: ${call}`,
      );
    }
    try {
      if (await isExempt(admin, userId, { signal: context.signal })) return ok(`${userId} is exempt`);
    } catch (error) {
      return fail(
        messageOf(error),
        "Use the token of a server administrator, at an address where /_synapse/admin is served.",
      );
    }
    return warn(
      `${userId} is limited like everybody; one busy room works, several people joining at once wait`,
      `As an administrator: ${call}`,
    );
  },
};
