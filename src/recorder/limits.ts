import { statfs } from "node:fs/promises";
import { BotError } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { StopReason } from "./journal.ts";

export interface RecordingLimits {
  /** Of what is recorded, and of one pause. */
  maxMs: number;
  /** How long it goes on with nobody there. */
  aloneMs: number;
  /** What must stay free on the disk. */
  diskFloorBytes: number;
  checkEveryMs: number;
}

export const DEFAULT_LIMITS: RecordingLimits = {
  maxMs: 4 * 3_600_000,
  aloneMs: 10 * 60_000,
  diskFloorBytes: 200e6,
  checkEveryMs: 10_000,
};

/** Why a recording has to end now, and how that is told; null when it may go on. Durations in ms. */
export function overLimit(
  { maxMs, aloneMs, diskFloorBytes }: RecordingLimits,
  now: { elapsedMs: number; pausedForMs: number; aloneForMs: number; freeBytes: number },
): { reason: StopReason; say: Sentence } | null {
  const hours = Math.round(maxMs / 360_000) / 10;
  if (now.elapsedMs >= maxMs) {
    return { reason: "limit", say: { key: "record.stopped_limit", params: { hours } } };
  }
  if (now.pausedForMs >= maxMs) {
    return { reason: "limit", say: { key: "record.stopped_paused", params: { hours } } };
  }
  if (now.aloneForMs >= aloneMs) {
    const minutes = Math.round(aloneMs / 60_000);
    return { reason: "alone", say: { key: "record.stopped_alone", params: { minutes } } };
  }
  if (now.freeBytes < diskFloorBytes) return { reason: "disk", say: { key: "record.stopped_disk" } };
  return null;
}

/** @throws BotError `disk_full` when a recording would soon end for lack of disk */
export function requireDisk({ diskFloorBytes: needed }: RecordingLimits, free: number): void {
  if (free >= needed) return;
  const params = { free: Math.round(free / 1e6), needed: Math.round(needed / 1e6) };
  throw new BotError("disk_full", `${free} bytes free`, { say: { key: "record.disk_low", params } });
}

/** Bytes that we may still write on the disk of a folder. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
