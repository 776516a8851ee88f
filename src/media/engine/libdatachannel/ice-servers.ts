import type { IceServer } from "node-datachannel";
import type { IceSettings } from "../../messages.ts";

type Server = IceSettings["servers"][number];

export interface ChosenServers {
  used: IceServer[];
  /** URIs that the library can do nothing with, and why. */
  unused: { uri: string; why: string }[];
}

const MAX_STUN = 1;
const MAX_TURN = 2;

/**
 * The servers that the library's ICE agent can use: UDP only, one for STUN and two for TURN. It would choose by lot, so the
 * first ones are chosen here; of a server that is named twice with different credentials it would use any, so the first ones count.
 */
export function chooseServers(servers: readonly Server[]): ChosenServers {
  const chosen: ChosenServers = { used: [], unused: [] };
  const left = { stun: MAX_STUN, turn: MAX_TURN };
  for (const server of servers) {
    const read = readServer(server);
    if (typeof read !== "string" && chosen.used.some((other) => sameServer(other, read.server))) continue;
    if (typeof read === "string") chosen.unused.push({ uri: server.uri, why: read });
    else if (left[read.scheme]-- > 0) chosen.used.push(read.server);
    else {
      const limit = read.scheme === "stun" ? "one STUN server is" : "two TURN servers are";
      chosen.unused.push({ uri: server.uri, why: `only ${limit} used` });
    }
  }
  return chosen;
}

export function isTurn(server: IceServer): boolean {
  return server.relayType !== undefined;
}

function sameServer(a: IceServer, b: IceServer): boolean {
  return a.hostname === b.hostname && a.port === b.port && a.relayType === b.relayType;
}

/** RFC 7064 and RFC 7065 URIs; a string says why not. */
function readServer({
  uri,
  username = "",
  password = "",
}: Server): { scheme: "stun" | "turn"; server: IceServer } | string {
  const match = /^(stun|turn)(s?):(\[[0-9a-f:.]+\]|[^\s:?[\]]+)(?::(\d{1,5}))?(?:\?transport=(\w+))?$/i.exec(
    uri,
  );
  if (!match) return "it is no STUN or TURN URI";
  const [, scheme = "", secure, host = "", portText, transport = "udp"] = match;
  if (secure !== "" || transport.toLowerCase() !== "udp") return "only servers over UDP are used";
  const hostname = host.replace(/^\[|\]$/g, "");
  const port = Number(portText ?? 3478);
  if (scheme.toLowerCase() === "stun") return { scheme: "stun", server: { hostname, port } };
  return { scheme: "turn", server: { hostname, port, username, password, relayType: "TurnUdp" } };
}
