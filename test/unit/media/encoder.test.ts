import { createOpusEncoder } from "../../../src/media/audio/encoder.ts";
import { CHANNELS, FRAME_SAMPLES, FRAME_VALUES } from "../../../src/media/audio/pcm.ts";

/** A chord of tones that fit into 20 ms: each frame is like the one before. */
const FRAME = Int16Array.from({ length: FRAME_VALUES }, (_, i) => {
  const turns = (2 * Math.PI * Math.floor(i / CHANNELS)) / FRAME_SAMPLES;
  return [4, 6, 7, 35].reduce((sum, times) => sum + 3000 * Math.sin(times * turns), 0);
});

/** RFC 6716 section 3.1: configurations under 16 have a SILK layer, which alone has FEC. */
const hasSilk = (packet: Uint8Array): boolean => packet[0]! >> 3 < 16;

test("the encoder leaves its music mode for FEC, and comes back; its bit rate follows", () => {
  const encoder = createOpusEncoder(128_000);
  try {
    const encode = (frames: number): Uint8Array[] =>
      // What it learns takes a moment.
      Array.from({ length: frames + 30 }, () => encoder.encode(FRAME)).slice(30);
    const bytes = (packets: Uint8Array[]): number => packets.reduce((sum, { length }) => sum + length, 0);
    const music = encode(20);
    expect(music.some(hasSilk)).toBe(false);
    // As much as the engine that keeps the packets may hold of them.
    expect(Math.max(...music.map(({ length }) => length))).toBeLessThan(1024);
    encoder.set({ bitrate: 128_000, expectedLoss: 10, fec: true });
    expect(encode(20).every(hasSilk)).toBe(true);
    encoder.set({ bitrate: 64_000, expectedLoss: 3, fec: false });
    const low = encode(20);
    expect(low.some(hasSilk)).toBe(false);
    expect(bytes(low) / bytes(music)).toBeLessThan(0.7);
  } finally {
    encoder.close();
  }
});
