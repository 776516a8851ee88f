// What the steps of an export leave for those that come after, also after a kill: in the manifest, as JSON.
import { z } from "zod";

export const writtenSchema = z.object({ residueMs: z.number(), corrections: z.number() });
const meteredSchema = z.object({
  waveform: z.array(z.number()),
  peakDbfs: z.number().nullable(),
  levelDbov: z.number().nullable(),
  clippedSamples: z.number(),
});
export const mixedSchema = z.object({
  tracks: z.array(
    meteredSchema.extend({
      turns: z.array(z.object({ fromMs: z.number(), toMs: z.number() })),
      loudMs: z.number(),
      damaged: z.number(),
      misplaced: z.number(),
    }),
  ),
  mixes: z.array(meteredSchema),
  problem: z.string().nullable(),
});
export type Mixed = z.infer<typeof mixedSchema>;
export const fileSchema = z.object({ bytes: z.number() });
/** A document that is still the same one. */
export const documentSchema = (text: string) => fileSchema.extend({ text: z.literal(text) });
