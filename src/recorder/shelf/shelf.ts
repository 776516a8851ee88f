import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { TrackReader } from "../../media/tracks/reader.ts";
import type { RecordingIndex, RecordingRow } from "../../store/recordings.ts";
import type { RecordingArchive } from "../archive.ts";
import { fileOwners } from "../consent/erase.ts";
import { filesOf, progressOf, type DeliveryProgress } from "../delivery/progress-of.ts";
import type { ExportedTrack, ReadJournal } from "../journal.ts";

export interface ShelfDeps {
  archive: Pick<RecordingArchive, "with" | "note" | "remove" | "finish" | "isOpen">;
  index: Pick<RecordingIndex, "get" | "all" | "ofRoom" | "byNumber">;
  log: Log;
}

/** A recording as people are told of it. */
export interface RecordingDetails {
  row: RecordingRow;
  read: ReadJournal;
  progress: DeliveryProgress;
}

/** What a redaction took with it. */
export type Deleted = { what: "all"; mxcs: string[] } | { what: "track"; track: string; mxcs: string[] };

/** The finished recordings on the disk, as people handle them. */
export class RecordingShelf {
  readonly #deps: ShelfDeps;

  constructor(deps: ShelfDeps) {
    this.#deps = deps;
  }

  /** Newest first. */
  ofRoom(roomId: string): RecordingRow[] {
    return this.#deps.index.ofRoom(roomId);
  }

  /** @throws BotError `not_found` */
  find(roomId: string, number: number): RecordingRow {
    const row = this.#deps.index.byNumber(roomId, number);
    if (row !== null) return row;
    throw new BotError("not_found", `no recording ${number}`, {
      say: { key: "recordings.unknown", params: { number } },
    });
  }

  /** @throws BotError `recording_damaged` */
  details(row: RecordingRow): Promise<RecordingDetails> {
    if (this.#deps.archive.isOpen(row.id)) throw stillRuns();
    return this.#deps.archive.with(row.id, async (read) => ({
      row,
      read,
      progress: progressOf(read.entries),
    }));
  }

  /** Exempts it from being deleted by itself, or no longer does. */
  async keep({ id }: RecordingRow, keep: boolean, byUserId: string): Promise<void> {
    await this.#deps.archive.note(id, { kind: "keep", keep, byUserId });
  }

  /** Delivers it once more; what the homeserver still has is not uploaded again. Resolves when that has begun. */
  async resend({ id, state }: RecordingRow, byUserId: string): Promise<void> {
    const { archive } = this.#deps;
    if (archive.isOpen(id)) throw stillRuns();
    if (state === "delivered" || state === "failed" || state === "empty") {
      await archive.note(id, { kind: "resend", byUserId });
    }
    void archive.finish(id);
  }

  /** @throws BotError when it is being recorded */
  async remove({ id }: RecordingRow, why: string): Promise<void> {
    if (this.#deps.archive.isOpen(id)) throw stillRuns();
    await this.#deps.archive.remove(id);
    this.#deps.log.info("recording_deleted", { recording: id, reason: why });
  }

  /**
   * Somebody removed messages of a delivery from the room: that of one track takes the track with it, that of the summary or
   * those of all tracks everything. Of messages that have been sent anew since, nothing.
   */
  async redacted(id: string, eventIds: ReadonlySet<string>, byUserId: string | null): Promise<Deleted[]> {
    const { archive, log } = this.#deps;
    if (archive.isOpen(id)) return [];
    return archive
      .with(id, (read, directory) => this.#redacted(read, directory, eventIds))
      .then(async ({ deleted, all, tracks }) => {
        if (all) {
          await archive.remove(id);
          log.info("recording_deleted", { recording: id, reason: "redacted" });
          return deleted;
        }
        for (const { track, files } of tracks) {
          await archive.note(id, { kind: "deleted", track, files, byUserId });
          log.info("recording_deleted", { recording: id, reason: "redacted", files: files.length });
        }
        return deleted;
      });
  }

  async #redacted(
    read: ReadJournal,
    directory: string,
    eventIds: ReadonlySet<string>,
  ): Promise<{ deleted: Deleted[]; all: boolean; tracks: { track: string; files: string[] }[] }> {
    const progress = progressOf(read.entries);
    const isGone = (file: string): boolean => eventIds.has(progress.events.get(file)?.eventId ?? "");
    const gone = progress.tracks.filter((track) => filesOf(track, progress).some(isGone));
    const zip = progress.exported?.documents.find(({ what }) => what === "zip")?.file;
    const allMxcs = [...progress.uploaded.values()];
    const summaryGone = progress.summary !== null && eventIds.has(progress.summary.eventId);
    const zipGone = zip !== undefined && isGone(zip);
    if (summaryGone || zipGone || (gone.length > 0 && gone.length === progress.tracks.length)) {
      return { deleted: [{ what: "all", mxcs: allMxcs }], all: true, tracks: [] };
    }
    const tracks: { track: string; files: string[] }[] = [];
    const deleted: Deleted[] = [];
    for (const track of gone) {
      const files = await this.#deleteTrack(read, directory, track, progress, zip);
      const mxcs = filesOf(track, progress).flatMap((file) => progress.uploaded.get(file) ?? []);
      tracks.push({ track: track.file, files });
      deleted.push({ what: "track", track: track.file, mxcs });
    }
    return { deleted, all: false, tracks };
  }

  /** @returns the files that are gone, relative to the recording's folder */
  async #deleteTrack(
    { entries }: ReadJournal,
    directory: string,
    track: ExportedTrack,
    progress: DeliveryProgress,
    zip: string | undefined,
  ): Promise<string[]> {
    const files = [
      join("export", track.file),
      ...(progress.parts.get(track.file) ?? []).map(({ file }) => join("parts", file)),
      // It has the track in it.
      ...(zip === undefined ? [] : [join("export", zip)]),
      ...(track.sources ?? (await rawFilesOf(entries, directory, track))),
    ];
    for (const file of files) await rm(join(directory, file), { force: true });
    return files;
  }
}

/** What the media plane wrote of a track. A mix has nothing of its own. */
async function rawFilesOf(
  entries: ReadJournal["entries"],
  directory: string,
  { what, userId }: ExportedTrack,
): Promise<string[]> {
  const opened = entries.filter((entry) => entry.kind === "track");
  if (what === "music") return opened.filter((entry) => entry.what === "music").map(({ file }) => file);
  if (what !== "voice" || userId === null) return [];
  const ownersOf = fileOwners(entries);
  const files: string[] = [];
  for (const { file, speaker } of opened.filter((entry) => entry.what === "voice")) {
    const said = await speakerOf(join(directory, file));
    if (ownersOf(file, said ?? speaker).includes(userId)) files.push(file);
  }
  return files;
}

async function speakerOf(path: string): Promise<string | null> {
  try {
    const reader = await TrackReader.open(path);
    await reader.close();
    return reader.header.speaker;
  } catch {
    return null;
  }
}

function stillRuns(): BotError {
  return new BotError("already_recording", "it is being recorded", { say: { key: "recordings.runs" } });
}
