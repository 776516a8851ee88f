// A stereo tone for engines: what an output is fed with, in real time.
import { createOpusEncoder } from "../../src/media/audio/encoder.ts";
import type { EngineOutput } from "../../src/media/engine/engine.ts";

export const LEFT_HZ = 440;
export const RIGHT_HZ = 660;
export const TONE_AMPLITUDE = 0.25;

/** Writes the tone, for engines of both kinds, until stopped, catching up when a timer is late. */
export function playTone(output: EngineOutput): { stop(): void } {
  const encoder = createOpusEncoder(128_000);
  const pcm = new Int16Array(960 * 2);
  const begin = performance.now();
  let frames = 0;
  const timer = setInterval(() => {
    while (frames * 20 <= performance.now() - begin) {
      for (let i = 0; i < 960; i++) {
        const t = (2 * Math.PI * (frames * 960 + i)) / 48_000;
        pcm[2 * i] = Math.round(32_767 * TONE_AMPLITUDE * Math.sin(LEFT_HZ * t));
        pcm[2 * i + 1] = Math.round(32_767 * TONE_AMPLITUDE * Math.sin(RIGHT_HZ * t));
      }
      const opus = encoder.encode(pcm);
      output.write({ opus, pcm, timestamp: (frames * 960) >>> 0, marker: frames === 0 });
      frames++;
    }
  }, 10);
  return {
    stop() {
      clearInterval(timer);
      encoder.close();
    },
  };
}
