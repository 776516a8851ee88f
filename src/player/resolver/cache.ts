import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, statfs, utimes } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";

/** Writes a file to `path` (which is not there yet), at most `maxBytes` of it; `signal` ends it. @throws BotError */
export type Bring = (options: { path: string; maxBytes: number; signal: AbortSignal }) => Promise<unknown>;

export interface FileCacheOptions {
  /** Made when missing; nothing else lives in it. */
  directory: string;
  /** What one file may have. */
  maxFileBytes: number;
  /** What all may have together; the least recently used go first. */
  maxBytes: number;
  clock: Clock;
  /** Of the disk that `directory` is on, in bytes. */
  freeBytes?: (directory: string) => Promise<number>;
}

/** What stays free on the disk: recordings need it more. */
const DISK_FLOOR_BYTES = 500e6;
/** What is not whole yet ends like this. */
const PART = ".part";

interface UnderWay {
  readonly work: Promise<string>;
  readonly ending: AbortController;
  waiting: number;
}

/**
 * Files from elsewhere on disk: uploads of the room, audio of the network. They are named by a hash: nothing of a name on
 * disk comes from people.
 */
export class FileCache {
  readonly #options: FileCacheOptions;
  readonly #underWay = new Map<string, UnderWay>();
  #cleared: Promise<void> | null = null;

  constructor(options: FileCacheOptions) {
    this.#options = options;
  }

  get maxFileBytes(): number {
    return this.#options.maxFileBytes;
  }

  /**
   * The local file of what `key` names; brought when it is not there. Those who ask at once share one download, which ends
   * when none of them waits any more. @throws BotError what `bring` throws, `media_too_large`, `cancelled`
   */
  async file(key: string, bring: Bring, signal: AbortSignal): Promise<string> {
    const name = nameOf(key);
    let current = this.#underWay.get(name);
    if (!current) {
      const ending = new AbortController();
      const work = this.#fileOnce(name, bring, ending.signal).finally(() => this.#underWay.delete(name));
      current = { work, ending, waiting: 0 };
      this.#underWay.set(name, current);
    }
    const wasEnding = current.ending.signal.aborted;
    try {
      return await waitFor(current, signal);
    } catch (error) {
      // It was given up by those before, and we came while it ended.
      if (wasEnding && !signal.aborted && isCancelled(error)) return this.file(key, bring, signal);
      throw error;
    }
  }

  /** Removes what a run before this one had begun to bring when it was killed; done anyway before anything is brought. Never rejects. */
  clear(): Promise<void> {
    this.#cleared ??= removeParts(this.#options.directory);
    return this.#cleared;
  }

  /** Whether the file is there already. */
  has(key: string): Promise<boolean> {
    return exists(join(this.#options.directory, nameOf(key)));
  }

  async #fileOnce(name: string, bring: Bring, signal: AbortSignal): Promise<string> {
    const { directory, maxFileBytes, clock, freeBytes = freeOf } = this.#options;
    await this.clear();
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, name);
    if (await exists(path)) {
      const now = clock.wall() / 1000;
      await utimes(path, now, now);
      return path;
    }
    const part = `${path}${PART}`;
    await rm(part, { force: true });
    const room = (await freeBytes(directory)) - DISK_FLOOR_BYTES;
    if (room <= 0) throw new BotError("disk_full", "no room for files", { say: { key: "fetch.disk_full" } });
    try {
      await bring({ path: part, maxBytes: Math.min(maxFileBytes, room), signal });
      // The claim of the event and the promise of the port are not the file.
      const { size } = await stat(part);
      if (size > maxFileBytes) throw tooLarge(size, maxFileBytes);
      await rename(part, path);
    } finally {
      await rm(part, { force: true });
    }
    await this.#evict(name);
    return path;
  }

  async #evict(keep: string): Promise<void> {
    const { directory, maxBytes } = this.#options;
    const files: { name: string; size: number; used: number }[] = [];
    for (const name of await readdir(directory)) {
      const info = await stat(join(directory, name)).catch(() => null);
      if (info?.isFile()) files.push({ name, size: info.size, used: info.mtimeMs });
    }
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { name, size } of files.sort((a, b) => a.used - b.used)) {
      if (total <= maxBytes) return;
      if (name === keep || this.#underWay.has(basename(name, PART))) continue;
      // Whoever plays it has it open; whoever has it queued fetches it again.
      await rm(join(directory, name), { force: true });
      total -= size;
    }
  }
}

/** Brings what `mxc` names, see `Bring`. @throws BotError `media_too_large`, `not_found`, `homeserver` */
export type FetchUpload = (mxc: string, options: Parameters<Bring>[0]) => Promise<unknown>;

/** Downloaded uploads. */
export class UploadCache {
  readonly #files: FileCache;
  readonly #fetchUpload: FetchUpload;

  constructor(options: { files: FileCache; fetchUpload: FetchUpload }) {
    this.#files = options.files;
    this.#fetchUpload = options.fetchUpload;
  }

  get maxFileBytes(): number {
    return this.#files.maxFileBytes;
  }

  /** The local file of an upload; fetched when it is not there. */
  file(mxc: string, signal: AbortSignal): Promise<string> {
    return this.#files.file(mxc, (options) => this.#fetchUpload(mxc, options), signal);
  }
}

/** The refusal of an upload of `size` bytes. */
export function tooLarge(size: number, maxBytes: number): BotError {
  const megabytes = (bytes: number): number => Math.max(1, Math.round(bytes / 1e6));
  return new BotError("media_too_large", `${size} bytes, ${maxBytes} allowed`, {
    say: { key: "play.too_large", params: { size: megabytes(size), limit: megabytes(maxBytes) } },
  });
}

/** As its work, until `signal` aborts; the last who leaves ends the work. */
async function waitFor(current: UnderWay, signal: AbortSignal): Promise<string> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new BotError("cancelled", "cancelled"));
  current.waiting++;
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([current.work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    promise.catch(() => undefined);
    if (--current.waiting === 0) current.ending.abort();
  }
}

const isCancelled = (error: unknown): boolean => error instanceof BotError && error.code === "cancelled";

const nameOf = (key: string): string => createHash("sha256").update(key).digest("hex");

async function removeParts(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const parts = names.filter((name) => name.endsWith(PART));
  await Promise.all(parts.map((name) => rm(join(directory, name), { force: true }).catch(() => undefined)));
}

async function freeOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
