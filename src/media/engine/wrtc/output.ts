import { randomBytes } from "node:crypto";
import type { EngineOutput, OutgoingFrame } from "../engine.ts";
import { NativeSource } from "./library.ts";
import type { NativeTrack } from "./library.ts";

/** What listeners are told that we can take, and what is sent unless the channel says otherwise: bit/s (RFC 7587 section 6.1). */
export const MAX_BITRATE = 128_000;
/** The library takes 10 ms at a time: interleaved stereo at 48 kHz. */
const PART_VALUES = 480 * 2;

/** A connection that can be given another source of sound. */
export interface Switchable {
  /** It sends this track from now on. Must not throw. */
  sendTrack(track: NativeTrack): void;
}

/** One outgoing stream: one source for all connections, each of which encodes it; more for those who get their own. */
export class Output implements EngineOutput {
  readonly source = new NativeSource();
  /** RFC 7022 section 4.2: short-term names say nothing about who we are. */
  readonly cname = randomBytes(12).toString("base64");
  readonly msid = randomBytes(8).toString("hex");
  readonly #part = new Int16Array(PART_VALUES);
  readonly #apart = new Map<Switchable, NativeSource>();
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

  write({ pcm, own }: OutgoingFrame): void {
    if (this.#closed || pcm === null) return;
    this.#give(this.source, pcm);
    for (const [connection, source] of this.#apart) {
      if (own?.has(connection)) continue;
      this.#apart.delete(connection);
      connection.sendTrack(this.source.track);
      source.close();
    }
    if (own) for (const [connection, frame] of own) this.#giveApart(connection, frame.pcm);
  }

  /** The connection is gone. */
  forget(connection: object): void {
    for (const [other, source] of this.#apart) {
      if (other !== connection) continue;
      this.#apart.delete(other);
      source.close();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.source.close();
    for (const source of this.#apart.values()) source.close();
    this.#apart.clear();
  }

  #giveApart(connection: object, pcm: Int16Array | null): void {
    if (pcm === null || !isSwitchable(connection)) return;
    let source = this.#apart.get(connection);
    if (!source) {
      source = new NativeSource();
      this.#apart.set(connection, source);
      connection.sendTrack(source.track);
    }
    this.#give(source, pcm);
  }

  #give(source: NativeSource, pcm: Int16Array): void {
    for (let at = 0; at + PART_VALUES <= pcm.length; at += PART_VALUES) {
      this.#part.set(pcm.subarray(at, at + PART_VALUES));
      source.write(this.#part);
    }
  }
}

const isSwitchable = (connection: object): connection is Switchable => "sendTrack" in connection;
