import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { BotError } from "../../base/errors.ts";
import type { Sentence } from "../../base/messages/catalogue.ts";
import type { Splitter } from "../exporter.ts";
import type { ExportedDocument, ExportedTrack, JournalEntry, TrackPart } from "../journal.ts";
import { sendFile, throughOutages, transactionId, type FileToSend, type SendContext } from "./send-file.ts";
import { summaryOf } from "./summary.ts";
import { readTold } from "./told.ts";

export interface Delivery extends SendContext {
  directory: string;
  /** What the journal has: files that an earlier run sent or kept are not handled again. */
  entries: readonly JournalEntry[];
  recovered: boolean;
  prefix: string;
  splitter: Splitter;
}

/** Files in the room, and files that stay here because they could not be sent. */
export interface Delivered {
  sent: number;
  kept: number;
}

/** Where the limit is not known, parts are halved until they are taken; below this it is not the size. */
const SMALLEST_GUESS_BYTES = 64 * 1024;
/** Some seconds of sound: with less a track would be hundreds of messages. */
const SMALLEST_PART_BYTES = 8 * 1024;
/** The last word on a track that was sent in parts, or not: what an earlier run, or this one, knows of it. */
type Outcome = "sent" | "kept";

/**
 * Sends every exported file to the room, in parts where the homeserver takes no more, and says what became of them. One
 * that cannot be sent stays where it is and does not stop the others.
 * @throws BotError `cancelled` when `signal` ends it: the rest is for the next start
 */
export async function deliver(delivery: Delivery): Promise<Delivered> {
  const { id, directory, journal, progress, room } = delivery;
  const round = progress.round === 0 ? "" : `-${progress.round}`;
  const say = (sentence: Sentence, what: string): Promise<string> =>
    throughOutages(delivery, () => room.say(sentence, `${id}-${what}${round}`));
  const count = { sent: 0, kept: 0 };
  if (progress.tracks.length === 0) {
    const isClip = delivery.entries.some((entry) => entry.kind === "start" && entry.what === "clip");
    await say({ key: isClip ? "clip.nothing" : "record.empty" }, "empty");
  }
  const zip = await zipToSend(delivery);
  const zipSent = zip !== null && (await sendZip(delivery, zip));
  if (zipSent) count.sent++;
  else {
    for (const track of progress.tracks) {
      const outcome = await sendTrack(delivery, track);
      count.sent += outcome.sent;
      count.kept += outcome.kept;
    }
  }
  if (count.sent > 0) {
    const { entries, recovered, prefix } = delivery;
    const durationMs = progress.exported?.durationMs ?? 0;
    const { language } = room.wishes;
    const start = entries.find((entry) => entry.kind === "start");
    const named = { title: start?.title ?? null, number: start?.number ?? null };
    const told = await readTold(directory);
    const facts = {
      ...named,
      told,
      files: count.sent,
      clipFor: start?.what === "clip" ? start.byName : null,
      zip: zipSent,
      durationMs,
      recovered,
      language,
      prefix,
    };
    const eventId = await say(summaryOf(facts), "delivered");
    journal.add({ kind: "summary", eventId, roomId: room.roomId });
    progress.summary = { eventId, roomId: room.roomId };
  }
  journal.add({ kind: "delivered" });
  await journal.flush();
  progress.delivered = true;
  // The homeserver has them; they can be cut again.
  if (count.kept === 0) await rm(join(directory, "parts"), { recursive: true, force: true });
  return count;
}

/** The zip, where the room wants it and it is still all there is of the recording. */
async function zipToSend({ progress, room, directory, signal }: Delivery): Promise<ExportedDocument | null> {
  const zip = progress.exported?.documents.find(({ what }) => what === "zip");
  if (!zip || progress.deleted.size > 0 || progress.tracks.length === 0) return null;
  if (progress.sent.has(zip.file)) return zip;
  const { size } = await stat(join(directory, "export", zip.file)).catch(() => ({ size: Infinity }));
  const limit = await room.uploadLimit(signal);
  return size === Infinity || (limit !== null && size > limit) ? null : zip;
}

/** False: the tracks are to be sent in its place. */
async function sendZip(delivery: Delivery, { file, mimeType }: ExportedDocument): Promise<boolean> {
  if (delivery.progress.sent.has(file)) return true;
  const path = join(delivery.directory, "export", file);
  const outcome = await sendFile(delivery, { path, fileName: file, mimeType, audio: null });
  return "eventId" in outcome;
}

async function sendTrack(delivery: Delivery, track: ExportedTrack): Promise<Delivered> {
  const { directory, progress, room, signal } = delivery;
  if (progress.kept.has(track.file)) return { sent: 0, kept: 1 };
  if (progress.sent.has(track.file)) return { sent: 1, kept: 0 };
  const { file: fileName, mimeType, durationMs, waveform } = track;
  const path = join(directory, "export", fileName);
  const { size } = await stat(path).catch(() => ({ size: track.bytes }));
  const limit = await room.uploadLimit(signal);
  if (!progress.parts.has(fileName) && (limit === null || size <= limit)) {
    const outcome = await sendFile(delivery, { path, fileName, mimeType, audio: { durationMs, waveform } });
    if ("eventId" in outcome) return { sent: 1, kept: 0 };
    if (outcome.error.code !== "media_too_large") return keep(delivery, fileName, path, outcome.error);
  }
  return sendInParts(delivery, track, limit !== null && size > limit ? limit : size / 2, limit);
}

/**
 * @param maxBytes of a part; halved while the homeserver takes no such file
 * @param limit what it says it takes; null when it does not
 */
async function sendInParts(
  delivery: Delivery,
  track: ExportedTrack,
  maxBytes: number,
  limit: number | null,
): Promise<Delivered> {
  const { directory, progress } = delivery;
  for (let most = maxBytes; ; most /= 2) {
    const isGuess = most !== maxBytes || maxBytes !== limit;
    const isPossible = most >= (isGuess ? SMALLEST_GUESS_BYTES : SMALLEST_PART_BYTES);
    const parts = progress.parts.get(track.file) ?? (isPossible ? await cut(delivery, track, most) : null);
    if (parts === null) {
      const path = join(directory, "export", track.file);
      return keep(delivery, track.file, path, null);
    }
    const count = { sent: 0, kept: 0 };
    let tooLarge = false;
    for (const part of parts) {
      const outcome = await sendPart(delivery, track, part, parts);
      if (outcome === "too_large") {
        tooLarge = true;
        break;
      }
      count[outcome]++;
    }
    if (!tooLarge) return count;
    progress.parts.delete(track.file);
  }
}

/** Null: it cannot be cut so small. */
async function cut(
  { splitter, directory, room, journal, progress, signal }: Delivery,
  { file }: ExportedTrack,
  maxBytes: number,
): Promise<readonly TrackPart[] | null> {
  try {
    const options = { maxBytes: Math.floor(maxBytes), language: room.wishes.language, signal };
    const parts = await splitter.split(directory, file, options);
    journal.add({ kind: "split", file, parts });
    await journal.flush();
    progress.parts.set(file, parts);
    return parts;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

async function sendPart(
  delivery: Delivery,
  track: ExportedTrack,
  part: TrackPart,
  parts: readonly TrackPart[],
): Promise<Outcome | "too_large"> {
  const { progress, directory } = delivery;
  if (progress.sent.has(part.file)) return "sent";
  if (progress.kept.has(part.file)) return "kept";
  const path = join(directory, "parts", part.file);
  if (!(await isThere(path)) && !(await isUploaded(delivery, part.file))) {
    // After a restart, or when it is sent once more: the same limit gives the same parts.
    const most = Math.max(...parts.map(({ bytes }) => bytes));
    progress.parts.delete(track.file);
    const again = await cut(delivery, track, most);
    if (!again?.some(({ file }) => file === part.file)) return "too_large";
  }
  const { durationMs } = part;
  const audio = { durationMs, waveform: waveformOf(track, part) };
  const file: FileToSend = { path, fileName: part.file, mimeType: track.mimeType, audio };
  const outcome = await sendFile(delivery, file);
  if ("eventId" in outcome) return "sent";
  if (outcome.error.code === "media_too_large") return "too_large";
  await keep(delivery, part.file, path, outcome.error);
  return "kept";
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function isUploaded({ progress, room, signal }: Delivery, file: string): Promise<boolean> {
  const mxc = progress.uploaded.get(file);
  return mxc !== undefined && (progress.round === 0 || (await room.holds(mxc, signal)));
}

/** The part's share of the whole waveform. */
function waveformOf({ waveform, durationMs }: ExportedTrack, part: TrackPart): readonly number[] | null {
  if (waveform === null || durationMs <= 0) return null;
  const from = Math.floor((part.fromMs / durationMs) * waveform.length);
  const to = Math.ceil(((part.fromMs + part.durationMs) / durationMs) * waveform.length);
  const share = waveform.slice(from, Math.max(from + 1, to));
  return share.length === 0 ? null : share;
}

/** Says where it is. @param error null: it is too large and cannot be cut */
async function keep(
  delivery: Delivery,
  file: string,
  path: string,
  error: BotError | null,
): Promise<Delivered> {
  const { id, journal, progress, room } = delivery;
  const folder = path.endsWith(join("parts", file)) ? "parts" : "export";
  const where = join("recordings", id, folder, file);
  const reason = error?.code ?? "media_too_large";
  const sentence: Sentence =
    reason === "media_too_large"
      ? { key: "record.too_large", params: { file, path: where } }
      : { key: "record.undelivered", params: { file, path: where, reason } };
  const what = progress.round === 0 ? "kept" : `kept-${progress.round}`;
  await throughOutages(delivery, () => room.say(sentence, transactionId(id, file, what)));
  journal.add({ kind: "kept", file, reason });
  await journal.flush();
  progress.kept.add(file);
  return { sent: 0, kept: 1 };
}
