import { z } from "zod";

/** What the tag child is asked: the files `paths` below `root` (a real path). */
export const tagRequestSchema = z.object({ root: z.string(), paths: z.array(z.string()).max(100) });
export type TagRequest = z.infer<typeof tagRequestSchema>;

const text = z.string().max(300).nullable();

/** Its answer: one for each path, in their order. */
export const tagAnswerSchema = z
  .array(
    z.object({ title: text, artist: text, album: text, durationMs: z.number().nonnegative().nullable() }),
  )
  .max(100);
