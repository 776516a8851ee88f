import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { sleep } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { toBotError, type BotError } from "../../base/errors.ts";
import type { Journal } from "../journal.ts";
import type { DeliveryProgress } from "./progress-of.ts";
import type { DeliveredFile, DeliveryRoom } from "./room.ts";

export interface SendContext {
  id: string;
  journal: Journal;
  progress: DeliveryProgress;
  room: DeliveryRoom;
  clock: Clock;
  signal: AbortSignal;
}

export interface FileToSend {
  /** Where it is on the disk. */
  path: string;
  fileName: string;
  mimeType: string;
  audio: DeliveredFile["audio"];
}

/** Between attempts at what the homeserver refuses although it may take it later. */
const RETRY_AFTER_MS = [5_000, 20_000];
/** A homeserver that is away is waited for so long; the next start goes on where this one ends. */
export const OUTAGE_MS = 24 * 3_600_000;
const OUTAGE_PAUSE_MS = 30_000;

/**
 * Uploads a file, unless an earlier run has done that, and posts it. Each step is in the journal before the next is
 * taken. @throws BotError `cancelled` when the signal ends it
 */
export async function sendFile(
  context: SendContext,
  file: FileToSend,
): Promise<{ eventId: string } | { error: BotError }> {
  const { id, journal, progress, room, signal } = context;
  const { fileName, mimeType, audio } = file;
  for (let attempt = 0; ; attempt++) {
    try {
      const mxc = await uploaded(context, file);
      const bytes = (await stat(file.path).catch(() => null))?.size ?? 0;
      const posted = { mxc, fileName, mimeType, bytes, audio };
      const txnId = transactionId(id, fileName, progress.round === 0 ? "audio" : `audio-${progress.round}`);
      const eventId = await throughOutages(context, () => room.post(posted, txnId));
      journal.add({ kind: "sent", file: fileName, eventId, roomId: room.roomId });
      await journal.flush();
      progress.sent.add(fileName);
      progress.events.set(fileName, { eventId, roomId: room.roomId });
      return { eventId };
    } catch (thrown) {
      const error = toBotError(thrown);
      if (signal.aborted) throw error;
      const waitMs = RETRY_AFTER_MS[attempt];
      if (!error.retryable || waitMs === undefined) return { error };
      await sleep(context.clock, waitMs, signal);
    }
  }
}

/** Repeats what fails because the homeserver is away, or answers nothing in time. @throws BotError all else */
export async function throughOutages<T>(
  { clock, signal }: Pick<SendContext, "clock" | "signal">,
  work: () => Promise<T>,
): Promise<T> {
  const untilMs = clock.now() + OUTAGE_MS;
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      const error = toBotError(thrown);
      // The outbox has waited for minutes by then.
      const passes = error.code === "timeout" || error.code === "rate_limited";
      if (signal.aborted || !passes || clock.now() >= untilMs) throw error;
      await sleep(clock, OUTAGE_PAUSE_MS, signal);
    }
  }
}

/** The same for the same file of the same recording, whichever run sends it. */
export function transactionId(id: string, file: string, what: string): string {
  return `${id}-${what}-${createHash("sha256").update(file).digest("hex").slice(0, 16)}`;
}

async function uploaded(
  { journal, progress, room, signal }: SendContext,
  { path, fileName, mimeType }: FileToSend,
): Promise<string> {
  const before = progress.uploaded.get(fileName);
  // Within one round it is fresh.
  if (before !== undefined && (progress.round === 0 || (await room.holds(before, signal)))) return before;
  const mxc = await room.upload(path, { fileName, mimeType, signal });
  journal.add({ kind: "uploaded", file: fileName, mxc });
  await journal.flush();
  progress.uploaded.set(fileName, mxc);
  return mxc;
}
