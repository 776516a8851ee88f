import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";

/**
 * Addresses that lead to this machine, to networks around it, or to nobody (IANA special-purpose registry, RFC 6890): where
 * strangers must not send us. The last is where Azure answers its machines; the metadata of other clouds is in the rest.
 */
const REFUSED_V4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"],
  ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"],
];
/** Of IPv6 only what is given out to the public may be reached … */
const PUBLIC_V6 = ["2000::/3"];
/** … without protocol assignments (Teredo among them), documentation and 6to4, which hold addresses of IPv4. */
const REFUSED_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

const refusedV4 = listOf(REFUSED_V4);
const publicV6 = listOf(PUBLIC_V6);
const refusedV6 = listOf(REFUSED_V6);

/** An address or a subnet in CIDR notation; null for anything else. */
export function subnetFrom(
  text: string,
): { address: string; prefix: number; family: "ipv4" | "ipv6" } | null {
  const [address = "", bits, ...more] = text.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0 || more.length > 0) return null;
  const most = version === 4 ? 32 : 128;
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > most)) return null;
  return {
    address,
    prefix: bits === undefined ? most : Number(bits),
    family: version === 4 ? "ipv4" : "ipv6",
  };
}

/** Whether anybody may be sent to `address` (an IP address): it is public, and not of a subnet of our own interfaces. */
export function isPublicAddress(address: string, own: readonly string[] = ownSubnets()): boolean {
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0) return false;
  if (listOf(own).check(address, version === 4 ? "ipv4" : "ipv6")) return false;
  if (version === 4) return !refusedV4.check(address, "ipv4");
  // An address of IPv4 written as one of IPv6 (::ffff:…, 64:ff9b::…) is none of the public ones.
  return publicV6.check(address, "ipv6") && !refusedV6.check(address, "ipv6");
}

/** Whether `address` is in one of these subnets, of its own family: an IPv4 address in IPv6 clothes is in none of IPv4. */
export function isIn(subnets: readonly string[], address: string): boolean {
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  return listOf(subnets.filter((text) => subnetFrom(text)?.family === family)).check(address, family);
}

/** A network that is everything, as some tunnels have it, says nothing about who is near. */
const WIDEST = { ipv4: 8, ipv6: 32 } as const;

function ownSubnets(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap(({ cidr }) => {
      const subnet = cidr === null ? null : subnetFrom(cidr.replace(/%[^/]*/, ""));
      if (subnet === null) return [];
      const { address, prefix, family } = subnet;
      return [`${address}/${prefix < WIDEST[family] ? (family === "ipv4" ? 32 : 128) : prefix}`];
    });
}

function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of subnets) {
    const subnet = subnetFrom(text);
    if (subnet) list.addSubnet(subnet.address, subnet.prefix, subnet.family);
  }
  return list;
}
