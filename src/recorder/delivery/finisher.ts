import { rm } from "node:fs/promises";
import { join } from "node:path";
import { SerialQueue } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf, toBotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { RecordingState } from "../../store/recordings.ts";
import type { ExportChoice, ExportOutcome } from "../exporter.ts";
import type { Exporter, Splitter } from "../exporter.ts";
import { Journal, readJournal, type ReadJournal } from "../journal.ts";
import { appendTo } from "./append.ts";
import { deliver } from "./deliver.ts";
import { ExportProgress } from "./export-progress.ts";
import { progressOf } from "./progress-of.ts";
import type { RoomWishes } from "./room.ts";
import type { DeliveryRoom } from "./room.ts";
import type { WorkList } from "./work-list.ts";

export interface FinisherDeps {
  exporter: Exporter & Splitter;
  /** The room that a recording goes to; null when the bot is not in it (any more). */
  room: (roomId: string) => DeliveryRoom | null;
  prefix: string;
  clock: Clock;
  log: Log;
  work: WorkList;
  directoryOf: (id: string) => string;
  /** Something was done with a recording. @param state when it is another than the journal says */
  onSettled: (id: string, read: ReadJournal, state?: RecordingState) => Promise<void>;
}

/** Exports and delivers recordings that have ended, from wherever an earlier run has got with them. */
export class Finisher {
  readonly #deps: FinisherDeps;
  /** Exports take a core: one after the other. */
  readonly #exports = new SerialQueue();
  /** Exported, and there was no room to send them to. */
  readonly #homeless = new Set<string>();
  readonly #percent = new Map<string, number>();

  constructor(deps: FinisherDeps) {
    this.#deps = deps;
  }

  /** How far the room's export is, in percent; null when none is going on. */
  exporting(roomId: string): number | null {
    return this.#percent.get(roomId) ?? null;
  }

  /** Whether anything is exported now. */
  get isExporting(): boolean {
    return this.#percent.size > 0;
  }

  /** Those that wait for a room; they are not remembered any more. */
  takeHomeless(): string[] {
    const ids = [...this.#homeless];
    this.#homeless.clear();
    return ids;
  }

  /** It is gone. */
  forget(id: string): void {
    this.#homeless.delete(id);
  }

  /** Resolves when it was delivered, or a failure was told. */
  async finish(id: string, recovered: boolean, signal: AbortSignal): Promise<void> {
    const exporting = (): Promise<ReadJournal | null> =>
      this.#step(id, signal, () => this.#export(id, recovered, signal));
    const read = await inTurn(signal, (job) => this.#exports.run(job), exporting);
    if (read === null || signal.aborted) return;
    const { roomId } = read.start;
    const delivering = (): Promise<ReadJournal | null> =>
      this.#step(id, signal, () => this.#deliver(id, recovered, signal));
    await inTurn(signal, (job) => this.#deps.work.inRoom(roomId, job), delivering);
  }

  /** Does one step; a failure is told, and the next start tries again. */
  async #step(
    id: string,
    signal: AbortSignal,
    step: () => Promise<ReadJournal | null>,
  ): Promise<ReadJournal | null> {
    if (signal.aborted) return null;
    const { log } = this.#deps;
    try {
      return await step();
    } catch (error) {
      if (signal.aborted) return null;
      const read = await readJournal(this.#deps.directoryOf(id)).catch(() => null);
      if (read === null) log.error("recording_failed", { recording: id, reason: messageOf(error) });
      else await this.#failed(id, read, error);
      return null;
    }
  }

  /** @returns what the journal has then; null when there is nothing (left) to do. */
  async #export(id: string, recovered: boolean, signal: AbortSignal): Promise<ReadJournal | null> {
    const { exporter, log, clock } = this.#deps;
    const directory = this.#deps.directoryOf(id);
    const read = await readJournal(directory);
    const { roomId } = read.start;
    const { delivered, exported } = progressOf(read.entries);
    if (delivered) return null;
    if (recovered) log.info("recording_recovered", { recording: id, room: roomId });
    if (exported) return read;
    const room = this.#deps.room(roomId);
    const said = new ExportProgress({ room, id, clock });
    const onProgress = (percent: number): void => {
      this.#percent.set(roomId, percent);
      said.update(percent);
    };
    try {
      this.#percent.set(roomId, 0);
      const wishes = exportWishes(read.start, room?.wishes ?? null);
      const result = await exporter.export(directory, { signal, onProgress, ...wishes });
      const { durationMs, mixProblem } = result;
      const { tracks, documents } =
        read.start.what === "clip" ? await mixAlone(join(directory, "export"), result) : result;
      if (mixProblem !== null) log.warn("export_failed", { recording: id, reason: mixProblem, part: "mix" });
      await appendTo(directory, clock, [{ kind: "exported", durationMs, tracks, documents }]);
      log.info("recording_finished", { recording: id, room: roomId, tracks: tracks.length });
    } finally {
      this.#percent.delete(roomId);
    }
    return readJournal(directory);
  }

  async #deliver(id: string, recovered: boolean, signal: AbortSignal): Promise<ReadJournal> {
    const { exporter: splitter, log, clock, prefix } = this.#deps;
    const directory = this.#deps.directoryOf(id);
    const read = await readJournal(directory);
    const { entries, start } = read;
    const room = this.#deps.room(start.roomId);
    if (!room) {
      this.#homeless.add(id);
      await this.#deps.onSettled(id, read);
      return read;
    }
    const journal = await Journal.reopen(directory, read.validBytes, clock, (error) =>
      log.error("recording_failed", { recording: id, reason: messageOf(error) }),
    );
    try {
      const progress = progressOf(entries);
      const deps = {
        id,
        directory,
        journal,
        progress,
        entries,
        recovered,
        room,
        prefix,
        splitter,
        clock,
        signal,
      };
      const done = await deliver(deps);
      log.info("recording_delivered", { recording: id, room: start.roomId, ...done });
    } finally {
      await journal.close();
      await this.#deps.onSettled(id, await readJournal(directory));
    }
    return read;
  }

  async #failed(id: string, read: ReadJournal, thrown: unknown): Promise<void> {
    const error = toBotError(thrown);
    const { roomId } = read.start;
    this.#deps.log.error("export_failed", { recording: id, room: roomId, error });
    await this.#deps.onSettled(id, read, "failed");
    const reason = error.message.slice(0, 160);
    await this.#deps
      .room(roomId)
      ?.say({ key: "record.export_failed", params: { id, reason } }, `${id}-failed`)
      .catch((failure: unknown) =>
        this.#deps.log.warn("send_failed", { recording: id, reason: messageOf(failure) }),
      );
  }
}

/** Does a job when its turn comes, and gives the turn up when `signal` aborts before: then it is null. */
function inTurn<T>(
  signal: AbortSignal,
  queue: (job: () => Promise<T | null>) => Promise<T | null>,
  job: () => Promise<T | null>,
): Promise<T | null> {
  return new Promise((resolve, reject) => {
    let begun = false;
    const onAbort = (): void => {
      if (!begun) resolve(null);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const turn = queue(() => {
      begun = true;
      return signal.aborted ? Promise.resolve(null) : job();
    });
    turn.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** What the files are to be. A clip is one to listen to at once. */
function exportWishes(start: ReadJournal["start"], room: RoomWishes | null): Partial<ExportChoice> {
  const language = room?.language ?? "en";
  if (start.what === "clip") return { format: "opus", zip: false, language };
  const format = start.format ?? room?.format ?? "opus";
  return { format, zip: start.zip ?? room?.zip ?? false, language };
}

/** Of a clip nobody wants more than the mix, if there is one. */
async function mixAlone(
  directory: string,
  { tracks, documents }: Pick<ExportOutcome, "tracks" | "documents">,
): Promise<Pick<ExportOutcome, "tracks" | "documents">> {
  const mix = tracks.find(({ what }) => what === "mix");
  if (mix === undefined) return { tracks, documents };
  const others = [...tracks.filter((track) => track !== mix), ...documents];
  await Promise.all(others.map(({ file }) => rm(join(directory, file), { force: true })));
  return { tracks: [mix], documents: [] };
}
