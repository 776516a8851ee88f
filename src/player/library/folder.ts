import { sleep } from "../../base/async.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { Catalogue } from "./catalogue.ts";
import type { Stamp } from "./entry.ts";
import { Pace } from "./pace.ts";
import { listFolder, realFolder, type Listing } from "./scan.ts";
import type { TagCache } from "./tag-cache.ts";
import type { TagReader } from "./tag-reader.ts";
import { TagReading } from "./tag-reading.ts";
import { Watch } from "./watch.ts";

export interface Background {
  log: Log;
  reader: TagReader;
  cache: TagCache;
  /** Is told whenever all tags of a folder that has changed are read. */
  levels?: { read(folder: MediaFolder): void; close(): void };
}

export interface MediaFolderOptions {
  root: string;
  clock: Clock;
  /** What `start` needs; without it names alone are known, listed when somebody asks. */
  background?: Background;
}

/** More than this are not found by name (they still play by their path). */
const MAX_FILES = 100_000;
/** What nobody watches is listed again when somebody asks and the last listing is older. */
const REFRESH_MS = 15_000;
/** How long one who asks waits for a listing: for the first one, and for one that only brings news. */
const FIRST_MS = 20_000;
const NEWS_MS = 1_000;
/** A look at everything, in case that something was missed: with all folders watched, and with some that are not. */
const RESCAN_MS = 15 * 60_000;
const UNWATCHED_RESCAN_MS = 5 * 60_000;
const BATCH = 50;
/** From this many changed folders on a look at everything is less work. */
const MANY_FOLDERS = 20;

/** Keeps the catalogue of the media folder as the folder is: lists, watches, has tags read; all of it in the background. */
export class MediaFolder {
  readonly catalogue = new Catalogue();
  readonly #options: MediaFolderOptions;
  readonly #closing = new AbortController();
  readonly #folders = new Set<string>();
  readonly #tags: TagReading | null;
  readonly #playlists = new Map<string, { names: readonly string[]; look: number }>();
  #looks = 0;
  #root: string | null = null;
  #watch: Watch | null = null;
  #pace: Pace;
  /** Of the last run: what is known before anybody has looked. */
  #kept: Promise<void> | null = null;
  #scan: Promise<void> | null = null;
  #scannedAtMs: number | null = null;
  #timer: Timer | null = null;

  constructor(options: MediaFolderOptions) {
    this.#options = options;
    this.#pace = new Pace(options.clock);
    const { clock, background } = options;
    this.#tags = background
      ? new TagReading({
          ...{ clock, log: background.log, reader: background.reader, cache: background.cache },
          ...{ catalogue: this.catalogue, root: () => this.#root, listed: () => this.#scan },
          onRead: () => background.levels?.read(this),
        })
      : null;
  }

  /** Lists, reads tags and watches from now on. Returns at once. */
  start(): void {
    const { clock, background } = this.#options;
    if (this.#watch !== null || background === undefined || this.#closing.signal.aborted) return;
    this.#watch = new Watch(clock, (changed) => void this.#onChanged(changed));
    void this.#scanAll();
  }

  /** A real path; null as long as there is no such folder. */
  get root(): string | null {
    return this.#root;
  }

  /** It is being listed, or its tags are read. */
  get isBusy(): boolean {
    return this.#scan !== null || this.#tags?.isBusy === true;
  }

  /** Everything was listed since the start, so that what is not in the catalogue is not there. */
  get isListed(): boolean {
    return this.#scannedAtMs !== null;
  }

  /** Resolves when what the last run knew is in the catalogue, whatever became of it since: soon, and long before `current`. */
  async known(): Promise<void> {
    if (this.isListed || this.#options.background === undefined) return;
    void this.#scanAll();
    this.#pace.hurry();
    await this.#kept;
  }

  /** Resolves when the catalogue is as the folder is, or as near to it as one who asks can wait for. */
  async current(): Promise<void> {
    const { clock } = this.#options;
    const nowMs = clock.now();
    const first = this.#scannedAtMs === null;
    const isWatched = this.#watch?.complete === true && this.#root !== null;
    const isFresh = this.#scannedAtMs !== null && (isWatched || nowMs - this.#scannedAtMs < REFRESH_MS);
    if (isFresh) return;
    const scan = this.#scanAll();
    this.#pace.hurry();
    const enough = new AbortController();
    const waited = sleep(clock, first ? FIRST_MS : NEWS_MS, enough.signal).catch(() => undefined);
    await Promise.race([scan, waited]);
    enough.abort();
  }

  /** Paths of the playlists in it. */
  *playlists(): Generator<string> {
    for (const [folder, { names }] of this.#playlists) for (const name of names) yield join(folder, name);
  }

  /** Resolves when everything that is under way has ended: all listed, all tags read. */
  async settled(): Promise<void> {
    await this.#scan;
    await this.#tags?.settled();
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#watch?.close();
    this.#options.background?.levels?.close();
    this.#tags?.close();
    this.#options.background?.cache.close();
  }

  /** One look at everything at a time. Never rejects. */
  #scanAll(): Promise<void> {
    this.#scan ??= this.#look(async (pace) => {
      await (this.#kept ??= this.#restore(pace));
      this.#root = await realFolder(this.#options.root);
      const seen = new Set<string>();
      this.#looks++;
      if (this.#root === null) this.#forgetFolder("");
      else await this.#walk(this.#root, "", pace, seen);
      if (this.#closing.signal.aborted) return;
      for (const { path } of [...this.catalogue.entries()]) if (!seen.has(path)) this.#forget(path);
      for (const [folder, { look }] of [...this.#playlists])
        if (look !== this.#looks) this.#playlists.delete(folder);
      this.#scannedAtMs = this.#options.clock.now();
      // With the folder gone (a disk that is not mounted) what was read of it is still worth keeping.
      if (seen.size > 0) this.#options.background?.cache.keepOnly((path) => seen.has(path));
    });
    return this.#scan;
  }

  async #restore(pace: Pace): Promise<void> {
    const cache = this.#options.background?.cache;
    let last = "";
    for (;;) {
      const entries = cache?.after(last, BATCH) ?? [];
      for (const entry of entries) {
        if (this.catalogue.size < MAX_FILES) this.catalogue.put(entry);
        await pace.rest(this.#closing.signal);
      }
      last = entries.at(-1)?.path ?? "";
      if (last === "") return;
    }
  }

  async #onChanged(changed: ReadonlySet<string>): Promise<void> {
    await this.#scan;
    if (this.#closing.signal.aborted) return;
    if (changed.size > MANY_FOLDERS || this.#root === null) return this.#scanAll();
    this.#scan = this.#look(async (pace) => {
      this.#root = await realFolder(this.#options.root);
      if (this.#root === null) return this.#forgetFolder("");
      for (const folder of changed) {
        if (this.#closing.signal.aborted) return;
        // The same name may be another folder by now.
        this.#watch?.remove(folder);
        this.#watch?.add(this.#root, folder);
        const listing = await this.#list(this.#root, folder, pace);
        if (listing === null) this.#forgetFolder(folder);
        else await this.#update(this.#root, folder, listing, pace);
      }
    });
    await this.#scan;
  }

  async #look(work: (pace: Pace) => Promise<void>): Promise<void> {
    const { clock, background } = this.#options;
    this.#timer?.cancel();
    this.#pace = new Pace(clock);
    try {
      await work(this.#pace);
    } catch (error) {
      if (!this.#closing.signal.aborted) background?.log.warn("library_failed", { reason: messageOf(error) });
    }
    this.#scan = null;
    if (this.#closing.signal.aborted || this.#watch === null) return;
    const againMs = this.#watch.complete && this.#root !== null ? RESCAN_MS : UNWATCHED_RESCAN_MS;
    this.#timer = clock.timer(againMs, () => void this.#scanAll());
    this.#tags?.start();
  }

  #list(root: string, folder: string, pace: Pace): Promise<Listing | null> {
    const { signal } = this.#closing;
    return listFolder(root, folder, { limit: MAX_FILES, pace, signal });
  }

  async #walk(root: string, from: string, pace: Pace, seen: Set<string> | null): Promise<void> {
    const waiting = [from];
    for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
      if (this.#closing.signal.aborted) return;
      // Watched first: what changes during the listing is looked at again.
      this.#watch?.add(root, folder);
      this.#folders.add(folder);
      const listing = await this.#list(root, folder, pace);
      if (listing === null) {
        this.#forgetFolder(folder);
        continue;
      }
      for (const name of listing.folders) waiting.push(join(folder, name));
      this.#playlists.set(folder, { names: listing.playlists, look: this.#looks });
      for (const [name, stamp] of listing.files) {
        if (seen !== null && seen.size >= MAX_FILES) return;
        const path = join(folder, name);
        this.#see(path, stamp);
        seen?.add(path);
        await pace.rest(this.#closing.signal);
      }
    }
  }

  /** What is in one folder, against what is known of it. */
  async #update(root: string, folder: string, listing: Listing, pace: Pace): Promise<void> {
    const { files, playlists, folders } = listing;
    this.#playlists.set(folder, { names: playlists, look: this.#looks });
    const below = folder === "" ? "" : `${folder}/`;
    const there = new Set(folders);
    for (const { path } of [...this.catalogue.entries()]) {
      if (!path.startsWith(below)) continue;
      const rest = path.slice(below.length);
      if (!rest.includes("/") && !files.has(rest)) this.#forget(path);
    }
    for (const known of [...this.#folders]) {
      if (known === "" || !known.startsWith(below)) continue;
      const rest = known.slice(below.length);
      if (!rest.includes("/") && !there.has(rest)) this.#forgetFolder(known);
    }
    for (const [name, stamp] of files) this.#see(join(folder, name), stamp);
    for (const name of folders)
      if (!this.#folders.has(join(folder, name))) await this.#walk(root, join(folder, name), pace, null);
  }

  #see(path: string, stamp: Stamp): void {
    const known = this.catalogue.get(path);
    if (known?.size === stamp.size && known.mtimeMs === stamp.mtimeMs) return;
    if (!known && this.catalogue.size >= MAX_FILES) return;
    const tags = this.#options.background?.cache.get(path, stamp) ?? null;
    this.catalogue.put({ path, ...stamp, tags });
    if (tags === null) this.#tags?.add(path);
  }

  #forget(path: string): void {
    this.catalogue.remove(path);
    this.#tags?.remove(path);
  }

  #forgetFolder(folder: string): void {
    const below = folder === "" ? "" : `${folder}/`;
    for (const { path } of [...this.catalogue.entries()]) if (path.startsWith(below)) this.#forget(path);
    for (const known of [...this.#folders]) {
      if (known !== folder && !known.startsWith(below)) continue;
      this.#folders.delete(known);
      this.#playlists.delete(known);
      this.#watch?.remove(known);
    }
  }
}

const join = (folder: string, name: string): string => (folder === "" ? name : `${folder}/${name}`);
