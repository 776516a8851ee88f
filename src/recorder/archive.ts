import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { SerialQueue } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { RecordingIndex, RecordingState } from "../store/recordings.ts";
import { deliver, type DeliveryRoom } from "./delivery.ts";
import type { Exporter } from "./exporter.ts";
import { Journal, readJournal, type ReadJournal } from "./journal.ts";

export interface ArchiveDeps {
  dataDir: string;
  index: Pick<RecordingIndex, "put">;
  exporter: Exporter;
  /** The room that a recording goes to; null when the bot is not in it (any more). */
  room: (roomId: string) => DeliveryRoom | null;
  clock: Clock;
  log: Log;
}

/** A recording that is being written. */
export interface OpenRecording {
  id: string;
  directory: string;
  journal: Journal;
}

/**
 * All recordings of the bot, each a folder below dataDir/recordings. A folder says in its journal how far it got
 * (recorded, exported, sent, delivered), so that whatever interrupts us, the next start goes on from there.
 */
export class RecordingArchive {
  readonly #deps: ArchiveDeps;
  readonly #root: string;
  /** Exports take a core: one after the other. */
  readonly #work = new SerialQueue();
  readonly #closing = new AbortController();
  readonly #open = new Set<string>();
  /** Exported, and there was no room to send them to. */
  readonly #homeless = new Set<string>();
  #waiting = 0;
  readonly #percent = new Map<string, number>();

  constructor(deps: ArchiveDeps) {
    this.#deps = deps;
    this.#root = join(deps.dataDir, "recordings");
  }

  /** A new folder with a journal that has its first entry on disk. @param onFailed the journal cannot be written */
  async create(
    by: { roomId: string; userId: string; name: string },
    onFailed: (error: unknown) => void,
  ): Promise<OpenRecording> {
    const { clock } = this.#deps;
    const id = newRecordingId(clock.wall());
    const directory = join(this.#root, id);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const journal = await Journal.create(directory, clock, onFailed);
    const { roomId, userId, name } = by;
    journal.add({ kind: "start", recording: id, roomId, byUserId: userId, byName: name, bootId: bootId() });
    await journal.flush();
    this.#open.add(id);
    this.#index(id, roomId, clock.wall(), "recording", null, null);
    return { id, directory, journal };
  }

  /** Removes a recording that never began. */
  async discard({ id, directory, journal }: OpenRecording): Promise<void> {
    await journal.close();
    this.#open.delete(id);
    await rm(directory, { recursive: true, force: true });
  }

  /** Its journal has its end and is closed: exports and delivers it, after those before it. Never rejects. */
  finish(id: string, { recovered = false }: { recovered?: boolean } = {}): Promise<void> {
    this.#open.delete(id);
    this.#waiting++;
    return this.#work.run(() => this.#finish(id, recovered)).finally(() => this.#waiting--);
  }

  /** Its journal is closed, and the bot is ending: the next start finishes it. */
  leave(id: string): void {
    this.#open.delete(id);
  }

  /** Recordings that run, and those that are exported or delivered or wait for it. */
  get counts(): { running: number; waiting: number } {
    return { running: this.#open.size, waiting: this.#waiting };
  }

  /** What the running recordings have written so far, in bytes. */
  async runningBytes(): Promise<number> {
    let bytes = 0;
    for (const id of this.#open) {
      const directory = join(this.#root, id);
      for (const name of await readdir(directory).catch(() => []))
        bytes += (await stat(join(directory, name)).catch(() => null))?.size ?? 0;
    }
    return bytes;
  }

  /** How far the room's export is, in percent; null when none is going on. */
  exporting(roomId: string): number | null {
    return this.#percent.get(roomId) ?? null;
  }

  /**
   * Finishes what earlier runs could not: recordings without an end, without an export, not delivered. Call it when the
   * rooms are known; resolves when all were dealt with. Never rejects.
   */
  async recover(): Promise<void> {
    const names = await readdir(this.#root).catch(() => []);
    for (const id of names.filter((name) => /^[A-Za-z0-9_-]{1,64}$/.test(name)).sort()) {
      if (!this.#open.has(id)) await this.finish(id, { recovered: true });
    }
  }

  /** A room is there that was not: delivers what waits for one. Resolves when that is done. Never rejects. */
  async deliverWaiting(): Promise<void> {
    const ids = [...this.#homeless];
    this.#homeless.clear();
    await Promise.all(ids.map((id) => this.finish(id)));
  }

  /** Ends a running export (the next start repeats it). Idempotent; resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#work.idle();
  }

  async #finish(id: string, recovered: boolean): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const { log } = this.#deps;
    const directory = join(this.#root, id);
    let read: ReadJournal;
    try {
      read = await readJournal(directory);
    } catch (error) {
      log.error("recording_failed", { recording: id, reason: messageOf(error) });
      return;
    }
    if (read.entries.some(({ kind }) => kind === "delivered")) return;
    const { roomId } = read.start;
    const journal = await Journal.reopen(directory, read.validBytes, this.#deps.clock, (error) =>
      log.error("recording_failed", { recording: id, reason: messageOf(error) }),
    );
    try {
      if (recovered) log.info("recording_recovered", { recording: id, room: roomId });
      await this.#exportAndDeliver(id, directory, journal, read, recovered);
    } catch (error) {
      if (!this.#closing.signal.aborted) await this.#failed(id, read, error);
    } finally {
      this.#percent.delete(roomId);
      await journal.close();
    }
  }

  async #exportAndDeliver(
    id: string,
    directory: string,
    journal: Journal,
    read: ReadJournal,
    recovered: boolean,
  ): Promise<void> {
    const { exporter, log, clock } = this.#deps;
    const { roomId, wallMs } = read.start;
    const { signal } = this.#closing;
    let exported = read.entries.findLast((entry) => entry.kind === "exported");
    if (!exported) {
      this.#percent.set(roomId, 0);
      const onProgress = (percent: number): unknown => this.#percent.set(roomId, percent);
      const result = await exporter.export(directory, { signal, onProgress });
      const { durationMs, tracks, documents, mixProblem } = result;
      if (mixProblem !== null) log.warn("export_failed", { recording: id, reason: mixProblem, part: "mix" });
      exported = { kind: "exported", durationMs, tracks, documents, atMs: clock.now(), wallMs: clock.wall() };
      journal.add({ kind: "exported", durationMs, tracks, documents });
      await journal.flush();
      log.info("recording_finished", { recording: id, room: roomId, tracks: result.tracks.length });
    }
    const { tracks, durationMs } = exported;
    this.#index(id, roomId, wallMs, "exported", durationMs, tracks.length);
    const room = this.#deps.room(roomId);
    if (!room) {
      this.#homeless.add(id);
      return;
    }
    const done = await deliver({
      id,
      directory,
      journal,
      exported,
      entries: read.entries,
      recovered,
      room,
      clock,
      signal,
    });
    const state = tracks.length === 0 ? "empty" : done.kept === 0 ? "delivered" : "failed";
    this.#index(id, roomId, wallMs, state, durationMs, tracks.length);
    log.info("recording_delivered", { recording: id, room: roomId, ...done });
  }

  async #failed(id: string, { start }: ReadJournal, thrown: unknown): Promise<void> {
    const error = toBotError(thrown);
    this.#deps.log.error("export_failed", { recording: id, room: start.roomId, error });
    this.#index(id, start.roomId, start.wallMs, "failed", null, null);
    const reason = error.message.slice(0, 160);
    await this.#deps
      .room(start.roomId)
      ?.say({ key: "record.export_failed", params: { id, reason } }, `${id}-failed`)
      .catch((failure: unknown) =>
        this.#deps.log.warn("send_failed", { recording: id, reason: messageOf(failure) }),
      );
  }

  #index(
    id: string,
    roomId: string,
    startedWallMs: number,
    state: RecordingState,
    durationMs: number | null,
    tracks: number | null,
  ): void {
    try {
      this.#deps.index.put({ id, roomId, startedWallMs, state, durationMs, tracks });
    } catch (error) {
      // The folder is the truth; a full disk must not keep a recording from going out.
      this.#deps.log.warn("store_damaged", { recording: id, reason: messageOf(error) });
    }
  }
}

/** When it began (UTC), readable, and a part that nobody can guess. */
function newRecordingId(wallMs: number): string {
  const time = new Date(wallMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return `${time}-${randomBytes(5).toString("hex")}`;
}

/** As the track files name it. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "unknown";
  }
}
