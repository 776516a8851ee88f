import type { LossReports } from "../figures.ts";
import { Redundancy } from "../redundancy.ts";
import { OFFERED_PAYLOAD_TYPE } from "../sdp-write.ts";
import type { RemoteAudio } from "../sdp.ts";

/** How packets go to one listener: under its numbers, and with as many earlier ones as its reports ask for. */
export class Sending {
  payloadType = OFFERED_PAYLOAD_TYPE;
  /** Its type for redundant packets; null when it takes none. */
  redType: number | null = null;
  readonly #redundancy = new Redundancy();

  /** How many of the packets before it each one is to carry; null when it takes none. */
  get redundancy(): number | null {
    return this.redType === null ? null : this.#redundancy.depth;
  }

  negotiated({ payloadType, redPayloadType }: RemoteAudio): void {
    this.payloadType = payloadType;
    this.redType = redPayloadType;
  }

  /** About once a second. */
  tick(nowMs: number, loss: LossReports | undefined): void {
    if (loss && this.redType !== null) this.#redundancy.take(nowMs, loss.reportedAtMs, loss.recently(nowMs));
  }
}
