import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BotError } from "../../base/errors.ts";
import { progressOf } from "../delivery/progress-of.ts";
import type { JournalEntry } from "../journal.ts";
import type { Instant } from "./inspect.ts";

const ID = /^[A-Za-z0-9_-]{1,64}$/;
export const TRACK_FILE = /^(voice|music)-\d+\.mvt$/;
/** What deleting renames a recording to first, so that a half-deleted one is none. */
export const DELETED = /^[A-Za-z0-9_-]{1,64}\.deleted$/;

export const recordingsFolder = (dataDir: string): string => join(dataDir, "recordings");

/** When it began (UTC), readable, and a part that nobody can guess. */
export function newRecordingId(wallMs: number): string {
  const time = new Date(wallMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return `${time}-${randomBytes(5).toString("hex")}`;
}

/** Ids of all recordings in a data folder, oldest first. @throws errors of the file system, but for a folder that is not there */
export async function recordingIds(dataDir: string): Promise<string[]> {
  try {
    const entries = await readdir(recordingsFolder(dataDir), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && ID.test(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The folder of a recording that is there. An id may be cut short as long as it is one's own. @throws BotError `not_found`, `ambiguous` */
export async function findRecording(
  dataDir: string,
  text: string,
): Promise<{ id: string; directory: string }> {
  const ids = await recordingIds(dataDir);
  const found = ids.includes(text) ? [text] : text === "" ? [] : ids.filter((id) => id.startsWith(text));
  const [id] = found;
  if (id === undefined) {
    throw new BotError(
      "not_found",
      `there is no recording "${text}" in ${recordingsFolder(dataDir)}; "matrix-voice-bot recordings list" shows all`,
    );
  }
  if (found.length > 1)
    throw new BotError("ambiguous", `"${text}" begins several recordings: ${found.join(", ")}`);
  return { id, directory: join(recordingsFolder(dataDir), id) };
}

/** The machine's times as ms since a recording's start; null when they cannot be brought together. */
export function sinceStart(
  start: { atMs: number; wallMs: number; bootId: string },
  { monotonicMs, wallMs, bootId }: Instant,
): number | null {
  if (bootId === null || bootId === start.bootId) return monotonicMs - start.atMs;
  return wallMs === null ? null : wallMs - start.wallMs;
}

export type RecordingState = "recording" | "cut off" | "stopped" | "exported" | "delivered";

/** How far a recording got, by its journal. @param running whether a bot may be writing it */
export function stateOf(entries: readonly JournalEntry[], running: boolean): RecordingState {
  const { delivered, exported } = progressOf(entries);
  if (delivered) return "delivered";
  if (exported) return "exported";
  if (entries.some(({ kind }) => kind === "stop")) return "stopped";
  return running ? "recording" : "cut off";
}
