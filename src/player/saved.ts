import { z } from "zod";
import { filtersSchema, NO_FILTERS } from "../media/messages.ts";
import { emptyQueue, LONGEST_MS, LOOPS, MAX_HISTORY, MAX_QUEUE, trackSchema } from "./queue.ts";
import type { QueueState, Track } from "./queue.ts";

/** Where a room's queue is kept: the store's documents of one room, or a fake. */
export interface PlayerDocuments {
  read<T>(name: string, schema: z.ZodType<T>): T | null;
  has(name: string): boolean;
  write(name: string, value: unknown): void;
  remove(name: string): void;
  setAside(name: string): void;
}

const queueSchema = z.object({
  now: z.object({ track: trackSchema, phase: z.enum(["playing", "paused"]) }).nullable(),
  upcoming: z.array(trackSchema).max(MAX_QUEUE),
  volume: z.number().min(0).max(200),
  // Earlier versions did not write them.
  filters: filtersSchema.default(NO_FILTERS),
  loop: z.enum(LOOPS).default("off"),
  history: z.array(trackSchema).max(MAX_HISTORY).default([]),
});
const positionSchema = z.object({ id: z.string(), positionMs: z.number().min(0).max(LONGEST_MS) });

const QUEUE = "queue";
const POSITION = "position";

/** Keeps the queue, its track and the volume; the position goes into a small document of its own. */
export function saveQueue(documents: PlayerDocuments, state: QueueState): void {
  const { now, upcoming, volume, filters, loop, history } = state;
  const kept = {
    now: now && { track: now.track, phase: now.phase },
    upcoming,
    volume,
    filters,
    loop,
    history,
  };
  documents.write(QUEUE, kept);
  savePosition(documents, now);
}

export function savePosition(documents: PlayerDocuments, now: QueueState["now"]): void {
  if (now) documents.write(POSITION, { id: now.track.id, positionMs: now.positionMs });
}

/**
 * The queue as it was kept last, with the interrupted track where it was; empty when there is none. One that cannot be
 * read is set aside: `isDamaged`, this once.
 */
export function loadQueue(documents: PlayerDocuments): { state: QueueState; isDamaged: boolean } {
  const saved = documents.read(QUEUE, queueSchema);
  if (!saved) {
    const isDamaged = documents.has(QUEUE);
    if (isDamaged) documents.setAside(QUEUE);
    return { state: emptyQueue, isDamaged };
  }
  const position = documents.read(POSITION, positionSchema);
  const now = saved.now && { ...saved.now, positionMs: positionIn(saved.now.track, position) };
  // Each is there once: commands name tracks by their ids.
  const ids = new Set(now && [now.track.id]);
  const upcoming = saved.upcoming.filter(({ id }) => !ids.has(id) && ids.add(id));
  return { state: { ...emptyQueue, ...saved, upcoming, now }, isDamaged: false };
}

/** From the beginning where what was kept cannot be: it is of another track, or behind its end. */
function positionIn({ id, durationMs }: Track, kept: z.infer<typeof positionSchema> | null): number {
  return kept?.id === id && kept.positionMs <= (durationMs ?? Infinity) ? kept.positionMs : 0;
}
