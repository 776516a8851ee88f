import { join } from "node:path";
import { messageOf, toBotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { MediaPlane } from "../../media/plane.ts";
import { contentKey } from "./key.ts";
import { LoudnessStore, type Scanned } from "./store.ts";

/** Where files are measured: it belongs to no channel. */
export type ScanPlane = Pick<MediaPlane, "request">;

export interface LoudnessScansDeps {
  /** Where what was measured is kept, in its `cache`. */
  dataDir: string;
  log: Log;
}

/** Files that wait for their turn; beyond it the one that was asked for first is given up. */
const MAX_WAITING = 200;
/** Content that could not be measured is not tried again for as long as it is among these. */
const MAX_FAILED = 1_000;

interface Job {
  key: string;
  path: string;
  plane: ScanPlane;
  done: (scanned: Scanned | null) => void;
  result: Promise<Scanned | null>;
}

/** How loud files are: measured once, one at a time in the whole bot, and kept by what is in them. */
export class LoudnessScans {
  readonly #log: Log;
  readonly store: LoudnessStore;
  readonly #failed = new Set<string>();
  /** The next one last. */
  #waiting: Job[] = [];
  #running: Job | null = null;
  #closed = false;

  constructor({ dataDir, log }: LoudnessScansDeps) {
    this.#log = log;
    this.store = new LoudnessStore({ path: join(dataDir, "cache", "loudness.db"), log });
  }

  /** Something is measured that somebody is going to hear. */
  get isBusy(): boolean {
    return this.#running !== null;
  }

  /** What is known of a file now; null: nothing (yet). Never rejects, takes milliseconds. */
  async known(path: string): Promise<Scanned | null> {
    const key = await contentKey(path).catch(() => null);
    return key === null ? null : this.store.get(key);
  }

  /**
   * What is known, or is found out now: who asks last comes next. Null when it cannot be measured. Never rejects.
   */
  async measure(path: string, plane: ScanPlane): Promise<Scanned | null> {
    const key = await contentKey(path).catch(() => null);
    if (key === null || this.#closed) return null;
    const known = this.store.get(key);
    if (known || this.#failed.has(key)) return known;
    if (this.#running?.key === key) return this.#running.result;
    const same = this.#waiting.find((job) => job.key === key);
    if (same) {
      this.#waiting = [...this.#waiting.filter((job) => job !== same), same];
      return same.result;
    }
    const { promise, resolve } = Promise.withResolvers<Scanned | null>();
    this.#waiting.push({ key, path, plane, done: resolve, result: promise });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()?.done(null);
    void this.#next();
    return promise;
  }

  /** Idempotent. What is under way ends with the media plane. */
  close(): void {
    this.#closed = true;
    for (const job of this.#waiting) job.done(null);
    this.#waiting = [];
    this.store.close();
  }

  async #next(): Promise<void> {
    if (this.#running) return;
    const job = this.#waiting.pop();
    if (!job) return;
    this.#running = job;
    job.done(await this.#scan(job));
    this.#running = null;
    void this.#next();
  }

  async #scan({ key, path, plane }: Job): Promise<Scanned | null> {
    try {
      const { lufs, truePeakDb } = await plane.request({ kind: "loudness.scan", source: { path } });
      this.store.put(key, { lufs, truePeakDb });
      return { lufs, truePeakDb };
    } catch (error) {
      // A plane that falls says nothing about the file.
      if (toBotError(error).code === "media_plane_down" || this.#closed) return null;
      this.#log.debug("loudness_unknown", { file: path, reason: messageOf(error) });
      const [oldest] = this.#failed;
      if (this.#failed.size >= MAX_FAILED && oldest !== undefined) this.#failed.delete(oldest);
      this.#failed.add(key);
      return null;
    }
  }
}
