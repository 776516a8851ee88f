import type { Clock } from "../../../base/clock.ts";
import type { IceSettings } from "../../messages.ts";
import { parseCandidate } from "../candidates.ts";
import { cancelled, noFreePort } from "../errors.ts";
import { OwnCandidates } from "../own-candidates.ts";
import * as sdp from "../sdp.ts";
import { withFreePort } from "./free-port.ts";
import { chooseServers, isTurn } from "./ice-servers.ts";

const GATHERING_MS = 2000;

export interface GatheringParts {
  ice: IceSettings;
  clock: Clock;
  /** There was no port in the range. */
  onNoPort: () => void;
  /** There are TURN servers, and none of them relays: it is silent, or refuses the credentials. */
  onNoRelay: () => void;
}

/** Our own side of a negotiation: a port of the range, and the candidates that are found from it. */
export class Gathering {
  readonly #parts: GatheringParts;
  readonly #candidates: OwnCandidates;
  readonly #complete = Promise.withResolvers<void>();
  #described = false;

  constructor(parts: GatheringParts) {
    this.#parts = parts;
    this.#candidates = new OwnCandidates(parts.ice.announce);
  }

  get described(): boolean {
    return this.#described;
  }

  /** Runs what makes the library take a port. @throws BotError `engine_failed` when none is free */
  async begin(take: () => void): Promise<void> {
    const { ice, clock, onNoPort } = this.#parts;
    if (await withFreePort(ice.portRange, clock, take)) return;
    onNoPort();
    throw noFreePort();
  }

  /** All candidates are found, or nobody wants them any more. */
  complete(): void {
    this.#complete.resolve();
  }

  /** What the library says of itself (`localSdp`) once all is found or that took long enough. */
  async describe(localSdp: () => string | null, setup: sdp.Setup): Promise<sdp.Transport> {
    const timer = this.#parts.clock.timer(GATHERING_MS, () => this.complete());
    await this.#complete.promise;
    timer.cancel();
    const local = localSdp();
    if (local === null) throw cancelled();
    this.#described = true;
    const transport = sdp.readTransport(local, setup);
    const relayed = transport.candidates.some((candidate) => parseCandidate(candidate)?.type === "relay");
    if (!relayed && chooseServers(this.#parts.ice.servers).used.some(isTurn)) this.#parts.onNoRelay();
    return { ...transport, setup, candidates: this.#candidates.give(transport.candidates) };
  }

  /** A candidate as the library reports it: what has to be told besides the description. */
  found(line: string): string[] {
    return this.#described ? this.#candidates.give([line]) : [];
  }
}
