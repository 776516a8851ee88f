import { z } from "zod";

/** Bounds of what may be asked for; what reaches ffmpeg's arguments is within them. */
export const MAX_SHELF_DB = 12;
export const MIN_SPEED = 0.5;
export const MAX_SPEED = 2;
export const MAX_SEMITONES = 12;
export const MAX_BANDS = 10;
export const MIN_HZ = 20;
export const MAX_HZ = 20_000;

/** One band of the equaliser: a bell, one octave wide. */
const bandSchema = z.object({
  hz: z.number().min(MIN_HZ).max(MAX_HZ),
  db: z.number().min(-MAX_SHELF_DB).max(MAX_SHELF_DB),
});
export type Band = z.infer<typeof bandSchema>;

/** How a channel's music is changed; `NO_FILTERS`: not at all. */
export const filtersSchema = z.object({
  /** Low shelf at 100 Hz, in dB. */
  bassDb: z.number().min(-MAX_SHELF_DB).max(MAX_SHELF_DB),
  /** High shelf at 3 kHz, in dB. */
  trebleDb: z.number().min(-MAX_SHELF_DB).max(MAX_SHELF_DB),
  /** What they lift together is bounded as one of them is. */
  eq: z
    .array(bandSchema)
    .max(MAX_BANDS)
    .refine((bands) => equalizerLiftDb(bands) <= MAX_SHELF_DB)
    // Earlier versions had none.
    .default([]),
  /** Times as fast, at the same pitch. */
  speed: z.number().min(MIN_SPEED).max(MAX_SPEED),
  /** In semitones, at the same speed. */
  pitch: z.number().min(-MAX_SEMITONES).max(MAX_SEMITONES),
  /** Both sides play the mean of the two. */
  mono: z.boolean(),
  /** Quiet passages louder, loud ones quieter: for those who listen at a low volume. */
  night: z.boolean(),
});
export type Filters = z.infer<typeof filtersSchema>;

export const NO_FILTERS: Filters = {
  ...{ bassDb: 0, trebleDb: 0, eq: [], speed: 1, pitch: 0 },
  ...{ mono: false, night: false },
};

export const sameFilters = (a: Filters, b: Filters): boolean =>
  a.bassDb === b.bassDb &&
  a.trebleDb === b.trebleDb &&
  JSON.stringify(a.eq) === JSON.stringify(b.eq) &&
  a.speed === b.speed &&
  a.pitch === b.pitch &&
  a.mono === b.mono &&
  a.night === b.night;

const RATE = 48_000;
/** So many looks at an octave: bells an octave wide have nothing in between. */
const LOOKS = 12;
const OCTAVES = Math.log2(MAX_HZ / MIN_HZ);

/** By how many dB all bands together lift what they lift most; 0: nothing. To hundredths, as people name them. */
export function equalizerLiftDb(bands: readonly Band[]): number {
  const looks = Array.from({ length: Math.ceil(OCTAVES * LOOKS) }, (_, i) => MIN_HZ * 2 ** (i / LOOKS));
  const at = [...looks, ...bands.map(({ hz }) => hz)];
  const lifts = at.map((hz) => bands.reduce((sum, band) => sum + bellDb(band, hz), 0));
  return bands.length === 0 ? 0 : Math.max(0, Math.round(Math.max(...lifts) * 100) / 100);
}

/** What one bell does at `hz`, as ffmpeg's `equalizer` makes it (R. Bristow-Johnson, Audio EQ Cookbook: peakingEQ). */
function bellDb(band: Band, hz: number): number {
  const w0 = (2 * Math.PI * band.hz) / RATE;
  const alpha = Math.sin(w0) * Math.sinh(((Math.LN2 / 2) * w0) / Math.sin(w0));
  const a = 10 ** (band.db / 40);
  const w = (2 * Math.PI * hz) / RATE;
  // Both ends of the fraction share what lies in the middle: its size at w is of two numbers each.
  const power = (side: number): number => {
    const [re, im] = [2 * (Math.cos(w) - Math.cos(w0)), 2 * side * Math.sin(w)];
    return re * re + im * im;
  };
  const [above, below] = [power(alpha * a), power(alpha / a)];
  return below === 0 ? band.db : 10 * Math.log10(above / below);
}
