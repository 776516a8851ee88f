import { Decoder } from "@evan/opus";
import type { ReceivedOpus } from "../engine/engine.ts";
import { CHANNELS, rmsDbov, SAMPLE_RATE } from "./pcm.ts";

export interface Probed {
  /** In dBov; null when nothing was decoded. */
  levelDbov: number | null;
  /** Frames that were looked at, and those of them with clipped samples. */
  frames: number;
  clipped: number;
}

/** Level and clipping of a speaker, from a few packets in a row once a second. */
export interface LevelProbe {
  /** @returns what was found when enough packets are together. Those that say that they are quiet are not decoded. */
  take(audio: ReceivedOpus): Probed | null;
  /** Something came that cannot be decoded in a row with the others. */
  gap(): void;
}

const EVERY_MS = 1000;
/** A decoder that begins in the middle of a stream is right after 80 ms (RFC 7845 section 4.6). */
const WARM_UP = 4;
const MEASURED = 2;
/** A frame under this has no clipped samples to speak of: full scale is where 0 is. */
const MAY_CLIP_DBOV = -12;
/** Values at full scale that make a frame a clipped one; a decoder's overshoot alone makes one or two. */
const CLIPPED_VALUES = 4;

// One for all: it is reset before each use. The library frees decoders late or never.
let decoder: Decoder | null = null;

export function createLevelProbe(): LevelProbe {
  let packets: Uint8Array[] = [];
  let nextSequence = 0;
  let dueMs = -Infinity;
  let loudest = -Infinity;
  return {
    take({ payload, sequence, arrivalMs, levelDbov }) {
      if (arrivalMs < dueMs) return null;
      if (sequence !== nextSequence) packets = [];
      if (packets.length === 0) loudest = -Infinity;
      loudest = Math.max(loudest, levelDbov ?? 0);
      nextSequence = (sequence + 1) & 0xffff;
      packets.push(Uint8Array.from(payload));
      if (packets.length < WARM_UP + MEASURED) return null;
      dueMs = arrivalMs + EVERY_MS;
      const probed =
        loudest < MAY_CLIP_DBOV ? { levelDbov: null, frames: MEASURED, clipped: 0 } : decoded(packets);
      packets = [];
      return probed;
    },
    gap() {
      packets = [];
    },
  };
}

/** Whether a decoded frame (of either number of channels) has so many samples at full scale that it was cut there. */
export function isClipped(samples: Int16Array): boolean {
  let full = 0;
  for (const sample of samples) if (sample >= 32_767 || sample <= -32_767) full++;
  return full >= CLIPPED_VALUES;
}

function decoded(packets: readonly Uint8Array[]): Probed | null {
  decoder ??= new Decoder({ channels: CHANNELS, sample_rate: SAMPLE_RATE });
  decoder.reset();
  let power = 0;
  let clipped = 0;
  try {
    for (const [index, packet] of packets.entries()) {
      const { buffer, byteOffset, byteLength } = decoder.decode(packet);
      if (index < WARM_UP) continue;
      const samples = new Int16Array(buffer, byteOffset, byteLength / 2);
      power += 10 ** (rmsDbov(samples) / 10) / MEASURED;
      if (isClipped(samples)) clipped++;
    }
  } catch {
    return null; // no Opus, whatever it is
  }
  return { levelDbov: 10 * Math.log10(power), frames: MEASURED, clipped };
}
