/** The one format of sound inside the media plane: 48 kHz, stereo, signed 16 bit, in frames of 20 ms. */
export const SAMPLE_RATE = 48_000;
export const CHANNELS = 2;
export const FRAME_MS = 20;
/** Samples of one frame per channel. */
export const FRAME_SAMPLES = 960;
/** Interleaved values of one frame. */
export const FRAME_VALUES = FRAME_SAMPLES * CHANNELS;
export const BYTES_PER_SAMPLE = 2 * CHANNELS;

/** Milliseconds of `samples` (per channel). */
export function samplesToMs(samples: number): number {
  return samples / (SAMPLE_RATE / 1000);
}

/** Whole samples (per channel) of `ms` milliseconds. */
export function msToSamples(ms: number): number {
  return Math.round(ms * (SAMPLE_RATE / 1000));
}

/** The level of a stream of zeros, and the lowest there is (RFC 6464 section 3). */
export const DIGITAL_SILENCE_DB = -127;

/** RMS of 16-bit samples in dB, where a full-scale square wave is 0. */
export function rmsDbov(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  if (sum === 0) return DIGITAL_SILENCE_DB;
  return Math.max(DIGITAL_SILENCE_DB, 10 * Math.log10(sum / samples.length / 32_768 ** 2));
}
