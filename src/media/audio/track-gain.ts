import { amplitude, gainFor, type Measured } from "../../base/loudness.ts";
import { LoudnessMeter } from "./loudness-meter.ts";
import { Ramp } from "./mixer.ts";
import { FRAME_MS, FRAME_SAMPLES, msToSamples } from "./pcm.ts";

/** How loud a track is asked to begin, as `play.start` says it. */
export interface TrackLevel {
  gainDb?: number | undefined;
  tagsToLufs?: number | undefined;
}

/** From what was thought of its loudness to what is known of it. */
const GLIDE_SAMPLES = msToSamples(2_000);
/** How often what is heard of something without an end is judged anew, and by how much it must be off to be changed. */
const JUDGE_EVERY_FRAMES = 3_000 / FRAME_MS;
const CHANGE_DB = 1;

interface Live {
  readonly meter: LoudnessMeter;
  readonly toLufs: number;
  frames: number;
}

/** How much louder than it was made one track is played, however often it is opened while it is on. */
export class TrackGain {
  readonly #ramp: Ramp;
  /** Until it has begun, and nobody has said it better. */
  #tagsToLufs: number | undefined;
  #begun = false;
  /** Of what has no end: nobody can measure it before it is heard. */
  #live: Live | null = null;

  /** @param isLive it has no end: from what is heard of it, it is brought to `tagsToLufs` as it goes */
  constructor({ gainDb = 0, tagsToLufs }: TrackLevel = {}, isLive = false) {
    this.#ramp = new Ramp(amplitude(gainDb));
    this.#tagsToLufs = tagsToLufs;
    if (isLive && tagsToLufs !== undefined)
      this.#live = { meter: new LoudnessMeter(), toLufs: tagsToLufs, frames: 0 };
  }

  /** In dB: at once where nobody has heard of it, else it glides there. */
  set(db: number): void {
    this.#tagsToLufs = undefined;
    this.#live = null;
    this.#ramp.to(amplitude(db), this.#begun ? GLIDE_SAMPLES : 0);
  }

  /** To interleaved stereo that is heard next. `tagged`: how loud its tags say that it is, asked before the first of it. */
  applyTo(values: Float32Array, samples: number, tagged: () => Measured | null): void {
    if (!this.#begun) {
      this.#begun = true;
      const known = this.#tagsToLufs === undefined ? null : tagged();
      if (known && this.#tagsToLufs !== undefined)
        this.#ramp.to(amplitude(gainFor(known, this.#tagsToLufs)), 0);
    }
    if (this.#live && samples === FRAME_SAMPLES) this.#listen(this.#live, values);
    this.#ramp.applyTo(values, samples);
  }

  #listen(live: Live, values: Float32Array): void {
    live.meter.take(values);
    if (++live.frames % JUDGE_EVERY_FRAMES !== 0) return;
    const { lufs } = live.meter;
    if (lufs === null) return;
    const db = gainFor({ lufs, truePeakDb: null }, live.toLufs);
    if (Math.abs(db - 20 * Math.log10(this.#ramp.target)) >= CHANGE_DB)
      this.#ramp.to(amplitude(db), GLIDE_SAMPLES);
  }
}
