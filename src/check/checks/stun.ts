import { messageOf } from "../../base/errors.ts";
import { chooseServers } from "../../media/engine/libdatachannel/ice-servers.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";
import { stunBinding } from "../stun.ts";

const LIMIT_MS = 4_000;

export const stun: Check = {
  id: "stun",
  about: "each configured STUN server tells the bot its own address",
  limitMs: 10_000,
  async run(context): Promise<Finding | Finding[]> {
    const uris = context.configuredServers().filter(({ uri }) => uri.startsWith("stun"));
    if (uris.length === 0)
      return ok("none is configured; TURN servers and VOICEBOT_ICE_ANNOUNCE do the same");
    const { used, unused } = chooseServers(uris);
    const asked = await Promise.all(used.map(({ hostname, port }) => ask(hostname, port)));
    return [
      ...asked,
      ...unused.map(({ uri, why }) => warn(`${uri} is not used: ${why}`, "Name one like stun:host:3478.")),
    ];
  },
};

async function ask(hostname: string, port: number): Promise<Finding> {
  const name = `stun:${hostname}:${port}`;
  try {
    const address = await stunBinding(hostname, port, LIMIT_MS);
    return ok(address === null ? `${name} answers` : `${name} sees this machine at ${address}`);
  } catch (error) {
    return fail(`${name}: ${messageOf(error)}`, "Is it up, and does a firewall let UDP to it pass?");
  }
}
