import { BlockList, isIP } from "node:net";

/** One ICE candidate (RFC 8839 section 5.1), without the extensions that nothing here needs. */
export interface Candidate {
  foundation: string;
  component: number;
  transport: "udp" | "tcp";
  priority: number;
  /** An address, or a name such as `….local`. */
  address: string;
  port: number;
  type: "host" | "srflx" | "prflx" | "relay";
  /** RFC 6544 section 4.5, of those over TCP. */
  tcpType?: "active" | "passive" | "so";
}

/** Longest candidate line that is read, in characters. */
export const MAX_CANDIDATE_LENGTH = 1024;

const LINE =
  /^(?:a=)?(?:candidate:)?([A-Za-z0-9+/]{1,32}) (\d{1,5}) (udp|tcp) (\d{1,10}) (\S{1,255}) (\d{1,5}) typ (host|srflx|prflx|relay)(?: (.*))?$/i;

/** Reads `candidate:…` (with or without `a=`); null when it is no candidate that anybody could use. */
export function parseCandidate(line: string): Candidate | null {
  if (line.length > MAX_CANDIDATE_LENGTH) return null;
  const match = LINE.exec(line.trim());
  if (!match) return null;
  const [, foundation, component, transport, priority, address, port, type, more = ""] = match;
  const tcpType = /(?:^| )tcptype (active|passive|so)(?: |$)/i.exec(more)?.[1];
  const candidate: Candidate = {
    foundation: foundation!,
    component: Number(component),
    transport: transport!.toLowerCase() as Candidate["transport"],
    priority: Number(priority),
    address: address!.toLowerCase(),
    port: Number(port),
    type: type!.toLowerCase() as Candidate["type"],
    ...(tcpType ? { tcpType: tcpType.toLowerCase() as NonNullable<Candidate["tcpType"]> } : {}),
  };
  const sane = candidate.port <= 65_535 && candidate.priority <= 0xffff_ffff && candidate.component <= 256;
  return sane ? candidate : null;
}

/** The candidate as a line that a library may see: nothing in it that `parseCandidate` did not understand. */
export function formatCandidate(candidate: Candidate): string {
  const { foundation, component, transport, priority, address, port, type, tcpType } = candidate;
  // RFC 8839: everything but host candidates names a related address; libraries do not use it, but some want it there.
  const related = type === "host" ? "" : " raddr 0.0.0.0 rport 0";
  const tcp = transport === "tcp" && tcpType ? ` tcptype ${tcpType}` : "";
  return `candidate:${foundation} ${component} ${transport.toUpperCase()} ${priority} ${address} ${port} typ ${type}${related}${tcp}`;
}

/** Why a candidate is not used. */
export type CandidateRefusal =
  "malformed" | "tcp" | "component" | "port" | "name" | "never" | "loopback" | "private";

export interface CandidatePolicyOptions {
  /** See docs/PROTOCOL.md, "Trust": `auto` takes private addresses only inside of `ownSubnets`. */
  allowPrivate: "auto" | "true" | "false";
  /** Subnets of our own interfaces in CIDR notation, e.g. `192.168.1.0/24`; see `subnetsOf`. */
  ownSubnets: readonly string[];
  /** Told of every refusal, for counting. */
  onRefused?: (why: CandidateRefusal) => void;
}

// What no setting opens: packets to these are never meant for one peer, or reach a cloud's metadata service.
const NEVER = blockList([
  "0.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "192.0.0.0/24",
  "100.100.100.200/32", // a cloud's metadata service inside of the carriers' range
  "168.63.129.16/32", // another one on a public address
  "192.88.99.0/24",
  "fd00:ec2::254/128", // metadata again
  "fd20:ce::254/128",
  "fd00:42::42/128",
  "2001::/23", // protocols; Teredo among them, which carries an IPv4 address that the rules below would not see
  "2002::/16", // 6to4, the same
]);
/** Of IPv6 only what is assigned to hosts and names them plainly; the rest translates, discards, or is not used. */
const HOSTS_V6 = blockList(["2000::/3", "fc00::/7"]);
const LOOPBACK = blockList(["127.0.0.0/8", "::1/128"]);
const PRIVATE = blockList([
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "198.18.0.0/15",
  "192.0.2.0/24",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "fc00::/7",
  "2001:db8::/32",
  "3fff::/20",
]);

/** The last 32 bits of these are an IPv4 address and mean it: mapped, NAT64 (RFC 6052; a network's own prefix cannot be known). */
const EMBEDDING = blockList(["::ffff:0:0/96", "64:ff9b::/96"]);

/**
 * A predicate for `ConnectionOptions.candidateAllowed`. Ranges: RFC 6890 (special purpose), RFC 1918 and RFC 6598
 * (private, carriers), RFC 4193 (unique local).
 */
export function candidatePolicy(options: CandidatePolicyOptions): (candidate: string) => boolean {
  const own = blockList(options.ownSubnets);
  const everybody = blockList(options.ownSubnets.flatMap(broadcastOf));
  return (line) => {
    const why = refusal(line, options.allowPrivate, own, everybody);
    if (why) options.onRefused?.(why);
    return why === null;
  };
}

function refusal(
  line: string,
  allowPrivate: "auto" | "true" | "false",
  own: BlockList,
  everybody: BlockList,
): CandidateRefusal | null {
  const candidate = parseCandidate(line);
  if (!candidate) return "malformed";
  // Nobody has us open TCP connections to where they like; others may open one to us. With rtcp-mux there is only component 1.
  if (candidate.transport === "tcp") return "tcp";
  if (candidate.component !== 1) return "component";
  // Below 1024 live DNS, NTP and the like; browsers never bind there, a relay on 443 does not hand such ports out.
  if (candidate.port < 1024) return "port";
  if (isIP(candidate.address) === 4 && everybody.check(candidate.address)) return "never";
  return addressRefusal(candidate.address, allowPrivate, own);
}

/** First and last address of an IPv4 subnet: they mean everybody in it (RFC 919); those of one or two hosts have none. */
function broadcastOf(subnet: string): string[] {
  const [address = "", prefix] = subnet.split("/");
  const bits = 32 - Number(prefix);
  if (isIP(address) !== 4 || !(bits >= 2 && bits <= 31)) return [];
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = value - (value % 2 ** bits);
  return [first, first + 2 ** bits - 1].map((end) =>
    [24, 16, 8, 0].map((shift) => (end >>> shift) & 255).join("."),
  );
}

function addressRefusal(
  address: string,
  allowPrivate: "auto" | "true" | "false",
  own: BlockList,
): CandidateRefusal | null {
  // Strict: `2130706433`, `0177.0.0.1` and the like are addresses to getaddrinfo, but names to us.
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return "name";
  const embedded = version === 6 ? embeddedIpv4(address) : null;
  if (embedded !== null) return addressRefusal(embedded, allowPrivate, own);
  const family = version === 6 ? "ipv6" : "ipv4";
  if (LOOPBACK.check(address, family)) return allowPrivate === "true" ? null : "loopback";
  if (NEVER.check(address, family) || (version === 6 && !HOSTS_V6.check(address, family))) return "never";
  if (!PRIVATE.check(address, family) || allowPrivate === "true") return null;
  return allowPrivate === "auto" && own.check(address, family) ? null : "private";
}

/** The IPv4 address inside of an IPv6 one, in dotted form; null when it has none. */
function embeddedIpv4(address: string): string | null {
  if (!EMBEDDING.check(address, "ipv6") || address === "::" || address === "::1") return null;
  // The URL parser writes every form of an IPv6 address in one way (RFC 5952): at most the last two groups matter.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  if (canonical === "::" || canonical === "::1") return null;
  const [high = "", low = ""] = canonical.split(":").slice(-2);
  const [a, b] = [parseInt(high || "0", 16), parseInt(low || "0", 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}

/** The subnets of interfaces as `os.networkInterfaces()` lists them, without loopback and link-local. */
export function subnetsOf(
  interfaces: Readonly<Record<string, readonly { cidr: string | null; internal: boolean }[] | undefined>>,
): string[] {
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, cidr }) => !internal && cidr !== null && !cidr.startsWith("fe80:"))
    .map(({ cidr }) => cidr!);
}

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = "", prefix] = subnet.split("/");
    const version = isIP(address);
    if (version === 0) throw new RangeError(`not a subnet: ${subnet}`);
    const family = version === 6 ? "ipv6" : "ipv4";
    list.addSubnet(address, prefix === undefined ? (version === 6 ? 128 : 32) : Number(prefix), family);
  }
  return list;
}
