import { z } from "zod";

/** Fields that requests, results and events of the media plane have in common. */

export const channel = z.string().min(1).max(255);
export const peer = z.string().min(1).max(255);
export const trackId = z.string().min(1).max(64);
export const recordingId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
/** Name of a file, relative to the recording's directory. */
export const file = z.string().max(255);
/** There, and false, where an engine gives no clock of the sender, so that the place in time is best effort. */
export const hasClock = z.literal(false).optional();
/** A key of the message catalogue, and what belongs into it. */
export const saySchema = z.object({
  key: z.string().max(100),
  params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
});
