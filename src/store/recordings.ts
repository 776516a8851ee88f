import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";

/**
 * `recording` → `recorded` (files closed) → `exported` → `delivered`; `empty` when nobody spoke; `failed` needs a person;
 * `deleted` is gone, only its number is still taken.
 */
export const recordingStateSchema = z.enum([
  "recording",
  "recorded",
  "exported",
  "delivered",
  "empty",
  "failed",
  "deleted",
]);
export type RecordingState = z.infer<typeof recordingStateSchema>;

const rowSchema = z.object({
  id: z.string(),
  room_id: z.string(),
  state: recordingStateSchema,
  started_wall_ms: z.number(),
  duration_ms: z.number().nullable(),
  tracks: z.number().nullable(),
  number: z.number().nullable(),
  title: z.string().nullable(),
  by_user_id: z.string().nullable(),
  bytes: z.number().nullable(),
  ended_wall_ms: z.number().nullable(),
  keep: z.number(),
  delete_wall_ms: z.number().nullable(),
});

export interface RecordingRow {
  id: string;
  roomId: string;
  state: RecordingState;
  startedWallMs: number;
  durationMs: number | null;
  tracks: number | null;
  /** What people call it by in its room. */
  number: number | null;
  title: string | null;
  /** Who started it. */
  byUserId: string | null;
  /** On the disk. */
  bytes: number | null;
  /** When it was delivered, or else last written; its age counts from here. */
  endedWallMs: number | null;
  /** Exempt from being deleted by itself. */
  keep: boolean;
  /** When the room was told that it will be deleted; null: it was not told. */
  deleteWallMs: number | null;
}

type Named = "id" | "roomId" | "state" | "startedWallMs" | "durationMs" | "tracks";
type RecordingFacts = Pick<RecordingRow, Named> & Partial<RecordingRow>;

const COLUMNS =
  "id, room_id, state, started_wall_ms, duration_ms, tracks, number, title, by_user_id, bytes, ended_wall_ms, keep, delete_wall_ms";

/**
 * Index over dataDir/recordings. The folders are the truth (each has its journal, which also says what was
 * delivered); this is for asking quickly, and may be lost.
 */
export class RecordingIndex {
  readonly #database: DatabaseSync;
  readonly #attempt: (write: () => unknown) => boolean;

  /** @param attempt runs what writes; false when the disk does not take it, which is told */
  constructor(database: DatabaseSync, attempt: (write: () => unknown) => boolean) {
    this.#database = database;
    this.#attempt = attempt;
  }

  /** Room and number stay as they are once they are known: the room may have been upgraded since. */
  put(row: RecordingFacts): void {
    const { number = null, title = null, byUserId = null, bytes = null } = row;
    const { endedWallMs = null, keep = false, deleteWallMs = null } = row;
    const statement = `INSERT INTO recordings (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET state = excluded.state, duration_ms = excluded.duration_ms,
      tracks = excluded.tracks, number = COALESCE(number, excluded.number),
      title = COALESCE(excluded.title, title), by_user_id = COALESCE(excluded.by_user_id, by_user_id),
      bytes = COALESCE(excluded.bytes, bytes), ended_wall_ms = COALESCE(excluded.ended_wall_ms, ended_wall_ms),
      keep = excluded.keep, delete_wall_ms = excluded.delete_wall_ms`;
    const values = [
      ...[row.id, row.roomId, row.state, Math.round(row.startedWallMs), round(row.durationMs), row.tracks],
      ...[number, title, byUserId, bytes, round(endedWallMs), keep ? 1 : 0, round(deleteWallMs)],
    ];
    this.#attempt(() => this.#database.prepare(statement).run(...values));
  }

  get(id: string): RecordingRow | null {
    return decode(this.#database.prepare("SELECT * FROM recordings WHERE id = ?").get(id));
  }

  /** Newest first, without those that are deleted. */
  ofRoom(roomId: string, limit = 50): RecordingRow[] {
    return this.#rows(
      "SELECT * FROM recordings WHERE room_id = ? AND state <> 'deleted' ORDER BY started_wall_ms DESC LIMIT ?",
      ...[roomId, limit],
    );
  }

  /** The newest of a room with that number; null when there is none. */
  byNumber(roomId: string, number: number): RecordingRow | null {
    const rows = this.#rows(
      "SELECT * FROM recordings WHERE room_id = ? AND number = ? AND state <> 'deleted' ORDER BY started_wall_ms DESC",
      ...[roomId, number],
    );
    return rows[0] ?? null;
  }

  /** Of all rooms, oldest first, without those that are deleted. */
  all(): RecordingRow[] {
    return this.#rows("SELECT * FROM recordings WHERE state <> 'deleted' ORDER BY started_wall_ms");
  }

  /** The number for a room's next recording: from 1 on, none twice. */
  nextNumber(roomId: string): number {
    const row = this.#database
      .prepare("SELECT MAX(number) AS highest FROM recordings WHERE room_id = ?")
      .get(roomId);
    return Number(row?.["highest"] ?? 0) + 1;
  }

  #rows(sql: string, ...values: (string | number)[]): RecordingRow[] {
    return this.#database
      .prepare(sql)
      .all(...values)
      .map(decode)
      .filter((row) => row !== null);
  }
}

const round = (value: number | null): number | null => (value === null ? null : Math.round(value));

function decode(row: unknown): RecordingRow | null {
  const decoded = rowSchema.safeParse(row);
  if (!decoded.success) return null;
  const { id, room_id, state, started_wall_ms, duration_ms, tracks, number, title, ...rest } = decoded.data;
  return {
    ...{ id, roomId: room_id, state, startedWallMs: started_wall_ms, durationMs: duration_ms, tracks },
    ...{ number, title, byUserId: rest.by_user_id, bytes: rest.bytes, endedWallMs: rest.ended_wall_ms },
    ...{ keep: rest.keep === 1, deleteWallMs: rest.delete_wall_ms },
  };
}
