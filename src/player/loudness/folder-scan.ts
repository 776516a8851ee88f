import { sleep } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf, toBotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Measurement } from "../../base/loudness.ts";
import type { Catalogue } from "../library/catalogue.ts";
import type { Entry } from "../library/entry.ts";
import { Pace } from "../library/pace.ts";
import { confinedFile } from "../resolver/confine.ts";
import { contentKey } from "./key.ts";
import type { LoudnessScans } from "./scans.ts";

export interface MeasureOptions {
  /** So many times as fast as it plays, at most; null: as fast as it goes. */
  rate: number | null;
  signal: AbortSignal;
}

/** The media folder as it is indexed. */
export interface IndexedFolder {
  readonly root: string | null;
  readonly isBusy: boolean;
  readonly catalogue: Pick<Catalogue, "get" | "entries" | "size">;
}

export interface FolderScanDeps {
  scans: Pick<LoudnessScans, "isBusy" | "store">;
  /** @throws BotError `media_unreadable`, `timeout`: it is of no use to try again; whatever else says nothing about the file */
  measure: (path: string, options: MeasureOptions) => Promise<Measurement>;
  /** Of a core, 0 to 1. */
  share: number;
  /** The machine has better things to do. Asked between two files. */
  isBusy: () => boolean;
  clock: Clock;
  log: Log;
}

const BUSY_MS = 10_000;
/** After a file that took for ever. */
const LONGEST_REST_MS = 10 * 60_000;
/** While files come all the time the list is not made again for each. */
const LIST_AGAIN_MS = 60_000;
/** Of sound in one second of the processor, until it is known: slow machines and formats first. */
const FIRST_SPEED = 60;
const SLOWEST_RATE = 4;
/** Shorter than this is mostly the program's start. */
const TELLING_MS = 20_000;
const TELL_EVERY = 1_000;

/**
 * Measures the files of the media folder before anybody asks for them, the newest first: one at a time, by no more than a share
 * of a core, after whatever somebody is going to hear. What it has looked at is kept, so that a start goes on where the last
 * run was; when nothing is left it is no more than this object.
 */
export class FolderScan {
  readonly #deps: FolderScanDeps;
  readonly #closing = new AbortController();
  #folder: IndexedFolder | null = null;
  #isStale = false;
  #working = false;
  #waiting: number | null = null;
  #speed = FIRST_SPEED;
  /** The program can keep to a rate; one of 2021 or older cannot. */
  #canPace = true;

  constructor(deps: FolderScanDeps) {
    this.#deps = deps;
  }

  /** There is something new in it, or nobody has looked yet. Returns at once. */
  read(folder: IndexedFolder): void {
    this.#folder = folder;
    this.#isStale = true;
    if (!this.#working && !this.#closing.signal.aborted) void this.#work(folder);
  }

  /** Null while nothing is under way. */
  get progress(): { files: number; waiting: number } | null {
    if (this.#waiting === null || this.#folder === null) return null;
    return { files: this.#folder.catalogue.size, waiting: this.#waiting };
  }

  /** Idempotent. What is under way ends. */
  close(): void {
    this.#closing.abort();
  }

  async #work(folder: IndexedFolder): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal } = this.#closing;
    this.#working = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        const paths = await this.#unknown(folder);
        const listedMs = clock.now();
        if (paths.length > 0)
          log.info("loudness_scanning", { files: folder.catalogue.size, waiting: paths.length });
        let done = 0;
        for (const path of paths) {
          this.#waiting = paths.length - done;
          if (this.#isStale && clock.now() - listedMs > LIST_AGAIN_MS) break;
          await this.#untilFree(folder);
          await this.#look(folder, path);
          if (++done % TELL_EVERY === 0)
            log.info("loudness_scanning", { files: folder.catalogue.size, waiting: paths.length - done });
        }
        if (done > 0 && done === paths.length)
          log.info("loudness_scanned", { files: done, ms: Math.round(clock.now() - listedMs) });
      }
    } catch (error) {
      if (!signal.aborted) log.warn("library_failed", { reason: messageOf(error) });
    }
    this.#waiting = null;
    this.#working = false;
  }

  /** The newest first: it is what people ask for. */
  async #unknown({ catalogue }: IndexedFolder): Promise<string[]> {
    const { clock, scans } = this.#deps;
    const pace = new Pace(clock);
    const unknown: Entry[] = [];
    for (const entry of catalogue.entries()) {
      if (!scans.store.hasLooked(entry.path, entry)) unknown.push(entry);
      await pace.rest(this.#closing.signal);
    }
    return unknown.toSorted((a, b) => b.mtimeMs - a.mtimeMs).map(({ path }) => path);
  }

  /** @throws when it is closed */
  async #untilFree(folder: IndexedFolder): Promise<void> {
    const { clock, scans, isBusy } = this.#deps;
    const { signal } = this.#closing;
    while (folder.isBusy || scans.isBusy || isBusy()) await sleep(clock, BUSY_MS, signal);
    signal.throwIfAborted();
  }

  async #look({ root, catalogue }: IndexedFolder, path: string): Promise<void> {
    const { store } = this.#deps.scans;
    const entry = catalogue.get(path);
    const real = entry && root !== null ? await confinedFile(root, path.split("/")) : null;
    const key = real === null ? null : await contentKey(real).catch(() => null);
    if (!entry || real === null || key === null) return;
    if (store.get(key) === null) {
      store.begin(path, entry);
      if (!(await this.#measure(real, key))) return store.giveUp(path, entry);
    }
    store.looked(path, entry);
  }

  /** Returns whether that was all that can be found out. */
  async #measure(path: string, key: string): Promise<boolean> {
    const { clock, scans, measure, share, log } = this.#deps;
    const { signal } = this.#closing;
    const beganMs = clock.now();
    const rate = this.#canPace ? Math.max(SLOWEST_RATE, this.#speed * share) : null;
    let usedMs: number | null = null;
    try {
      const measured = await measure(path, { rate, signal });
      usedMs = measured.usedMs;
      if (!measured.isTagged) scans.store.put(key, measured);
      if (usedMs !== null && usedMs > 0 && measured.soundMs > TELLING_MS)
        this.#speed = (this.#speed + measured.soundMs / usedMs) / 2;
    } catch (error) {
      if (signal.aborted) return false;
      log.debug("loudness_unknown", { file: path, reason: messageOf(error) });
      const { code } = toBotError(error);
      if (rate !== null && /Option not found/i.test(messageOf(error))) {
        this.#canPace = false;
        return this.#measure(path, key);
      }
      if (code !== "media_unreadable" && code !== "timeout") return false;
    } finally {
      const tookMs = clock.now() - beganMs;
      const restMs = (usedMs ?? tookMs) / share - tookMs;
      await sleep(clock, Math.min(LONGEST_REST_MS, Math.max(1, restMs)), signal).catch(() => undefined);
    }
    return true;
  }
}
