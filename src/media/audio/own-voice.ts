import type { EncoderSettings } from "./adaptation.ts";
import { createOpusEncoder, type OpusEncoder } from "./encoder.ts";
import { Limiter } from "./limiter.ts";
import { GLIDE_SAMPLES, Ramp } from "./mixer.ts";
import { FRAME_SAMPLES, FRAME_VALUES } from "./pcm.ts";

/**
 * Frames that an encoder and a limiter hear along before what they make is given to somebody who has got the common ones
 * until then: by then they are in the same state, and a decoder notices nothing of the change.
 */
const WARM_FRAMES = 15;

/*
 *   warming ── 15 frames, or a standstill ──► heard ── unity again, settled, 15 frames ──► done
 *   (at unity, not given out)                 (gain glides)
 *
 * Begun for somebody who has heard nothing yet, it is `heard` at once.
 */
/** The channel's sound as one listener has it: the same mix at another volume, through an encoder of its own. */
export class OwnVoice {
  readonly #limiter = new Limiter();
  readonly #gain: Ramp;
  readonly #scaled = new Float32Array(FRAME_VALUES);
  readonly #pcm = new Int16Array(FRAME_VALUES);
  readonly #encoder: OpusEncoder | null;
  #warming: number;
  #settled = 0;
  #percent: number;

  /**
   * @param fresh who it is for has heard nothing yet
   * @param encoding null: the engine takes PCM
   */
  constructor(percent: number, fresh: boolean, encoding: EncoderSettings | null) {
    this.#percent = percent;
    this.#warming = fresh ? 0 : WARM_FRAMES;
    this.#gain = new Ramp(fresh ? percent / 100 : 1);
    this.#encoder = encoding && createOpusEncoder(encoding.bitrate);
    if (encoding) this.#encoder?.set(encoding);
  }

  /** It makes what everybody gets, for long enough that nobody notices who does it. */
  get done(): boolean {
    return this.#settled >= WARM_FRAMES;
  }

  volume(percent: number): void {
    this.#percent = percent;
    if (this.#warming === 0) this.#gain.to(percent / 100, GLIDE_SAMPLES);
  }

  set(encoding: EncoderSettings): void {
    this.#encoder?.set(encoding);
  }

  /**
   * @param sum the mix before its limiter, one frame; @param standstill nothing was sent right before
   * @returns what the listener gets, valid until the next call; null: as everybody
   */
  frame(sum: Float32Array, standstill: boolean): { opus: Uint8Array | null; pcm: Int16Array } | null {
    if (this.#warming > 0 && (standstill || --this.#warming === 0)) {
      this.#warming = 0;
      this.#gain.to(this.#percent / 100, standstill ? 0 : GLIDE_SAMPLES);
    }
    const common = this.#gain.settled && this.#gain.value === 1;
    this.#settled = this.#warming === 0 && common ? this.#settled + 1 : 0;
    this.#scaled.set(sum);
    this.#gain.applyTo(this.#scaled, FRAME_SAMPLES);
    this.#limiter.apply(this.#scaled, this.#pcm);
    const opus = this.#encoder?.encode(this.#pcm) ?? null;
    return this.#warming > 0 ? null : { opus, pcm: this.#pcm };
  }

  /** Idempotent; no call may follow. */
  close(): void {
    this.#encoder?.close();
  }
}
