import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { chooseServers } from "../../media/engine/libdatachannel/ice-servers.ts";
import type { CheckContext } from "../context.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";
import { need } from "../context.ts";
import { stunBinding } from "../stun.ts";

const BINDING_MS = 2_000;

/** RFC 5737, RFC 3849. */
const DOCUMENTATION = list("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32");
const NOWHERE = list(
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/3",
  "::/127",
  "fe80::/10",
  "ff00::/8",
);
/** RFC 1918, RFC 6598, RFC 4193. */
const PRIVATE = list("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7");

export const addresses: Check = {
  id: "addresses",
  about: "the addresses at which members are to reach the bot can be right",
  limitMs: 15_000,
  async run(context): Promise<Finding | Finding[]> {
    const announced = need(context, "iceAnnounce");
    const seen = await seenFromOutside(context);
    if (announced.length > 0) return announced.map((address) => judge(address, seen));
    const own = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, address }) => !internal && !isIn(NOWHERE, address))
      .map(({ address }) => address);
    return withoutAnnounced(own, seen);
  },
};

/** What a STUN server on the way out sees us as; null when none tells. */
async function seenFromOutside(context: CheckContext): Promise<string | null> {
  const offered = await context.offeredServers().catch(() => []);
  const { used } = chooseServers([...context.configuredServers(), ...offered]);
  const answers = used.map(({ hostname, port }) => stunBinding(hostname, port, BINDING_MS).catch(() => null));
  return (await Promise.all(answers)).find((address) => address !== null) ?? null;
}

export function judge(address: string, seen: string | null): Finding {
  const name = `VOICEBOT_ICE_ANNOUNCE ${address}`;
  if (isIn(DOCUMENTATION, address))
    return fail(`${name} is an address of examples`, "Name the address at which members reach this machine.");
  if (isIn(NOWHERE, address))
    return fail(`${name} leads nowhere from outside`, "Name an address that others reach.");
  if (seen !== null && isIP(seen) === isIP(address) && seen !== address && !isIn(PRIVATE, seen)) {
    return warn(
      `${name}, but a server outside sees this machine at ${seen}`,
      `If the router's address has changed, announce ${seen}.`,
    );
  }
  if (isIn(PRIVATE, address))
    return warn(
      `${name} is private`,
      "Only members of the same network reach it; others need a TURN server.",
    );
  return ok(seen === address ? `${name}, as a server outside sees it` : name);
}

export function withoutAnnounced(own: readonly string[], seen: string | null): Finding {
  const list = own.slice(0, 4).join(", ");
  const isPublic = own.some((address) => !isIn(PRIVATE, address) && !isIn(DOCUMENTATION, address));
  if (own.length === 0)
    return warn("this machine has no address but its own loopback", "Members elsewhere will not reach it.");
  if (isPublic) return ok(`members reach ${list}`);
  const what = `this machine has only private addresses (${list})`;
  if (seen !== null && !own.includes(seen)) return ok(`${what}; outside it is seen at ${seen}`);
  return warn(
    what,
    "Fine when all members are in that network. Else: a TURN server, or forward the ports of VOICEBOT_ICE_PORTS and set VOICEBOT_ICE_ANNOUNCE.",
  );
}

function list(...subnets: string[]): BlockList {
  const blocks = new BlockList();
  for (const subnet of subnets) {
    const [address = "", bits] = subnet.split("/");
    blocks.addSubnet(address, Number(bits), isIP(address) === 6 ? "ipv6" : "ipv4");
  }
  return blocks;
}

function isIn(blocks: BlockList, address: string): boolean {
  return isIP(address) !== 0 && blocks.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
