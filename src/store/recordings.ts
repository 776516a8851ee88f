import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";

/** `recording` → `recorded` (files closed) → `exported` → `delivered`; `empty` when nobody spoke; `failed` needs a person. */
export const recordingStateSchema = z.enum([
  "recording",
  "recorded",
  "exported",
  "delivered",
  "empty",
  "failed",
]);
export type RecordingState = z.infer<typeof recordingStateSchema>;

const rowSchema = z.object({
  id: z.string(),
  room_id: z.string(),
  state: recordingStateSchema,
  started_wall_ms: z.number(),
  duration_ms: z.number().nullable(),
  tracks: z.number().nullable(),
});

export interface RecordingRow {
  id: string;
  roomId: string;
  state: RecordingState;
  startedWallMs: number;
  durationMs: number | null;
  tracks: number | null;
}

/**
 * Index over dataDir/recordings. The folders are the truth (each has its journal, which also says what was
 * delivered); this is for asking quickly, and may be lost.
 */
export class RecordingIndex {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  put(row: RecordingRow): void {
    this.#database
      .prepare(
        `INSERT INTO recordings (id, room_id, state, started_wall_ms, duration_ms, tracks) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, duration_ms = excluded.duration_ms, tracks = excluded.tracks`,
      )
      .run(row.id, row.roomId, row.state, Math.round(row.startedWallMs), round(row.durationMs), row.tracks);
  }

  get(id: string): RecordingRow | null {
    return decode(this.#database.prepare("SELECT * FROM recordings WHERE id = ?").get(id));
  }

  /** Newest first. */
  ofRoom(roomId: string, limit = 50): RecordingRow[] {
    return this.#database
      .prepare("SELECT * FROM recordings WHERE room_id = ? ORDER BY started_wall_ms DESC LIMIT ?")
      .all(roomId, limit)
      .map(decode)
      .filter((row) => row !== null);
  }
}

const round = (value: number | null): number | null => (value === null ? null : Math.round(value));

function decode(row: unknown): RecordingRow | null {
  const decoded = rowSchema.safeParse(row);
  if (!decoded.success) return null;
  const { id, room_id, state, started_wall_ms, duration_ms, tracks } = decoded.data;
  return { id, roomId: room_id, state, startedWallMs: started_wall_ms, durationMs: duration_ms, tracks };
}
