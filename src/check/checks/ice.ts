import type { IceSettings } from "../../media/plane.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";
import { need } from "../context.ts";
import { runEngineJob, type JobResult } from "../engine-job.ts";

type Outcome = { connected: true; text: string } | { connected: false; text: string };

/** Two connections of this machine to each other, with the configured ports, addresses and policy. */
export const ice: Check = {
  id: "ice",
  about:
    "two connections on this machine find each other with the configured ports and addresses, and pass sound",
  limitMs: 40_000,
  async run(context): Promise<Finding> {
    const settings: IceSettings = { ...context.ice(), servers: [] };
    const attempt = async (more: Partial<IceSettings>): Promise<Outcome> =>
      outcome(
        await runEngineJob(
          need(context, "engine"),
          { kind: "connect", ice: { ...settings, ...more } },
          context.signal,
        ),
      );
    const configured = await attempt({});
    if (configured.connected) return ok(configured.text);
    if ((settings.announce ?? []).length > 0) {
      const own = await attempt({ announce: [] });
      if (own.connected) {
        return warn(
          "works with this machine's own addresses, and not over those of VOICEBOT_ICE_ANNOUNCE",
          "Many routers do not lead a machine back to itself: if members outside are heard, all is well. Else look whether the router forwards the UDP ports to this machine.",
        );
      }
    }
    if (
      settings.allowPrivate !== "true" &&
      (await attempt({ announce: [], allowPrivate: "true" })).connected
    ) {
      return warn(
        `works only when private addresses are allowed, and VOICEBOT_ICE_ALLOW_PRIVATE is ${settings.allowPrivate}`,
        "This machine has no other addresses that it may use: fine behind a TURN server or a forwarding router; for members in a private network name it in VOICEBOT_ICE_LOCAL_SUBNETS.",
      );
    }
    return fail(
      configured.text,
      "Does a firewall on this machine forbid UDP? Are the ports of VOICEBOT_ICE_PORTS free?",
    );
  },
};

function outcome(result: JobResult): Outcome {
  if (result.kind === "died") return { connected: false, text: result.why };
  if (result.kind !== "connect") return { connected: false, text: "the engine said something unknown" };
  const { problem, connectMs, sent, heard } = result;
  if (problem !== null) return { connected: false, text: problem };
  const text = `connected in ${Math.round(connectMs)} ms, ${heard} of ${sent} packets of sound arrived`;
  return { connected: heard >= sent * 0.8, text };
}
