import { clockTime } from "../../base/duration.ts";
import type { RecordingRow } from "../../store/recordings.ts";

export type { RecordingRow, RecordingState } from "../../store/recordings.ts";

/** "2026-11-23 14:05 UTC": the people of a room may be anywhere. */
export function momentOf(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** "2026-11-23" */
export function dayOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

/** "3: Interview (2026-11-23 14:05 UTC, 1:02:03)" */
export function titleOf({ number, title, startedWallMs, durationMs }: RecordingRow): string {
  const length = durationMs === null ? [] : [clockTime(durationMs)];
  const facts = [momentOf(startedWallMs), ...length].join(", ");
  const name = title === null ? "" : ` ${title}`;
  return `${number ?? "?"}:${name} (${facts})`;
}

/** "45 MB", "1.2 GB". */
export function sizeOf(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}
