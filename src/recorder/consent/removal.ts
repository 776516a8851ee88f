import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { MediaPlane } from "../../media/plane.ts";
import type { ConsentedRecording } from "../consent-port.ts";
import { readJournal } from "../journal.ts";
import { eraseVoice, ownKeys } from "./erase.ts";

/** What was deleted of somebody. */
export interface Removed {
  /** Recordings in which there was something. */
  recordings: number;
  /** Tracks that are gone. */
  files: number;
  /** Files with their voice that the room had been sent already: those are not here alone. */
  sent: number;
}

export interface RemovalDeps {
  channel: string;
  plane: Pick<MediaPlane, "state" | "request">;
  log: Log;
}

/**
 * Deletes what the recording that runs has of somebody who refuses, in the media plane and on the disk, and notes it in the
 * journal. Call it when nothing of them is written any more. @throws what the file system said
 */
export async function removeFromRunning(
  { channel, plane, log }: RemovalDeps,
  { directory, journal }: ConsentedRecording,
  userId: string,
): Promise<Removed> {
  await journal.flush();
  const { entries } = await readJournal(directory);
  const files = new Set<string>();
  for (const speaker of plane.state === "up" ? ownKeys(entries, userId) : []) {
    try {
      const erased = await plane.request({ kind: "record.erase", channel, speaker });
      for (const file of erased.files) files.add(file);
    } catch (error) {
      // Paused, or the plane is gone: what it wrote lies in the folder, and is deleted there.
      log.info("recording_gap", { what: "erase", reason: messageOf(error) });
    }
  }
  for (const file of await eraseVoice(directory, entries, userId)) files.add(file);
  journal.add({ kind: "erased", userId, files: [...files] });
  await journal.flush();
  return { recordings: files.size > 0 ? 1 : 0, files: files.size, sent: 0 };
}
