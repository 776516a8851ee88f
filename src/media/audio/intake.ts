import { FRAME_SAMPLES, FRAME_VALUES, msToSamples } from "./pcm.ts";
import { PcmRing } from "./ring.ts";
import type { PcmSource } from "./source.ts";

const RING_SAMPLES = msToSamples(2_000);
/** 128 KiB, the largest chunk, are 683 ms: they fit between this and the ring's size. */
const HIGH_WATER_SAMPLES = msToSamples(1_000);

/** An mp3 that does not tell has 25 to 50 ms of it. */
const LEAD_IN_SAMPLES = msToSamples(60);
/** -66 dBFS. */
const SILENT_PEAK = 16;

/** What comes of a source until it is played: a ring that stops the source while it is full. It owns the source. */
export class Intake {
  readonly #ring = new PcmRing(RING_SAMPLES, HIGH_WATER_SAMPLES);
  readonly #dropped = new Float32Array(FRAME_VALUES);
  #source: PcmSource | null = null;
  #blocked = false;
  #unheard: number;

  /** @param unheard so many samples come first that nobody is to hear: a decoder begins in the middle and needs a start */
  constructor(unheard: number) {
    this.#unheard = unheard;
  }

  /** Whole samples (per channel) that can be read. */
  get available(): number {
    return this.#ring.available;
  }

  get levels(): PcmSource["levels"] {
    return this.#source?.levels;
  }

  begin(source: PcmSource): void {
    this.#source = source;
    // It may have given much already.
    if (this.#blocked) source.pause();
  }

  /** s16le, at most 128 KiB. */
  take(chunk: Buffer): void {
    this.#ring.write(chunk);
    if (this.#unheard > 0) this.#unheard -= this.drop(this.#unheard);
    if (this.#ring.hasRoom || this.#blocked) return;
    this.#blocked = true;
    this.#source?.pause();
  }

  /** As `PcmRing.read`. */
  read(target: Float32Array, samples: number): number {
    const count = this.#ring.read(target, samples);
    if (this.#blocked && this.#ring.wantsMore) {
      this.#blocked = false;
      this.#source?.resume();
    }
    return count;
  }

  /** Leaves out up to `samples` of what is here; returns how many there were. */
  drop(samples: number): number {
    let left = Math.min(samples, this.#ring.available);
    const count = Math.max(0, left);
    while (left > 0) left -= this.read(this.#dropped, Math.min(left, FRAME_SAMPLES));
    return count;
  }

  /** Leaves out the silence that an encoder has put first; returns how many samples there were. */
  dropLeadIn(): number {
    return this.drop(this.#ring.quiet(LEAD_IN_SAMPLES, SILENT_PEAK));
  }

  /** Nobody listens for now. Live, what is here would be of the past when it goes on. */
  rest(): void {
    if (this.#source?.release?.() !== true) return;
    this.#ring.clear();
    this.#blocked = false;
  }

  reopen(): void {
    this.#source?.reopen?.();
  }

  /** It has given its last. */
  ended(): void {
    this.#source = null;
  }

  close(): void {
    this.#source?.close();
    this.#source = null;
  }
}
