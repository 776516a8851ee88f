import { Decoder } from "@evan/opus";
import type { ReceivedOpus } from "../engine/engine.ts";
import { CHANNELS, rmsDbov, SAMPLE_RATE } from "./pcm.ts";

/** The level of a speaker who does not tell it, from a few packets in a row once a second. */
export interface LevelProbe {
  /** @returns the level in dBov when enough packets are together and were decoded. */
  take(audio: ReceivedOpus): number | null;
  /** Something came that cannot be decoded in a row with the others. */
  gap(): void;
}

const EVERY_MS = 1000;
/** A decoder that begins in the middle of a stream is right after 80 ms (RFC 7845 section 4.6). */
const WARM_UP = 4;
const MEASURED = 2;

// One for all: it is reset before each use. The library frees decoders late or never.
let decoder: Decoder | null = null;

export function createLevelProbe(): LevelProbe {
  let packets: Uint8Array[] = [];
  let nextSequence = 0;
  let dueMs = -Infinity;
  return {
    take({ payload, sequence, arrivalMs }) {
      if (arrivalMs < dueMs) return null;
      if (sequence !== nextSequence) packets = [];
      nextSequence = (sequence + 1) & 0xffff;
      packets.push(Uint8Array.from(payload));
      if (packets.length < WARM_UP + MEASURED) return null;
      dueMs = arrivalMs + EVERY_MS;
      const level = decodedLevel(packets);
      packets = [];
      return level;
    },
    gap() {
      packets = [];
    },
  };
}

function decodedLevel(packets: readonly Uint8Array[]): number | null {
  decoder ??= new Decoder({ channels: CHANNELS, sample_rate: SAMPLE_RATE });
  decoder.reset();
  let power = 0;
  try {
    for (const [index, packet] of packets.entries()) {
      const { buffer, byteOffset, byteLength } = decoder.decode(packet);
      if (index < WARM_UP) continue;
      power += 10 ** (rmsDbov(new Int16Array(buffer, byteOffset, byteLength / 2)) / 10) / MEASURED;
    }
  } catch {
    return null; // no Opus, whatever it is
  }
  return 10 * Math.log10(power);
}
