import { z } from "zod";
import { apiPath, type Homeserver } from "./homeserver.ts";

/** How an event stands in its room. `unknown`: the homeserver does not let us see it, or is not there. */
export type EventState = { state: "there" | "unknown" } | { state: "redacted"; by: string | null };

const eventSchema = z.object({
  type: z.string(),
  content: z.record(z.string(), z.unknown()),
  unsigned: z
    .object({ redacted_because: z.object({ sender: z.string().max(255) }).optional() })
    .optional()
    .catch(undefined),
});

/**
 * Asks the homeserver whether a message was removed. It is the one to know: which redactions count depends on the room's
 * version, on powers, and on what came first. Never rejects.
 */
export async function readEventState(
  homeserver: Homeserver,
  roomId: string,
  eventId: string,
  signal: AbortSignal,
): Promise<EventState> {
  try {
    const path = apiPath`/_matrix/client/v3/rooms/${roomId}/event/${eventId}`;
    const event = eventSchema.safeParse(await homeserver.request("GET", path, { signal }));
    if (!event.success) return { state: "unknown" };
    const because = event.data.unsigned?.redacted_because;
    // A message without content is a redacted one, also where the reason is not told.
    const isEmpty = event.data.type === "m.room.message" && Object.keys(event.data.content).length === 0;
    return because || isEmpty ? { state: "redacted", by: because?.sender ?? null } : { state: "there" };
  } catch {
    return { state: "unknown" };
  }
}
