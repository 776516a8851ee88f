import { Encoder } from "@evan/opus";
import { Adaptation } from "./adaptation.ts";
import type { EncoderSettings } from "./adaptation.ts";
import { CHANNELS, SAMPLE_RATE } from "./pcm.ts";

/** Turns 20 ms of PCM into one Opus packet (RFC 6716). Stateful: frames in order, one encoder per stream. */
export interface OpusEncoder {
  /** `pcm` holds one frame (960 × 2 interleaved); the packet is the caller's. */
  encode(pcm: Int16Array): Uint8Array;
  set(settings: EncoderSettings): void;
  /** Idempotent; no call may follow. */
  close(): void;
}

// The library frees an encoder only when it is collected, which for memory outside of the heap is late or never. So
// closed ones are used again; there are as many as were ever open at once.
const idle: Encoder[] = [];
const idleVoices: Encoder[] = [];

/** An Opus encoder for music: 48 kHz stereo. */
export function createOpusEncoder(bitrate: number): OpusEncoder {
  const encoder =
    idle.pop() ?? new Encoder({ channels: CHANNELS, sample_rate: SAMPLE_RATE, application: "audio" });
  encoder.reset();
  apply(encoder, new Adaptation(bitrate).settings);
  return pooled(encoder, idle);
}

/** An Opus encoder for a voice on its way to a file: 48 kHz mono; its frames have 960 values. */
export function createVoiceOpusEncoder(bitrate: number): OpusEncoder {
  const encoder =
    idleVoices.pop() ?? new Encoder({ channels: 1, sample_rate: SAMPLE_RATE, application: "voip" });
  encoder.reset();
  encoder.bitrate = bitrate;
  return pooled(encoder, idleVoices);
}

function pooled(made: Encoder, pool: Encoder[]): OpusEncoder {
  let encoder: Encoder | null = made;
  return {
    encode(pcm) {
      if (!encoder) throw new Error("the encoder is closed");
      return encoder.encode(pcm);
    },
    set(next) {
      if (encoder) apply(encoder, next);
    },
    close() {
      if (encoder) pool.push(encoder);
      encoder = null;
    },
  };
}

function apply(encoder: Encoder, { bitrate, expectedLoss, fec }: EncoderSettings): void {
  encoder.bitrate = bitrate;
  encoder.inband_fec = fec;
  encoder.packet_loss = expectedLoss;
}
