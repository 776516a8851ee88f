/** Levels are kept for each piece of this length. */
export const LEVEL_MS = 50;
const LEVEL_SAMPLES = LEVEL_MS * 48;
/** Values of a waveform (MSC3246: at most 1024 each; clients draw about this many). */
const WAVEFORM_VALUES = 100;
const WAVEFORM_MAX = 1024;
/** As near to full scale as 16 bits come, with what a filter takes off. */
const CLIPPED = 0.997;
/** So many in a row are distortion, not a peak. */
const CLIPPED_RUN = 3;
/** What a track has where nothing was said: digital silence (RFC 6464 section 3). */
const SILENCE_DBOV = -127;

export interface Metered {
  /** Peaks over the whole length, 0 to 1024. */
  waveform: number[];
  /** Highest sample, dBFS; null for a track without any sound. */
  peakDbfs: number | null;
  /** Of what sounds (above -60 dBov), RMS, dBov; null as there. */
  levelDbov: number | null;
  /** Samples in stretches of distortion. */
  clippedSamples: number;
}

/** Levels of pieces of 50 ms one after the other, 0 (loudest) to 127 (silence), in -dBov; around them is silence. */
export interface Levels {
  fromMs: number;
  values: Uint8Array;
}

/**
 * Measures a track while it goes by: loudness over time, peaks, distortion. Its memory grows by 72 kB an hour from the first sound
 * to the last one.
 */
export class Meter {
  readonly #channels: 1 | 2;
  readonly #peaks: Float32Array;
  readonly #bucket: number;
  #levels = new Uint8Array(0);
  #count = 0;
  /** Pieces of silence since the beginning, or since the last sound. */
  #silent = 0;
  #firstPiece = 0;
  #frames = 0;
  #power = 0;
  #inPiece = 0;
  #loudPower = 0;
  #loudPieces = 0;
  #run = 0;
  #clipped = 0;

  /** @param total samples of the whole track */
  constructor(total: number, channels: 1 | 2) {
    this.#channels = channels;
    const values = Math.min(WAVEFORM_VALUES, Math.max(1, Math.floor(total / LEVEL_SAMPLES)));
    this.#peaks = new Float32Array(values);
    this.#bucket = total / values;
  }

  /** The next samples, interleaved, full scale 1; null for `frames` of silence. */
  take(pcm: Float32Array | null, frames: number): void {
    if (pcm === null) this.#skip(frames);
    else this.#measure(pcm, frames);
  }

  /** Complete after `result`. */
  get levels(): Levels {
    return { fromMs: this.#firstPiece * LEVEL_MS, values: this.#levels.subarray(0, this.#count) };
  }

  result(): Metered {
    if (this.#inPiece > 0) this.#endPiece();
    const peak = this.#peaks.reduce((max, value) => Math.max(max, value), 0);
    const scaled = (value: number): number => Math.min(WAVEFORM_MAX, Math.round(value * WAVEFORM_MAX));
    return {
      waveform: Array.from(this.#peaks, scaled),
      peakDbfs: peak === 0 ? null : round(20 * Math.log10(peak)),
      levelDbov: this.#loudPieces === 0 ? null : round(10 * Math.log10(this.#loudPower / this.#loudPieces)),
      clippedSamples: this.#clipped,
    };
  }

  #skip(frames: number): void {
    this.#run = 0;
    let left = frames;
    while (left > 0) {
      const part = Math.min(left, LEVEL_SAMPLES - this.#inPiece);
      this.#inPiece += part;
      left -= part;
      if (this.#inPiece === LEVEL_SAMPLES) this.#endPiece();
    }
    this.#frames += frames;
  }

  #measure(pcm: Float32Array, frames: number): void {
    const channels = this.#channels;
    for (let frame = 0; frame < frames;) {
      // Up to the end of a piece or of a value of the waveform, whichever comes first.
      const value = Math.min(this.#peaks.length - 1, Math.floor(this.#frames / this.#bucket));
      const valueEnd = value === this.#peaks.length - 1 ? Infinity : Math.ceil((value + 1) * this.#bucket);
      const part = Math.min(
        frames - frame,
        LEVEL_SAMPLES - this.#inPiece,
        Math.max(1, valueEnd - this.#frames),
      );
      let peak = this.#peaks[value]!;
      let power = 0;
      for (let i = frame * channels; i < (frame + part) * channels; i++) {
        const sample = pcm[i]!;
        const size = Math.abs(sample);
        power += sample * sample;
        if (size > peak) peak = size;
        if (size < CLIPPED) {
          if (this.#run >= CLIPPED_RUN) this.#clipped += this.#run;
          this.#run = 0;
        } else this.#run++;
      }
      this.#peaks[value] = peak;
      this.#power += power / channels;
      this.#frames += part;
      this.#inPiece += part;
      frame += part;
      if (this.#inPiece === LEVEL_SAMPLES) this.#endPiece();
    }
  }

  #endPiece(): void {
    const power = this.#power / this.#inPiece;
    const level = power === 0 ? -SILENCE_DBOV : Math.min(-SILENCE_DBOV, Math.round(-10 * Math.log10(power)));
    this.#keep(Math.max(0, level));
    if (level < 60) {
      this.#loudPower += power;
      this.#loudPieces++;
    }
    this.#power = 0;
    this.#inPiece = 0;
  }

  #keep(level: number): void {
    if (level === -SILENCE_DBOV) {
      this.#silent++;
      return;
    }
    if (this.#count === 0) {
      this.#firstPiece = this.#silent;
      this.#silent = 0;
    }
    const end = this.#count + this.#silent + 1;
    if (end > this.#levels.length) {
      const larger = new Uint8Array(Math.max(1_200, end * 2));
      larger.set(this.#levels);
      this.#levels = larger;
    }
    this.#levels.fill(-SILENCE_DBOV, this.#count, end - 1);
    this.#levels[end - 1] = level;
    this.#count = end;
    this.#silent = 0;
  }
}

const round = (value: number): number => Math.round(value * 10) / 10;
