import { createHash } from "node:crypto";
import { join } from "node:path";
import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { clockTime } from "../base/duration.ts";
import { toBotError, type BotError } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { ExportedTrack, Journal, JournalEntry } from "./journal.ts";

/** The room that gets the files. */
export interface DeliveryRoom {
  /**
   * Uploads a file and posts it as m.audio; resolves with the event's id. The same `txnId` never posts twice.
   * @throws BotError `media_too_large`, others (retryable or not)
   */
  sendAudio(
    path: string,
    options: { fileName: string; durationMs: number; mimeType: string; txnId: string; signal: AbortSignal },
  ): Promise<string>;
  /** Says something in the room, once for the same `txnId`. @throws BotError */
  say(sentence: Sentence, txnId: string): Promise<unknown>;
}

export interface Delivery {
  id: string;
  directory: string;
  journal: Journal;
  exported: { durationMs: number; tracks: readonly ExportedTrack[] };
  /** What the journal had before: files sent or kept by an earlier run are not handled again. */
  entries: readonly JournalEntry[];
  recovered: boolean;
  room: DeliveryRoom;
  clock: Clock;
  signal: AbortSignal;
}

const RETRY_AFTER_MS = [5_000, 20_000];

/**
 * Sends every exported file to the room and says what became of them. One that cannot be sent stays where it is and does
 * not stop the others. @throws BotError `cancelled` when `signal` ends it: the rest is for the next start.
 */
export async function deliver(delivery: Delivery): Promise<{ sent: number; kept: number }> {
  const { id, directory, journal, exported, entries, room } = delivery;
  const count = { sent: 0, kept: 0 };
  if (exported.tracks.length === 0) {
    await room.say({ key: "record.empty" }, `${id}-empty`);
  }
  for (const track of exported.tracks) {
    const before = entries.findLast(
      (entry) => (entry.kind === "sent" || entry.kind === "kept") && entry.file === track.file,
    );
    if (before) {
      count[before.kind === "sent" ? "sent" : "kept"]++;
      continue;
    }
    const path = join(directory, "export", track.file);
    const outcome = await send(delivery, track, path);
    if ("eventId" in outcome) {
      journal.add({ kind: "sent", file: track.file, eventId: outcome.eventId });
      count.sent++;
    } else {
      const where = join("recordings", id, "export", track.file);
      await room.say(keptSentence(track, where, outcome.error), transactionId(id, track.file, "kept"));
      journal.add({ kind: "kept", file: track.file, reason: outcome.error.code });
      count.kept++;
    }
    await journal.flush();
  }
  if (count.sent > 0) {
    const key = delivery.recovered ? "record.recovered" : "record.delivered";
    const params = { count: count.sent, length: clockTime(exported.durationMs) };
    await room.say({ key, params }, `${id}-delivered`);
  }
  journal.add({ kind: "delivered" });
  await journal.flush();
  return count;
}

async function send(
  { id, room, clock, signal }: Delivery,
  track: ExportedTrack,
  path: string,
): Promise<{ eventId: string } | { error: BotError }> {
  const { file: fileName, durationMs, mimeType } = track;
  const txnId = transactionId(id, fileName, "audio");
  for (let attempt = 0; ; attempt++) {
    try {
      const options = { fileName, durationMs, mimeType, txnId, signal };
      return { eventId: await room.sendAudio(path, options) };
    } catch (thrown) {
      const error = toBotError(thrown);
      if (signal.aborted) throw error;
      const waitMs = RETRY_AFTER_MS[attempt];
      if (!error.retryable || waitMs === undefined) return { error };
      await sleep(clock, waitMs, signal);
    }
  }
}

function keptSentence({ file }: ExportedTrack, path: string, error: BotError): Sentence {
  if (error.code === "media_too_large") return { key: "record.too_large", params: { file, path } };
  return { key: "record.undelivered", params: { file, path, reason: error.code } };
}

/** The same for the same file of the same recording, whichever run sends it. */
function transactionId(id: string, file: string, what: string): string {
  return `${id}-${what}-${createHash("sha256").update(file).digest("hex").slice(0, 16)}`;
}
