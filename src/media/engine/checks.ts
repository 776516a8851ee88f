import type { Clock, Timer } from "../../base/clock.ts";
import type { RemoteCandidates } from "./remote-candidates.ts";

/**
 * An answerer leaves the first checks to the offerer until its answer is on its way, and for so long more. The library on the
 * other side, when it is the same as ours, looks for the certificate's fingerprint in a description that it stores a
 * moment after it let ICE and DTLS go on; checks of ours that come early make it lose that race and fail, and a rate limit can
 * hold the answer back for a minute. A browser does not mind: its own checks come with the answer, and those that open a way
 * through a NAT are repeated.
 */
const AFTER_ANSWER_MS = 250;

/** When the library may send checks to the other side's candidates: it gets none before. */
export class Checks {
  readonly #clock: Clock;
  readonly #candidates: RemoteCandidates;
  #timer: Timer | null = null;
  #give: ((candidate: string) => void) | null = null;
  #closed = false;

  constructor(clock: Clock, candidates: RemoteCandidates) {
    this.#clock = clock;
    this.#candidates = candidates;
  }

  /** The other side's description is set; from `start` on `give` hands a candidate to the library. It may throw. */
  described(candidates: readonly string[], give: (candidate: string) => void): void {
    this.#candidates.describe(candidates);
    this.#give = give;
  }

  /** The answer is on its way. Idempotent. */
  answered(): void {
    if (!this.#closed) this.#timer ??= this.#clock.timer(AFTER_ANSWER_MS, () => this.start());
  }

  start(): void {
    if (!this.#closed && this.#give) this.#candidates.release(this.#give);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }
}
