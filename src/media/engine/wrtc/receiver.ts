import type { ConnectionEvents } from "../engine.ts";
import type { SinkData } from "./library.ts";

const SAMPLE_RATE = 48_000;
const WRAP = 2 ** 32;

/**
 * What a sink delivers, as the port gives it. A sink goes on for ever, with silence when nothing comes: that is left out, as
 * it is no sound that anybody sent.
 */
export class Receiver {
  readonly #onAudio: ConnectionEvents["onAudio"];
  /** Samples that the sink has delivered: its only clock. */
  #position = 0;
  /** Whether packets came lately (the library says so once a second). */
  arriving = false;

  constructor(onAudio: ConnectionEvents["onAudio"]) {
    this.#onAudio = onAudio;
  }

  take({ samples, sampleRate, channelCount, numberOfFrames }: SinkData, nowMs: number): void {
    // Before the first packet it delivers silence of another rate.
    if (sampleRate !== SAMPLE_RATE || channelCount < 1 || channelCount > 2) return;
    const timestamp = this.#position;
    this.#position = (this.#position + numberOfFrames) % WRAP;
    if (!this.arriving && isSilence(samples)) return;
    this.#onAudio({ kind: "pcm", samples, channels: channelCount, sampleRate, timestamp, arrivalMs: nowMs });
  }
}

function isSilence(samples: Int16Array): boolean {
  for (const sample of samples) if (sample !== 0) return false;
  return true;
}
