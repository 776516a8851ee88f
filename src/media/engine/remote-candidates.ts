import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { formatCandidate, parseCandidate } from "./candidates.ts";

const MAX_CANDIDATES = 64;

/** The other side's candidates: kept until the library may have them, filtered, and limited in number. */
export class RemoteCandidates {
  readonly #label: string;
  readonly #allowed: (candidate: string) => boolean;
  readonly #log: Log;
  #kept: string[] = [];
  #used = 0;
  #refused = 0;
  /** Where the other side says that a relay is, also of candidates that were refused: `address port`. */
  readonly #relays = new Set<string>();
  #use: ((candidate: string) => void) | null = null;

  constructor(label: string, allowed: (candidate: string) => boolean, log: Log) {
    this.#label = label;
    this.#allowed = allowed;
    this.#log = log;
  }

  /** How many the library was given. */
  get used(): number {
    return Math.min(this.#used, MAX_CANDIDATES);
  }

  /** How many the policy did not allow. */
  get refused(): number {
    return this.#refused;
  }

  /** Whether the other side has named a relay there. Its packets may come before the candidate, and look direct then. */
  isRelay(address: string, port: number): boolean {
    return this.#relays.has(`${address} ${String(port)}`);
  }

  /** Those of the description come before those that arrived ahead of it. */
  describe(candidates: readonly string[]): void {
    for (const line of candidates) this.#note(line);
    this.#kept.unshift(...candidates);
  }

  add(candidate: string): void {
    this.#note(candidate);
    if (this.#use) this.#give(candidate, this.#use);
    else if (this.#kept.length < MAX_CANDIDATES) this.#kept.push(candidate);
  }

  /** From here on `use` gets each allowed one, as `formatCandidate` writes it; it may throw. */
  release(use: (candidate: string) => void): void {
    this.#use = use;
    const kept = this.#kept;
    this.#kept = [];
    for (const candidate of kept) this.#give(candidate, use);
  }

  #note(line: string): void {
    const candidate = parseCandidate(line);
    if (candidate?.type === "relay" && this.#relays.size < MAX_CANDIDATES)
      this.#relays.add(`${candidate.address} ${String(candidate.port)}`);
  }

  #give(line: string, use: (candidate: string) => void): void {
    const candidate = parseCandidate(line);
    // We open no TCP connection to anybody, whatever the policy says.
    const usable = candidate !== null && candidate.transport === "udp";
    if (!usable || !this.#allowed(formatCandidate(candidate))) {
      this.#refused++;
      this.#log.debug("candidate_refused", { peer: this.#label });
      return;
    }
    if (this.#used++ >= MAX_CANDIDATES) return;
    try {
      use(formatCandidate(candidate));
    } catch (error) {
      this.#log.debug("candidate_refused", { peer: this.#label, reason: messageOf(error) });
    }
  }
}
