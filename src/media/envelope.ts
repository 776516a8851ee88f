import { z } from "zod";
import { planeEventSchema } from "./events.ts";
import { saySchema } from "./fields.ts";
import { planeRequestSchema } from "./messages.ts";

/** What a message between the processes carries: control → child. */
export const toChildSchema = z.union([
  z.object({ id: z.number().int(), request: planeRequestSchema }),
  /** Nobody wants that one any more; it is answered all the same. */
  z.object({ id: z.number().int(), cancel: z.literal(true) }),
]);
export type ToChild = z.infer<typeof toChildSchema>;

/** Child → control. Results are decoded by the schema of the request they answer. */
export const fromChildSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), engine: z.string() }),
  z.object({ type: z.literal("result"), id: z.number().int(), result: z.unknown() }),
  z.object({
    type: z.literal("error"),
    id: z.number().int(),
    code: z.string(),
    message: z.string().max(2000),
    retryable: z.boolean(),
    say: saySchema.optional(),
  }),
  z.object({ type: z.literal("event"), event: planeEventSchema }),
  z.object({
    type: z.literal("log"),
    level: z.enum(["debug", "info", "warn", "error"]),
    event: z.string(),
    fields: z.record(z.string(), z.unknown()),
  }),
]);
export type FromChild = z.infer<typeof fromChildSchema>;
