import { z } from "zod";

/** Bounds of what may be asked for; what reaches ffmpeg's arguments is within them. */
export const MAX_SHELF_DB = 12;
export const MIN_SPEED = 0.5;
export const MAX_SPEED = 2;
export const MAX_SEMITONES = 12;

/** How a channel's music is changed; `NO_FILTERS`: not at all. */
export const filtersSchema = z.object({
  /** Low shelf at 100 Hz, in dB. */
  bassDb: z.number().min(-MAX_SHELF_DB).max(MAX_SHELF_DB),
  /** High shelf at 3 kHz, in dB. */
  trebleDb: z.number().min(-MAX_SHELF_DB).max(MAX_SHELF_DB),
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
  ...{ bassDb: 0, trebleDb: 0, speed: 1, pitch: 0 },
  ...{ mono: false, night: false },
};

export const sameFilters = (a: Filters, b: Filters): boolean =>
  a.bassDb === b.bassDb &&
  a.trebleDb === b.trebleDb &&
  a.speed === b.speed &&
  a.pitch === b.pitch &&
  a.mono === b.mono &&
  a.night === b.night;
