import { isIP } from "node:net";
import { formatCandidate, parseCandidate } from "./candidates.ts";

/**
 * Our own candidates as the other side gets to see them: where the operator announces addresses of a family, host
 * candidates name those instead of our interfaces', with the same ports (a router or container host in front of us forwards
 * them). Every address and port is given once (RFC 8445 section 5.1.3).
 */
export class OwnCandidates {
  readonly #announce: readonly string[];
  readonly #given = new Set<string>();

  constructor(announce: readonly string[] = []) {
    this.#announce = announce;
  }

  /** Those of `lines` that are new, as they are to be given; what is no candidate is left out. */
  give(lines: readonly string[]): string[] {
    return lines.flatMap((line) => this.#one(line));
  }

  #one(line: string): string[] {
    const candidate = parseCandidate(line);
    if (!candidate) return [];
    const family = isIP(candidate.address);
    const announced =
      candidate.type === "host" ? this.#announce.filter((address) => isIP(address) === family) : [];
    const addresses = announced.length > 0 ? announced : [candidate.address];
    return addresses
      .map((address) => ({ ...candidate, address }))
      .filter(({ transport, address, port }) => this.#isNew(`${transport} ${address} ${port}`))
      .map(formatCandidate);
  }

  #isNew(address: string): boolean {
    if (this.#given.has(address)) return false;
    this.#given.add(address);
    return true;
  }
}
