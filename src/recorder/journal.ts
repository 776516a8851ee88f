import { join } from "node:path";
import { z } from "zod";
import type { Clock, Timer } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import { AppendFile } from "../media/tracks/append-file.ts";
import { encodeRecord } from "../media/tracks/framing.ts";
import { RecordReader } from "../media/tracks/reader.ts";

/** Every record of a journal is an entry as JSON; other types are of later versions. */
export const ENTRY = 1;
const FLUSH_MS = 1_000;
export const JOURNAL_FILE = "journal.mvt";

/** What a recording starts with in a room: everybody is recorded who did not say no, or only who said yes. */
export const consentModeSchema = z.enum(["opt-out", "opt-in"]);
export type ConsentMode = z.infer<typeof consentModeSchema>;

/** A file of the finished recording, in `export/`. `mix`: everything that was heard; `voices`: without the bot's music. */
export const exportedTrackSchema = z.object({
  file: z.string().min(1).max(255),
  what: z.enum(["voice", "music", "mix", "voices"]),
  /** The name that people know; for a voice its name in the room. */
  title: z.string(),
  userId: z.string().nullable(),
  bytes: z.number(),
  durationMs: z.number(),
  mimeType: z.string().default("audio/ogg"),
  /** At most 100 values of 0 to 1024 over its whole length (MSC3246); null when it was not decoded. */
  waveform: z.array(z.number().int().min(0).max(1024)).max(100).nullable().default(null),
  /** The recording's files that it was made of, where the export says so. */
  sources: z.array(z.string().max(255)).optional(),
});
export type ExportedTrack = z.infer<typeof exportedTrackSchema>;

/** What comes with the tracks, in `export/` as well. */
export const exportedDocumentSchema = z.object({
  file: z.string().min(1).max(255),
  what: z.enum(["info", "text", "report", "labels", "chapters", "zip"]),
  mimeType: z.string(),
  bytes: z.number(),
});
export type ExportedDocument = z.infer<typeof exportedDocumentSchema>;

/** A piece of an exported track that can be played by itself, in `parts/`. */
export const trackPartSchema = z.object({
  file: z.string().min(1).max(255),
  bytes: z.number(),
  /** Where in the track it begins, and how long it is. */
  fromMs: z.number(),
  durationMs: z.number(),
});
export type TrackPart = z.infer<typeof trackPartSchema>;

/** `shutdown` is of versions that did not go on after a restart. */
const stopReason = z.enum(["command", "limit", "alone", "disk", "failed", "left", "shutdown"]);
export type StopReason = z.infer<typeof stopReason>;

const entrySchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("start"),
    recording: z.string(),
    roomId: z.string(),
    byUserId: z.string(),
    byName: z.string(),
    /** Monotonic times compare only within one boot. */
    bootId: z.string(),
    /** What who started it calls it. */
    title: z.string().nullable().default(null),
    consent: consentModeSchema.default("opt-out"),
    /** The room's setting has begun it, not a person. */
    automatic: z.boolean().default(false),
    /** A clip is what was said before somebody asked for it: it is all there at once, and never goes on. */
    what: z.enum(["recording", "clip"]).default("recording"),
    /** What its files are to be, and whether in one; null: as the room has it at the end. */
    format: z.enum(["opus", "flac", "wav"]).nullable().default(null),
    zip: z.boolean().nullable().default(null),
    /** What people call it by in their room; null: it gets one when it is listed. */
    number: z.int().min(1).nullable().default(null),
  }),
  /** Somebody is in the channel: at the start, or from now on. `key` names the speaker's files. */
  z.object({ kind: z.literal("joined"), key: z.string(), userId: z.string(), name: z.string() }),
  z.object({ kind: z.literal("left"), key: z.string() }),
  /** This person was told that the channel is recorded; null: the whole room. */
  z.object({ kind: z.literal("notice"), userId: z.string().nullable() }),
  z.object({
    kind: z.literal("track"),
    speaker: z.string(),
    file: z.string(),
    what: z.enum(["voice", "music"]),
    /** False: without the sender's clock, so that its place in time is best effort. */
    hasClock: z.literal(false).optional(),
  }),
  /** Somebody paused it: until `unpaused` nothing is written, and no export has that time. */
  z.object({ kind: z.literal("paused"), byUserId: z.string() }),
  z.object({ kind: z.literal("unpaused"), byUserId: z.string().nullable() }),
  /** What somebody wants to find again. */
  z.object({ kind: z.literal("note"), text: z.string(), byUserId: z.string(), byName: z.string() }),
  /** This person agreed or refused from here on: for this recording, or for all of the room. */
  z.object({
    kind: z.literal("consent"),
    userId: z.string(),
    agreed: z.boolean(),
    scope: z.enum(["recording", "room"]),
    /** The reaction that says so; null: a command. */
    reaction: z.string().nullable().default(null),
    /** That reaction was taken back: `agreed` is what holds without it. */
    withdrawn: z.boolean().default(false),
  }),
  /** What there was of this person was deleted, because they asked for it: these files are gone. */
  z.object({ kind: z.literal("erased"), userId: z.string(), files: z.array(z.string()) }),
  /** How loud a speaker was lately, in dBFS; null: nothing came. */
  z.object({
    kind: z.literal("level"),
    key: z.string(),
    levelDbfs: z.number().nullable(),
    clipped: z.boolean(),
  }),
  /** The room was told that this speaker is not heard, or distorted. */
  z.object({ kind: z.literal("warned"), key: z.string(), what: z.enum(["silent", "clipped"]) }),
  /** Nothing is written from here on, because the media plane is gone … */
  z.object({ kind: z.literal("gap"), reason: z.string() }),
  /** … up to here. */
  z.object({ kind: z.literal("resumed") }),
  /** It goes on: written when nothing else was for a while, so that a start after a kill knows how long ago that was. */
  z.object({ kind: z.literal("alive") }),
  z.object({ kind: z.literal("stop"), reason: stopReason, byUserId: z.string().nullable() }),
  z.object({
    kind: z.literal("exported"),
    durationMs: z.number(),
    tracks: z.array(exportedTrackSchema),
    documents: z.array(exportedDocumentSchema).default([]),
  }),
  /** This track is larger than the homeserver takes: these are sent in its place. */
  z.object({ kind: z.literal("split"), file: z.string(), parts: z.array(trackPartSchema).max(10_000) }),
  /** The homeserver has the file (a track, a part of one, the zip) under this mxc URI; the room does not know yet. */
  z.object({ kind: z.literal("uploaded"), file: z.string(), mxc: z.string().max(600) }),
  /** `roomId`: where to, when that is not the room of the start any more. */
  z.object({
    kind: z.literal("sent"),
    file: z.string(),
    eventId: z.string(),
    roomId: z.string().nullable().default(null),
  }),
  z.object({ kind: z.literal("kept"), file: z.string(), reason: z.string() }),
  /** The message that says what was delivered. */
  z.object({ kind: z.literal("summary"), eventId: z.string(), roomId: z.string().nullable().default(null) }),
  /** Everything of it was sent or kept, and the room was told. */
  z.object({ kind: z.literal("delivered") }),
  /** Somebody wants it once more: `sent`, `kept` and `delivered` of before do not count any more. */
  z.object({ kind: z.literal("resend"), byUserId: z.string() }),
  /** Somebody exempts it from being deleted by itself, or no longer does. */
  z.object({ kind: z.literal("keep"), keep: z.boolean(), byUserId: z.string() }),
  /** The room was told that the recording will be deleted at that time. */
  z.object({ kind: z.literal("foretold"), deleteWallMs: z.number() }),
  /** A delivered track was deleted, with these files of the recording. */
  z.object({
    kind: z.literal("deleted"),
    track: z.string(),
    files: z.array(z.string()),
    byUserId: z.string().nullable(),
  }),
  /** What could not be read of these files was cut out, `lostBytes` of each; `rebuilt`: this journal was made anew. */
  z.object({
    kind: z.literal("repaired"),
    files: z.array(z.object({ file: z.string(), lostBytes: z.number() })),
    rebuilt: z.boolean(),
  }),
]);
/** What is written: fields of later versions may be left out. */
export type JournalFact = z.input<typeof entrySchema>;

const stamped = z.object({
  /** Monotonic. */
  atMs: z.number(),
  wallMs: z.number(),
});
export type JournalStamp = z.infer<typeof stamped>;
export type JournalEntry = z.infer<typeof entrySchema> & JournalStamp;

/** What happened around a recording, as it happened; only ever appended to. On disk within a second. */
export class Journal {
  readonly #file: AppendFile;
  readonly #clock: Clock;
  readonly #onFailed: (error: unknown) => void;
  #timer: Timer | null = null;

  private constructor(file: AppendFile, clock: Clock, onFailed: (error: unknown) => void) {
    this.#file = file;
    this.#clock = clock;
    this.#onFailed = onFailed;
  }

  /** @param onFailed called when the disk takes nothing any more; entries are lost from then on. */
  static async create(directory: string, clock: Clock, onFailed: (error: unknown) => void): Promise<Journal> {
    return new Journal(await AppendFile.create(join(directory, JOURNAL_FILE), "journal"), clock, onFailed);
  }

  /** Goes on behind the `validBytes` that `readJournal` believed. */
  static async reopen(
    directory: string,
    validBytes: number,
    clock: Clock,
    onFailed: (error: unknown) => void,
  ): Promise<Journal> {
    return new Journal(await AppendFile.reopen(join(directory, JOURNAL_FILE), validBytes), clock, onFailed);
  }

  /** @param at when it was, if that is past; times in a journal never go back */
  add(fact: JournalFact, at: JournalStamp = { atMs: this.#clock.now(), wallMs: this.#clock.wall() }): void {
    const entry = { ...fact, ...at };
    this.#file.append(encodeRecord(ENTRY, new TextEncoder().encode(JSON.stringify(entry))));
    this.#timer ??= this.#clock.timer(FLUSH_MS, () => {
      this.#timer = null;
      this.#file.flush().catch(this.#onFailed);
    });
  }

  /** @throws what the disk said. */
  async flush(): Promise<void> {
    await this.#file.flush();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#file.close().catch(this.#onFailed);
  }
}

export interface ReadJournal {
  entries: JournalEntry[];
  start: JournalEntry & { kind: "start" };
  validBytes: number;
}

/** A day's comings and goings fit many times. */
const MAX_ENTRIES = 100_000;

/** @throws BotError `recording_damaged` when its beginning cannot be read; a torn end is left out. */
export async function readJournal(directory: string): Promise<ReadJournal> {
  const reader = await RecordReader.open(join(directory, JOURNAL_FILE), "journal");
  const entries: JournalEntry[] = [];
  for await (const { type, payload } of reader.records()) {
    const entry = type === ENTRY && entries.length < MAX_ENTRIES ? decodeEntry(payload) : null;
    if (entry) entries.push(entry);
  }
  const start = entries.find((entry) => entry.kind === "start");
  if (!start) throw new BotError("recording_damaged", `the journal in ${directory} has no start`);
  return { entries, start, validBytes: reader.end?.validBytes ?? 0 };
}

/** What a record of type `ENTRY` says; null when this version does not know it. */
export function decodeEntry(payload: Uint8Array): JournalEntry | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload));
    const fact = entrySchema.safeParse(value);
    const stamp = stamped.safeParse(value);
    return fact.success && stamp.success ? { ...fact.data, ...stamp.data } : null;
  } catch {
    return null;
  }
}
