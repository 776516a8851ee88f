import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";

/**
 * Writes what `mxc` names to the file `path` (which is not there yet), at most `maxBytes` of it; `signal` ends it.
 * @throws BotError `media_too_large`, `not_found`, `homeserver`
 */
export type FetchUpload = (
  mxc: string,
  options: { path: string; maxBytes: number; signal: AbortSignal },
) => Promise<unknown>;

export interface UploadCacheOptions {
  /** Made when missing; nothing else lives in it. */
  directory: string;
  /** What one file may have. */
  maxFileBytes: number;
  /** What all may have together; the least recently used go first. */
  maxBytes: number;
  fetchUpload: FetchUpload;
  clock: Clock;
}

/** Downloaded uploads on disk, named by a hash: nothing of a name on disk comes from an uploader. */
export class UploadCache {
  readonly #options: UploadCacheOptions;
  readonly #underWay = new Map<string, Promise<string>>();

  constructor(options: UploadCacheOptions) {
    this.#options = options;
  }

  /** The local file of an upload; fetched when it is not there. Two who ask at once share one download. */
  async file(mxc: string, signal: AbortSignal): Promise<string> {
    const name = createHash("sha256").update(mxc).digest("hex");
    let work = this.#underWay.get(name);
    if (!work) {
      work = this.#fileOnce(mxc, name, signal).finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, work);
    }
    return work;
  }

  async #fileOnce(mxc: string, name: string, signal: AbortSignal): Promise<string> {
    const { directory, maxFileBytes, fetchUpload, clock } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, name);
    if (await exists(path)) {
      const now = clock.wall() / 1000;
      await utimes(path, now, now);
      return path;
    }
    const part = `${path}.part`;
    await rm(part, { force: true });
    try {
      await fetchUpload(mxc, { path: part, maxBytes: maxFileBytes, signal });
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
      if (name === keep || this.#underWay.has(name.replace(/\.part$/, ""))) continue;
      // Whoever plays it has it open; whoever has it queued fetches it again.
      await rm(join(directory, name), { force: true });
      total -= size;
    }
  }
}

/** The refusal of an upload of `size` bytes. */
export function tooLarge(size: number, maxBytes: number): BotError {
  const megabytes = (bytes: number): number => Math.max(1, Math.round(bytes / 1e6));
  return new BotError("media_too_large", `${size} bytes, ${maxBytes} allowed`, {
    say: { key: "play.too_large", params: { size: megabytes(size), limit: megabytes(maxBytes) } },
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
