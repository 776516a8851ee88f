import { messageOf } from "../../base/errors.ts";
import { fail, ok, type Check, type Finding } from "../check.ts";
import { need } from "../context.ts";

/** Delayed events: a LEFT that the homeserver posts by itself when the bot dies. */
const MSC4140 = "org.matrix.msc4140";

export const homeserver: Check = {
  id: "homeserver",
  about: "the homeserver answers, and which versions of the specification it speaks",
  limitMs: 10_000,
  async run(context): Promise<Finding> {
    const url = need(context, "homeserverUrl");
    try {
      const { versions, unstable, tookMs } = await context.versions();
      const newest = versions.findLast((version) => version.startsWith("v")) ?? versions.at(-1);
      const delayed = unstable[MSC4140] === true ? "offers delayed events" : "no delayed events (MSC4140)";
      return ok(`${url} answers in ${Math.round(tookMs)} ms, speaks up to ${newest}, ${delayed}`);
    } catch (error) {
      return fail(
        `${url}: ${messageOf(error)}`,
        "VOICEBOT_HOMESERVER_URL is the address of the client API, which may differ from the server's name: look at https://<server name>/.well-known/matrix/client. Is the server up, and may this machine reach it?",
      );
    }
  },
};
