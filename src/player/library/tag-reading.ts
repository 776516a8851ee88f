import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Catalogue } from "./catalogue.ts";
import type { TagCache } from "./tag-cache.ts";
import type { TagReader } from "./tag-reader.ts";

export interface TagReadingDeps {
  catalogue: Catalogue;
  reader: TagReader;
  cache: Pick<TagCache, "put">;
  /** Of the media folder; null: there is none now. */
  root: () => string | null;
  /** A look at the folder that is under way. */
  listed: () => Promise<void> | null;
  /** All tags are read: for the first time, or of what is new. */
  onRead: () => void;
  clock: Clock;
  log: Log;
}

/** So many are asked of the reader, and written down, at once. */
const BATCH = 50;

/** Has the tags read of files that are in the catalogue without, in the background, until none is left. */
export class TagReading {
  readonly #deps: TagReadingDeps;
  readonly #untagged = new Set<string>();
  #reading: Promise<void> | null = null;
  /** All were read once since the start. */
  #isRead = false;
  #closed = false;

  constructor(deps: TagReadingDeps) {
    this.#deps = deps;
  }

  get isBusy(): boolean {
    return this.#reading !== null;
  }

  /** It is in the catalogue, and is new or was written to. */
  add(path: string): void {
    this.#untagged.add(path);
  }

  /** It is not in the catalogue any more. */
  remove(path: string): void {
    this.#untagged.delete(path);
  }

  /** Reads what was added, unless it does so already. */
  start(): void {
    if (!this.#closed) this.#reading ??= this.#read();
  }

  /** Resolves when nothing is read any more. Never rejects. */
  async settled(): Promise<void> {
    await this.#reading;
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#deps.reader.close();
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    const { reader, root, clock, log, catalogue, onRead } = this.#deps;
    const beganMs = clock.now();
    let read = 0;
    try {
      while (root() !== null && this.#untagged.size > 0 && !this.#closed) read += await this.#readSome();
    } catch (error) {
      if (!this.#closed) log.warn("library_failed", { reason: messageOf(error) });
    }
    reader.rest();
    this.#reading = null;
    if (this.#closed) return;
    if ((read > 0 || !this.#isRead) && root() !== null) {
      this.#isRead = true;
      onRead();
    }
    if (read === 0) return;
    log.info("library_indexed", { files: catalogue.size, read, ms: Math.round(clock.now() - beganMs) });
  }

  /** @returns how many were asked for */
  async #readSome(): Promise<number> {
    const { reader, root, catalogue, cache, listed } = this.#deps;
    // One at a time, or each takes its share of a core.
    const listing = listed();
    if (listing !== null) await listing;
    const from = root();
    if (from === null) return 0;
    const paths: string[] = [];
    for (const path of this.#untagged) if (paths.push(path) >= BATCH) break;
    const asked = paths.map((path) => catalogue.get(path));
    const answers = await reader.read(from, paths);
    const files = [];
    for (const [i, path] of paths.entries()) {
      const [was, now, tags] = [asked[i], catalogue.get(path), answers[i]];
      // Written to meanwhile: it is read once more.
      if (now !== was && now !== null) continue;
      this.#untagged.delete(path);
      if (!now || !tags) continue;
      files.push({ ...now, tags });
      catalogue.put({ ...now, tags });
    }
    cache.put(files);
    return paths.length;
  }
}
