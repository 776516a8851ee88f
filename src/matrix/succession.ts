import { z } from "zod";

/** Who moves rooms, and where to: client-server API "Room upgrades". Claims of those who may send them. */
export interface Replacement {
  roomId: string;
  /** Who sent the tombstone. */
  by: string;
}

/** Room ids are opaque from version 12 on; anything else in them would be somebody's game. */
const roomIdSchema = z
  .string()
  .max(255)
  .regex(/^![^\s/?#]+$/);
const tombstoneSchema = z.object({ replacement_room: roomIdSchema });
const createSchema = z.object({ predecessor: z.object({ room_id: roomIdSchema }) });

/** The room that m.room.tombstone names; null when it names none. */
export function decodeTombstone(sender: string, content: unknown): Replacement | null {
  const tombstone = tombstoneSchema.safeParse(content).data;
  return tombstone === undefined ? null : { roomId: tombstone.replacement_room, by: sender };
}

/** The room that m.room.create says it came from; null when it says none. */
export function decodePredecessor(content: unknown): string | null {
  return createSchema.safeParse(content).data?.predecessor.room_id ?? null;
}
