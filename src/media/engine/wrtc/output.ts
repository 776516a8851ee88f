import { randomBytes } from "node:crypto";
import type { EngineOutput, OutgoingFrame } from "../engine.ts";
import { NativeSource } from "./library.ts";

/** What listeners are told that we can take, and what is sent unless the channel says otherwise: bit/s (RFC 7587 section 6.1). */
export const MAX_BITRATE = 128_000;
/** The library takes 10 ms at a time: interleaved stereo at 48 kHz. */
const PART_VALUES = 480 * 2;

/** One outgoing stream: one source for all connections, each of which encodes it. */
export class Output implements EngineOutput {
  readonly source = new NativeSource();
  /** RFC 7022 section 4.2: short-term names say nothing about who we are. */
  readonly cname = randomBytes(12).toString("base64");
  readonly msid = randomBytes(8).toString("hex");
  readonly #part = new Int16Array(PART_VALUES);
  #bitrate: number;
  #closed = false;

  constructor(bitrate: number) {
    this.#bitrate = bitrate;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** bit/s, for connections made from now on. */
  get bitrate(): number {
    return this.#bitrate;
  }

  setBitrate(bitrate: number): void {
    this.#bitrate = bitrate;
  }

  write({ pcm }: OutgoingFrame): void {
    if (this.#closed || pcm === null) return;
    for (let at = 0; at + PART_VALUES <= pcm.length; at += PART_VALUES) {
      this.#part.set(pcm.subarray(at, at + PART_VALUES));
      this.source.write(this.#part);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.source.close();
  }
}
