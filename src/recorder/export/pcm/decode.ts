import { Decoder } from "@evan/opus";
import { packetSamples } from "../opus.ts";

/** Decoders that nobody uses: the library frees them late or never. */
const spare: Record<1 | 2, Decoder[]> = { 1: [], 2: [] };

/** Decodes one speaker's packets in order. What cannot be decoded is concealed, as if it had been lost. */
export class OpusDecoder {
  readonly channels: 1 | 2;
  readonly #decoder: Decoder;
  /** Of the last packet: a decoder conceals in the way in which it decoded. */
  #toc: number | null = null;
  /** Packets that were no Opus. */
  damaged = 0;

  constructor(channels: 1 | 2) {
    this.channels = channels;
    this.#decoder = spare[channels].pop() ?? new Decoder({ channels, sample_rate: 48_000 });
    this.#decoder.reset();
  }

  /** Another clock's packets follow. */
  reset(): void {
    this.#decoder.reset();
    this.#toc = null;
  }

  /** Interleaved samples, `samples` for each channel, valid until the next call; null for what is no Opus. */
  decode(packet: Uint8Array, samples: number): Int16Array | null {
    const decoded = this.#decode(packet);
    if (decoded?.length !== samples * this.channels) {
      this.damaged++;
      return null;
    }
    this.#toc = packet[0] ?? null;
    return decoded;
  }

  /** What a frame that is missing may have been, fading with each further one; null before the first packet. */
  conceal(): Int16Array | null {
    // To libopus a frame without bytes is a lost one (RFC 6716 section 3.2.1).
    return this.#toc === null ? null : this.#decode(Uint8Array.of(this.#toc & 0xfc));
  }

  /** How long a concealed frame is, in samples; 0 before the first packet. */
  get concealedSamples(): number {
    return this.#toc === null ? 0 : (packetSamples(Uint8Array.of(this.#toc & 0xfc)) ?? 0);
  }

  /** Gives the decoder back. It must not be used any more. */
  close(): void {
    spare[this.channels].push(this.#decoder);
  }

  #decode(packet: Uint8Array): Int16Array | null {
    try {
      const { buffer, byteOffset, byteLength } = this.#decoder.decode(packet);
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    } catch {
      return null;
    }
  }
}
