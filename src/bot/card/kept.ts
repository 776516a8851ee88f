import { z } from "zod";
import type { RoomDocuments } from "../../store/store.ts";

/** Document: the card of the room, for the next start to go on with. */
const DOCUMENT = "card";
const MAX_OLD = 10;
const eventId = z.string().min(1).max(255);
const schema = z.object({
  /** A room that takes another's place gets its documents; the card stays behind. */
  room: z.string(),
  standing: z
    .object({ eventId, track: z.string().max(64).nullable(), buttons: z.number().int().min(0).max(20) })
    .nullable(),
  old: z.array(eventId).max(MAX_OLD),
  /** Transaction of a card that may have been posted. */
  posting: z.string().max(255).nullable(),
});
export type KeptCard = Omit<z.infer<typeof schema>, "room">;

export const NO_CARD: KeptCard = { standing: null, old: [], posting: null };

export function loadCard(documents: Pick<RoomDocuments, "read">, roomId: string): KeptCard {
  const kept = documents.read(DOCUMENT, schema);
  return kept?.room === roomId ? kept : NO_CARD;
}

export function saveCard(
  documents: Pick<RoomDocuments, "write">,
  roomId: string,
  { standing, old, posting }: KeptCard,
): void {
  documents.write(DOCUMENT, { room: roomId, standing, old: old.slice(-MAX_OLD), posting });
}
