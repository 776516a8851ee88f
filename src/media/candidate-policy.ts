import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { IceSettings } from "./messages.ts";

/** Never asked for anything, whatever is configured short of `true`: loopback, link-local (cloud metadata), multicast, … */
const never = blockList([
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  // Unspecified, loopback, and IPv4 addresses in disguise (RFC 4291 section 2.5.5, RFC 6052, RFC 3056).
  ["::", 96],
  ["64:ff9b::", 96],
  ["2002::", 16],
  ["fe80::", 10],
  ["ff00::", 8],
]);
/** Private ranges: RFC 1918, RFC 6598, RFC 4193, and the networks for benchmarks. */
const privateRanges = blockList([
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["198.18.0.0", 15],
  ["fc00::", 7],
]);

/** Subnets of the machine's own interfaces, as `address/prefix`; what `auto` counts as the own network. */
export function localSubnets(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && address.cidr !== null)
    .map((address) => address.cidr!);
}

/** The address of a candidate attribute (RFC 8839 section 5.1), null when it is malformed. Names are returned as they are. */
export function candidateAddress(candidate: string): string | null {
  const fields = candidate
    .trim()
    .replace(/^a=/, "")
    .replace(/^candidate:/, "")
    .split(/ +/);
  return fields.length >= 8 && fields[6] === "typ" ? (fields[4] ?? null) : null;
}

/**
 * Decides whether a remote candidate may be tried (protocol.md "Trust"): ICE makes us send packets to wherever a
 * candidate points. Names (mDNS among them) are refused: they would be resolved in our network.
 * @param subnets own subnets for `auto`, see `localSubnets`.
 */
export function candidatePolicy(
  allowPrivate: IceSettings["allowPrivate"],
  subnets: readonly string[],
): (candidate: string) => boolean {
  const own = blockList(
    subnets.map((cidr) => {
      const [address = "", prefix = ""] = cidr.split("/");
      return [address, Number(prefix)];
    }),
  );
  return (candidate) => {
    const address = candidateAddress(candidate);
    if (address === null) return false;
    const family = isIP(address);
    if (family === 0) return false;
    if (allowPrivate === "true") return true;
    // BlockList sees through IPv4-mapped IPv6 addresses by itself.
    const type = family === 4 ? "ipv4" : "ipv6";
    if (never.check(address, type)) return false;
    if (!privateRanges.check(address, type)) return true;
    return allowPrivate === "auto" && own.check(address, type);
  };
}

function blockList(ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of ranges) {
    const family = isIP(address);
    if (family !== 0) list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
