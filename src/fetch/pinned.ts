import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { isIn, isPublicAddress, subnetFrom } from "./address.ts";
import { isAddress, refused, type FetchPolicy } from "./url.ts";

export interface ResolvedAddress {
  address: string;
  family: number;
}

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

const systemResolve: Resolve = (host) => lookup(host, { all: true });

/** Where a host may be connected to, looked up once. @throws BotError `fetch_refused` when it is nowhere */
export async function allowedAddresses(
  host: string,
  { allow }: Pick<FetchPolicy, "allow">,
  resolve: Resolve = systemResolve,
): Promise<readonly ResolvedAddress[]> {
  const isAllowedName = allow.some((name) => subnetFrom(name) === null && name.toLowerCase() === host);
  const all = isAddress(host) ? [{ address: host, family: host.includes(":") ? 6 : 4 }] : await resolve(host);
  const good = all.filter(({ address }) => isAllowedName || isIn(allow, address) || isPublicAddress(address));
  if (good.length === 0) {
    throw refused(`${host} is not public`, { key: "fetch.own_network", params: { host } });
  }
  return good;
}

/** A lookup for a connection that gives these addresses and no others. */
export function pinnedTo(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_, { all }, done) => {
    const [first] = addresses;
    if (all) done(null, [...addresses]);
    else if (first) done(null, first.address, first.family);
  };
}
