import { isIP } from "node:net";
import type { Clock } from "../../../base/clock.ts";
import type { IceSettings } from "../../messages.ts";
import { parseCandidate } from "../candidates.ts";
import { OwnCandidates } from "../own-candidates.ts";
import * as sdp from "../sdp.ts";
import type { NativePeer } from "./library.ts";

/** How long candidates are waited for; a server that does not answer is told of later, by trickling. */
const GATHERING_MS = 2000;

/** Our own side of a negotiation: the candidates that the library finds, and what it says of itself. */
export class Description {
  readonly #ice: IceSettings;
  readonly #clock: Clock;
  readonly #candidates: OwnCandidates;
  readonly #complete = Promise.withResolvers<void>();
  #described = false;

  constructor(ice: IceSettings, clock: Clock) {
    this.#ice = ice;
    this.#clock = clock;
    this.#candidates = new OwnCandidates(ice.announce);
  }

  get described(): boolean {
    return this.#described;
  }

  /** All candidates are found, or nobody wants them any more. */
  complete(): void {
    this.#complete.resolve();
  }

  /** What the library says once all is found, or that took long enough; null when `peer` is null by then. */
  async describe(peer: () => NativePeer | null, setup: sdp.Setup): Promise<Described | null> {
    const timer = this.#clock.timer(GATHERING_MS, () => this.complete());
    await this.#complete.promise;
    timer.cancel();
    const local = peer()?.localDescription?.sdp;
    if (local === undefined) return null;
    this.#described = true;
    const transport = sdp.readTransport(local, setup);
    const candidates = this.#candidates.give(withoutLoopback(transport.candidates));
    // The stream's number is the library's choice; no section that sends is without one.
    const ssrc = Number(/^a=ssrc:(\d{1,10}) /m.exec(local)?.[1] ?? 1);
    return {
      transport: { ...transport, candidates },
      ssrc,
      relayed: candidates.some((line) => parseCandidate(line)?.type === "relay"),
    };
  }

  /** A candidate as the library reports it: what has to be told besides the description. */
  found(line: string): string[] {
    return this.#described && !isLoopback(line) ? this.#candidates.give([line]) : [];
  }

  /** Whether a relay was to be found. */
  get wantsRelay(): boolean {
    return this.#ice.servers.some(({ uri }) => /^turns?:/i.test(uri));
  }
}

export interface Described {
  transport: sdp.Transport;
  ssrc: number;
  relayed: boolean;
}

/** The library finds these as well; they help nobody, unless they are all there is. */
function withoutLoopback(lines: readonly string[]): readonly string[] {
  const others = lines.filter((line) => !isLoopback(line));
  return others.length > 0 ? others : lines;
}

function isLoopback(line: string): boolean {
  const address = parseCandidate(line)?.address ?? "";
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}
