import type { RecordingRow } from "../../store/recordings.ts";

export interface RetentionLimits {
  /** 0: for ever. */
  keepDays: number;
  /** Of all recordings together. */
  maxBytes: number;
}

export interface RetentionPlan {
  /** To be told in the room now: they will be deleted at that time. */
  foretell: { row: RecordingRow; deleteWallMs: number }[];
  remove: RecordingRow[];
}

/** So long before it happens the room is told. */
export const NOTICE_MS = 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/** The room's days within the operator's; 0: for ever. */
export function keptDays(operatorDays: number, roomDays: number): number {
  if (roomDays === 0) return operatorDays;
  return operatorDays === 0 ? roomDays : Math.min(operatorDays, roomDays);
}

/** Until when it is kept at least as things are; null: for ever. Wall clock, ms. */
export function keptUntil(row: RecordingRow, days: number): number | null {
  if (row.keep) return null;
  const byAge = days === 0 ? null : (row.endedWallMs ?? row.startedWallMs) + days * DAY_MS;
  return row.deleteWallMs ?? byAge;
}

/**
 * What is to be told and what deleted now. Nothing goes that its room was not told of a day before; only what was delivered
 * to a room where nobody can be told any more goes without. By size the oldest delivered ones go first, then others.
 * @param rows of all rooms, oldest first @param canTell whether the bot is in the room of a recording
 */
export function planRetention(
  rows: readonly RecordingRow[],
  nowMs: number,
  limits: RetentionLimits,
  roomDays: (roomId: string) => number,
  canTell: (roomId: string) => boolean,
): RetentionPlan {
  const plan: RetentionPlan = { foretell: [], remove: [] };
  const open = rows.filter(({ keep, state }) => !keep && state !== "recording" && state !== "deleted");
  const bySize = tooMany(rows, open, limits.maxBytes);
  for (const row of open) {
    const days = keptDays(limits.keepDays, roomDays(row.roomId));
    const ageMs = nowMs - (row.endedWallMs ?? row.startedWallMs);
    const dueInMs = bySize.has(row) ? 0 : days === 0 ? Infinity : days * DAY_MS - ageMs;
    if (dueInMs > NOTICE_MS) continue;
    if (canTell(row.roomId)) {
      if (row.deleteWallMs === null) {
        plan.foretell.push({ row, deleteWallMs: nowMs + Math.max(NOTICE_MS, dueInMs) });
      } else if (nowMs >= row.deleteWallMs) plan.remove.push(row);
    } else if (dueInMs <= 0 && wasDelivered(row)) plan.remove.push(row);
  }
  return plan;
}

const wasDelivered = ({ state }: RecordingRow): boolean => state === "delivered" || state === "empty";

/** What has to go for all to fit. */
function tooMany(
  rows: readonly RecordingRow[],
  open: readonly RecordingRow[],
  maxBytes: number,
): ReadonlySet<RecordingRow> {
  let bytes = rows.reduce((sum, row) => sum + (row.bytes ?? 0), 0);
  const going = new Set<RecordingRow>();
  const inOrder = [...open.filter(wasDelivered), ...open.filter((row) => !wasDelivered(row))];
  for (const row of inOrder) {
    if (bytes <= maxBytes) break;
    going.add(row);
    bytes -= row.bytes ?? 0;
  }
  return going;
}
