import { z } from "zod";
import { emptyQueue, MAX_QUEUE, trackSchema, type QueueState } from "./queue.ts";

/** Where a room's queue is kept: the store's documents of one room, or a fake. */
export interface PlayerDocuments {
  read<T>(name: string, schema: z.ZodType<T>): T | null;
  write(name: string, value: unknown): void;
}

const queueSchema = z.object({
  now: z.object({ track: trackSchema, phase: z.enum(["playing", "paused"]) }).nullable(),
  upcoming: z.array(trackSchema).max(MAX_QUEUE),
  volume: z.number().min(0).max(200),
});
const positionSchema = z.object({ id: z.string(), positionMs: z.number().min(0) });

const QUEUE = "queue";
const POSITION = "position";

/** Keeps the queue, its track and the volume; the position goes into a small document of its own. */
export function saveQueue(documents: PlayerDocuments, { now, upcoming, volume }: QueueState): void {
  documents.write(QUEUE, { now: now && { track: now.track, phase: now.phase }, upcoming, volume });
  savePosition(documents, now);
}

export function savePosition(documents: PlayerDocuments, now: QueueState["now"]): void {
  if (now) documents.write(POSITION, { id: now.track.id, positionMs: now.positionMs });
}

/** The queue as it was kept last, with the interrupted track where it was; empty when there is none. */
export function loadQueue(documents: PlayerDocuments): QueueState {
  const saved = documents.read(QUEUE, queueSchema);
  if (!saved) return emptyQueue;
  const position = documents.read(POSITION, positionSchema);
  const positionMs = position && position.id === saved.now?.track.id ? position.positionMs : 0;
  return { ...emptyQueue, ...saved, now: saved.now && { ...saved.now, positionMs } };
}
