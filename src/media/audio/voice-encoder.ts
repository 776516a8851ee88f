import { randomInt } from "node:crypto";
import type { ReceivedOpus, ReceivedPcm } from "../engine/engine.ts";
import { createVoiceOpusEncoder } from "./encoder.ts";
import type { OpusEncoder } from "./encoder.ts";
import { DIGITAL_SILENCE_DB, FRAME_SAMPLES, rmsDbov, SAMPLE_RATE } from "./pcm.ts";

/** bit/s: a voice loses nothing that it still had. */
const BITRATE = 48_000;
/** Silent frames that are kept after sound, so that a decoder fades instead of concealing. */
const TAIL_FRAMES = 5;
const WRAP = 2 ** 32;

/**
 * One speaker's PCM as Opus packets of 20 ms, as if they had come from the network. Their times are counted in samples, as
 * the engine counts them: there is no clock of the sender. Digital silence makes no packets.
 */
export class VoiceEncoder {
  readonly #onPacket: (packet: ReceivedOpus) => void;
  readonly #ssrc = randomInt(1, WRAP);
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  #encoder: OpusEncoder | null = null;
  #filled = 0;
  /** Of the frame that is being filled. */
  #timestamp = 0;
  #arrivalMs = 0;
  #sequence = 0;
  #tail = 0;
  #closed = false;

  constructor(onPacket: (packet: ReceivedOpus) => void) {
    this.#onPacket = onPacket;
  }

  /** What is not at 48 kHz is left out; channels are mixed into one. */
  take({ samples, channels, sampleRate, timestamp, arrivalMs }: ReceivedPcm): void {
    if (this.#closed || sampleRate !== SAMPLE_RATE || channels < 1) return;
    // Something was left out: what is there of a frame is ended with silence.
    if (this.#filled > 0 && timestamp !== (this.#timestamp + this.#filled) % WRAP) this.#flush();
    const count = Math.floor(samples.length / channels);
    for (let at = 0; at < count; at++) {
      if (this.#filled === 0) {
        this.#timestamp = (timestamp + at) % WRAP;
        this.#arrivalMs = arrivalMs;
      }
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += samples[at * channels + channel]!;
      this.#frame[this.#filled++] = sum / channels;
      if (this.#filled === FRAME_SAMPLES) this.#flush();
    }
  }

  /** Idempotent; what is there of a frame is encoded. */
  close(): void {
    if (!this.#closed && this.#filled > 0) this.#flush();
    this.discard();
  }

  /** As `close`, and what is there of a frame is forgotten. */
  discard(): void {
    this.#filled = 0;
    this.#closed = true;
    this.#encoder?.close();
    this.#encoder = null;
  }

  #flush(): void {
    this.#frame.fill(0, this.#filled);
    this.#filled = 0;
    const level = rmsDbov(this.#frame);
    const begins = this.#tail === 0;
    if (level > DIGITAL_SILENCE_DB) this.#tail = TAIL_FRAMES;
    else if (this.#tail-- <= 0) {
      this.#tail = 0;
      return;
    }
    this.#encoder ??= createVoiceOpusEncoder(BITRATE);
    this.#onPacket({
      kind: "opus",
      payload: this.#encoder.encode(this.#frame),
      ssrc: this.#ssrc,
      sequence: this.#sequence++ & 0xffff,
      timestamp: this.#timestamp,
      marker: begins,
      arrivalMs: this.#arrivalMs,
      levelDbov: Math.max(DIGITAL_SILENCE_DB, Math.round(level)),
    });
  }
}
