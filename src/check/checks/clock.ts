import { given, need } from "../context.ts";
import { ok, warn, type Check, type Finding } from "../check.ts";
import { Skipped } from "../skipped.ts";

/** Members forget who was not refreshed for 20 s by their clock; a few seconds do no harm. */
const TOLERATED_MS = 5_000;

export const clock: Check = {
  id: "clock",
  about: "this machine's clock and the homeserver's are within 5 s of each other",
  limitMs: 10_000,
  async run(context): Promise<Finding> {
    need(context, "homeserverUrl");
    const { clockOffsetMs, clockErrorMs } = await given(context.versions(), "the homeserver does not answer");
    if (clockOffsetMs === null) throw new Skipped("the homeserver's answers have no date");
    const seconds = `${(Math.abs(clockOffsetMs) / 1000).toFixed(1)} s`;
    const within = `measured to ${(clockErrorMs / 1000).toFixed(1)} s`;
    if (Math.abs(clockOffsetMs) - clockErrorMs <= TOLERATED_MS)
      return ok(`no more than ${seconds} from the homeserver's (${within})`);
    const way = clockOffsetMs > 0 ? "behind" : "ahead of";
    return warn(
      `${seconds} ${way} the homeserver's (${within})`,
      "Memberships of the channel expire by the clock: synchronise the clocks of both machines (on Debian: apt-get install systemd-timesyncd).",
    );
  },
};
