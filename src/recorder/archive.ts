import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { readBootId } from "../media/tracks/place.ts";
import type { RecordingIndex, RecordingState } from "../store/recordings.ts";
import { newRecordingId, recordingIds, recordingsFolder } from "./care/folder.ts";
import { appendTo } from "./delivery/append.ts";
import type { Removed } from "./consent/removal.ts";
import { eraseInAll } from "./delivery/erase.ts";
import { Finisher } from "./delivery/finisher.ts";
import { progressOf } from "./delivery/progress-of.ts";
import type { DeliveryRoom } from "./delivery/room.ts";
import { rowOf } from "./delivery/row.ts";
import { WorkList } from "./delivery/work-list.ts";
import type { Exporter, Splitter } from "./exporter.ts";
import { bytesIn } from "./folder-size.ts";
import { Journal, readJournal } from "./journal.ts";
import type { ConsentMode, JournalFact, JournalStamp, ReadJournal } from "./journal.ts";
import type { OpenRecording } from "./open-recording.ts";
import { InterruptedRecordings, reopenRecording, type Reopened } from "./reopen.ts";

export interface ArchiveDeps {
  dataDir: string;
  index: Pick<RecordingIndex, "put" | "nextNumber" | "ofRoom"> & Partial<Pick<RecordingIndex, "get">>;
  exporter: Exporter & Splitter;
  /** The room that a recording goes to; null when the bot is not in it (any more). */
  room: (roomId: string) => DeliveryRoom | null;
  /** Of commands, for texts. */
  prefix: string;
  /** Something of a recording may be in a room now. */
  onDelivered?: (id: string, read: ReadJournal) => void;
  clock: Clock;
  log: Log;
}

/** Who starts a recording, where, as what. */
export interface NewRecording {
  roomId: string;
  userId: string;
  name: string;
  title?: string | null;
  consent?: ConsentMode;
  /** It is a clip, of which the first moment was then. */
  clipAt?: JournalStamp;
  /** The room's setting begins it, not a person. */
  automatic?: boolean;
}

/**
 * All recordings of the bot, each a folder below dataDir/recordings. A folder says in its journal how far it got
 * (recorded, exported, uploaded, sent, delivered), so that whatever interrupts us, the next start goes on from there.
 */
export class RecordingArchive {
  readonly #deps: ArchiveDeps;
  readonly #root: string;
  readonly #work = new WorkList();
  readonly #open = new Map<string, OpenRecording>();
  readonly #interrupted: InterruptedRecordings;
  readonly #finisher: Finisher;
  #waiting = 0;

  constructor(deps: ArchiveDeps) {
    this.#deps = deps;
    this.#root = recordingsFolder(deps.dataDir);
    this.#finisher = new Finisher({
      ...deps,
      work: this.#work,
      directoryOf: (id) => this.directoryOf(id),
      onSettled: (id, read, state) => this.#settled(id, read, state),
    });
    this.#interrupted = new InterruptedRecordings({
      clock: deps.clock,
      onOver: (id) => void this.finish(id, { recovered: true }),
    });
  }

  /** A new folder with a journal that has its first entry on disk. @param onFailed the journal cannot be written */
  async create(by: NewRecording, onFailed: (error: unknown) => void): Promise<OpenRecording> {
    const { clock, index } = this.#deps;
    const id = newRecordingId(clock.wall());
    const directory = this.directoryOf(id);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const journal = await Journal.create(directory, clock, onFailed);
    const { roomId, userId: byUserId, name: byName, title = null, consent = "opt-out" } = by;
    const { automatic = false, clipAt } = by;
    const what = clipAt === undefined ? "recording" : "clip";
    // As the room wants it now: who changes that meanwhile means the next one.
    const { format = null, zip = null } = this.#deps.room(roomId)?.wishes ?? {};
    const number = index.nextNumber(roomId);
    const start = { kind: "start", recording: id, roomId, byUserId, byName, bootId: readBootId() } as const;
    journal.add({ ...start, what, title, consent, automatic, number, format, zip }, clipAt);
    await journal.flush();
    const recording = { id, directory, journal };
    this.#open.set(id, recording);
    const row = { id, roomId, state: "recording", title, byUserId, number } as const;
    const startedWallMs = clock.wall();
    this.#put(id, () => index.put({ ...row, startedWallMs, durationMs: null, tracks: null }));
    return recording;
  }

  /** Removes a recording that never began, or that nobody wants. */
  async discard({ id, journal }: OpenRecording): Promise<void> {
    await journal.close();
    this.#open.delete(id);
    await this.remove(id);
  }

  /** Its journal has its end and is closed: exports and delivers it, after those before it. Never rejects. */
  finish(id: string, { recovered = false }: { recovered?: boolean } = {}): Promise<void> {
    this.#open.delete(id);
    this.#waiting++;
    return this.#work
      .run(id, (signal) => this.#finisher.finish(id, recovered, signal))
      .catch((error: unknown) => this.#deps.log.error("recording_failed", { recording: id, error }))
      .finally(() => this.#waiting--);
  }

  /** Its journal is closed, and the bot is ending: the next start finishes it. */
  leave(id: string): void {
    this.#open.delete(id);
  }

  /** Finds what an earlier run has not ended and may go on. To be called before rooms ask for it. Never rejects. */
  async findInterrupted(): Promise<void> {
    await this.#interrupted.find(this.#root, await this.#ids());
  }

  /** Whether a recording of an earlier run waits to go on in that room. */
  interrupted(roomId: string): boolean {
    return this.#interrupted.of(roomId) !== null;
  }

  /** That recording is not to go on: it is finished as it is. */
  release(roomId: string): void {
    this.#interrupted.release(roomId);
  }

  /** The bot is only in these rooms: what was recorded in others does not go on. */
  releaseOthers(roomIds: ReadonlySet<string>): void {
    for (const roomId of this.#interrupted.rooms) if (!roomIds.has(roomId)) this.release(roomId);
  }

  /** Opens that recording to go on with it; null when there is none, or it is too late. @throws what the disk says */
  async reopen(roomId: string, onFailed: (error: unknown) => void): Promise<Reopened | null> {
    const id = this.#interrupted.of(roomId);
    if (id === null) return null;
    let reopened: Reopened | null = null;
    try {
      reopened = await reopenRecording({ id, directory: this.directoryOf(id) }, this.#deps.clock, onFailed);
    } finally {
      // Until here nobody else takes it up.
      this.#interrupted.take(roomId);
      if (reopened) this.#open.set(id, reopened.recording);
      else void this.finish(id, { recovered: true });
    }
    return reopened;
  }

  /** Recordings that run, and those that are exported or delivered or wait for it. */
  get counts(): { running: number; waiting: number } {
    return { running: this.#open.size, waiting: this.#waiting };
  }

  /** What the running recordings have written so far, in bytes. */
  async runningBytes(): Promise<number> {
    const sizes = await Promise.all([...this.#open.values()].map(({ directory }) => bytesIn(directory)));
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  }

  get isExporting(): boolean {
    return this.#finisher.isExporting;
  }

  /** How far the room's export is, in percent; null when none is going on. */
  exporting(roomId: string): number | null {
    return this.#finisher.exporting(roomId);
  }

  directoryOf(id: string): string {
    return join(this.#root, id);
  }

  /** Whether it is being recorded. */
  isOpen(id: string): boolean {
    return this.#open.has(id) || this.#interrupted.has(id);
  }

  /**
   * Finishes what earlier runs could not: recordings without an end, without an export, not delivered; and writes all into
   * the index. Call it when the rooms are known; resolves when all were dealt with. Never rejects.
   * @param onKnown all are in the index, and what is still to be done with them has begun
   */
  async recover(onKnown?: () => void): Promise<void> {
    const unfinished: Promise<void>[] = [];
    for (const id of await this.#ids()) {
      if (this.isOpen(id) || this.#work.has(id)) continue;
      const read = await readJournal(this.directoryOf(id)).catch((error: unknown) => {
        this.#deps.log.error("recording_failed", { recording: id, reason: messageOf(error) });
        return null;
      });
      if (read === null) continue;
      if (!progressOf(read.entries).delivered) unfinished.push(this.finish(id, { recovered: true }));
      else if (this.#isIndexed(id, read)) this.#deps.onDelivered?.(id, read);
      else await this.#settled(id, read);
    }
    onKnown?.();
    await Promise.all(unfinished);
  }

  /** A room is there that was not: delivers what waits for one. Resolves when that is done. Never rejects. */
  async deliverWaiting(): Promise<void> {
    await Promise.all(this.#finisher.takeHomeless().map((id) => this.finish(id)));
  }

  /** Reads a recording, alone with it: nothing else is done to it meanwhile. @throws what reading it throws */
  with<T>(id: string, job: (read: ReadJournal, directory: string) => Promise<T>): Promise<T> {
    return this.#work.run(id, async () => job(await readJournal(this.directoryOf(id)), this.directoryOf(id)));
  }

  /** Appends to the journal of a recording, and brings the index up to date. @throws what the disk says */
  async note(id: string, ...facts: JournalFact[]): Promise<void> {
    const open = this.#open.get(id);
    if (open) {
      for (const fact of facts) open.journal.add(fact);
      await open.journal.flush();
    } else await this.#work.run(id, () => appendTo(this.directoryOf(id), this.#deps.clock, facts));
    await this.#settled(id, await readJournal(this.directoryOf(id)));
  }

  /**
   * Deletes what the finished recordings of a room have of one person. One that is being exported or delivered is so anew,
   * without them: what has not left yet does not. @throws what the file system said
   */
  async erase(roomId: string, userId: string): Promise<Removed> {
    const rows = this.#deps.index.ofRoom(roomId, Number.MAX_SAFE_INTEGER);
    return eraseInAll(
      rows.map(({ id }) => id).filter((id) => !this.#open.has(id)),
      userId,
      {
        ...{ work: this.#work, clock: this.#deps.clock },
        directoryOf: (id) => this.directoryOf(id),
        finish: (id) => void this.finish(id),
        onErased: (id, read) => this.#settled(id, read),
      },
    );
  }

  /** Deletes everything of a recording; what is being done with it is given up. */
  async remove(id: string): Promise<void> {
    this.#work.abort(id);
    const directory = this.directoryOf(id);
    await this.#work.run(id, async () => {
      const read = await readJournal(directory).catch(() => null);
      await rm(directory, { recursive: true, force: true });
      this.#finisher.forget(id);
      if (read !== null) this.#put(id, () => this.#deps.index.put({ ...rowOf(read, 0), state: "deleted" }));
    });
  }

  /** Ends running exports and deliveries (the next start goes on). Idempotent; resolves when nothing of them runs. */
  async close(): Promise<void> {
    this.#interrupted.close();
    await this.#work.close();
  }

  /** Something was done with it: the index follows. */
  async #settled(id: string, read: ReadJournal, state?: RecordingState): Promise<void> {
    const { index, onDelivered } = this.#deps;
    const row = rowOf(read, await bytesIn(this.directoryOf(id)));
    const number = row.number ?? index.nextNumber(row.roomId);
    this.#put(id, () => index.put({ ...row, number, ...(state ? { state } : {}) }));
    onDelivered?.(id, read);
  }

  /** Whether the index says of a delivered recording what its journal says. */
  #isIndexed(id: string, read: ReadJournal): boolean {
    const row = this.#deps.index.get?.(id) ?? null;
    if (row === null || row.bytes === null || row.number === null) return false;
    const { state, keep, deleteWallMs, tracks } = rowOf(read, row.bytes);
    const isSame = row.state === state && row.keep === keep && row.tracks === tracks;
    return isSame && row.deleteWallMs === (deleteWallMs === null ? null : Math.round(deleteWallMs));
  }

  #put(id: string, put: () => void): void {
    try {
      put();
    } catch (error) {
      // The folder is the truth; a full disk must not keep a recording from going out.
      this.#deps.log.warn("store_damaged", { recording: id, reason: messageOf(error) });
    }
  }

  /** Oldest first. */
  async #ids(): Promise<string[]> {
    return recordingIds(this.#deps.dataDir).catch(() => []);
  }
}
