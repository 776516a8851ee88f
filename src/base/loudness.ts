/** What everything is brought to unless a room wants it otherwise, in LUFS (ITU-R BS.1770, EBU R 128). */
export const TARGET_LUFS = -16;
/** Of a file of which nothing is known: what is sold today is about as much louder. Too quiet for a moment hurts nobody. */
export const UNKNOWN_GAIN_DB = -6;
/**
 * What the limiter lets through, in dBTP. People are to get -1 at most, and Opus makes other peaks of what it is given: at
 * 128 kbit/s up to 2 dB higher ones of drums and strings (bench/levels.ts).
 */
export const CEILING_DB = -3;
/** The limiter may take so much of the loudest peak of a track that is raised: more is heard. */
const MAX_LIMITING_DB = 6;
/** Beyond it would be the noise of an empty recording. */
const MAX_GAIN_DB = 24;
const MIN_GAIN_DB = -40;

/** The factor of amplitude of a gain in dB. */
export const amplitude = (db: number): number => 10 ** (db / 20);

/** How loud something is: integrated, and its true peak in dBTP (null: nobody knows). */
export interface Measured {
  readonly lufs: number;
  readonly truePeakDb: number | null;
}

/** What came of measuring a file. */
export interface Measurement {
  /** Integrated; null: silence, too short to say, or not measured. */
  readonly lufs: number | null;
  /** dBTP; null: nobody knows. */
  readonly truePeakDb: number | null;
  /** Its own tags say how loud it is, and it was not looked at any further. */
  readonly isTagged: boolean;
  /** Of sound, and of the processor (null: nobody knows). */
  readonly soundMs: number;
  readonly usedMs: number | null;
}

/**
 * The gain in dB that brings what was measured to `targetLufs`. It is never raised so far that the limiter had to take more
 * than 6 dB of its peak; where the peak is not known, by no more than those.
 */
export function gainFor({ lufs, truePeakDb }: Measured, targetLufs: number): number {
  const wanted = targetLufs - lufs;
  const most = CEILING_DB + MAX_LIMITING_DB - (truePeakDb ?? CEILING_DB);
  return Math.max(MIN_GAIN_DB, Math.min(wanted, MAX_GAIN_DB, Math.max(0, most)));
}
