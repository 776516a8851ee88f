import { messageOf } from "../../base/errors.ts";
import type { IceSettings } from "../../media/plane.ts";
import { chooseServers } from "../../media/engine/libdatachannel/ice-servers.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";
import { need, type CheckContext } from "../context.ts";
import { runEngineJob, type Job } from "../engine-job.ts";
import { stunBinding } from "../stun.ts";

type Server = IceSettings["servers"][number];

const BINDING_MS = 2_000;

export const turn: Check = {
  id: "turn",
  about: "each TURN server, configured or offered by the homeserver, makes an allocation for the bot",
  limitMs: 30_000,
  async run(context): Promise<Finding[]> {
    const offered = await context.offeredServers().catch((error: unknown) => messageOf(error));
    const servers = [...context.configuredServers(), ...(typeof offered === "string" ? [] : offered)];
    const turns = servers.filter(({ uri }) => uri.startsWith("turn"));
    const findings: Finding[] = [];
    if (typeof offered === "string")
      findings.push({ verdict: "skip", what: `what the homeserver offers is not known: ${offered}` });
    if (turns.length === 0 && typeof offered !== "string") {
      findings.push(
        warn(
          "there is no TURN server",
          "Members behind strict routers will hear nothing: set up coturn, and name it in the homeserver's turn_uris or in VOICEBOT_ICE_SERVERS.",
        ),
      );
    }
    const { unused } = chooseServers(servers);
    for (const { uri, why } of unused.filter((server) => server.uri.startsWith("turn")))
      findings.push(warn(`${uri} is not used: ${why}`, "Offer one like turn:host:3478?transport=udp."));
    const used = turns.filter(({ uri }) => !unused.some((server) => server.uri === uri));
    findings.push(...(await Promise.all(used.map((server) => allocate(context, server)))));
    return findings;
  },
};

async function allocate(context: CheckContext, server: Server): Promise<Finding> {
  const { uri } = server;
  const startedMs = context.clock.now();
  const job: Job = { kind: "relay", ice: { ...context.ice(), servers: [server] } };
  const result = await runEngineJob(need(context, "engine"), job, context.signal);
  if (result.kind === "relay" && result.address !== null) {
    const tookMs = Math.round(context.clock.now() - startedMs);
    return ok(`${uri} relays by ${result.address} (${tookMs} ms)`);
  }
  if (result.kind === "died") return fail(`${uri}: ${result.why}`, "See engine.");
  const [used] = chooseServers([server]).used;
  const answers = await stunBinding(used?.hostname ?? "", used?.port ?? 0, BINDING_MS).catch(() => "silent");
  return answers === "silent"
    ? fail(`${uri} does not answer`, "Is it up, and does a firewall let UDP to it pass?")
    : fail(
        `${uri} answers, and makes no allocation`,
        "It refuses the credentials, or has no ports left: compare its secret (coturn: static-auth-secret, Synapse: turn_shared_secret), the clocks of both machines, and its log.",
      );
}
