import { amplitude, gainFor, type Measured } from "../../base/loudness.ts";
import { Ramp } from "./mixer.ts";
import { msToSamples } from "./pcm.ts";

/** How loud a track is asked to begin, as `play.start` says it. */
export interface TrackLevel {
  gainDb?: number | undefined;
  tagsToLufs?: number | undefined;
}

/** From what was thought of its loudness to what is known of it. */
const GLIDE_SAMPLES = msToSamples(2_000);

/** How much louder than it was made one track is played, however often it is opened while it is on. */
export class TrackGain {
  readonly #ramp: Ramp;
  /** Until it has begun, and nobody has said it better. */
  #tagsToLufs: number | undefined;
  #begun = false;

  constructor({ gainDb = 0, tagsToLufs }: TrackLevel = {}) {
    this.#ramp = new Ramp(amplitude(gainDb));
    this.#tagsToLufs = tagsToLufs;
  }

  /** In dB: at once where nobody has heard of it, else it glides there. */
  set(db: number): void {
    this.#tagsToLufs = undefined;
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
    this.#ramp.applyTo(values, samples);
  }
}
