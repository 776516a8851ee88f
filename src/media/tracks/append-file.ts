import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { SerialQueue } from "../../base/async.ts";
import { encodeFileHeader } from "./framing.ts";
import type { FileKind } from "./framing.ts";

const INITIAL_BYTES = 8 * 1024;

/**
 * A file of records that only grows. `append` is synchronous and copies into a bounded buffer; `flush` writes it and
 * waits for the disk. After a write has failed the file takes nothing any more.
 */
export class AppendFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #limit: number;
  readonly #writes = new SerialQueue();
  #buffer = new Uint8Array(INITIAL_BYTES);
  #spare: Uint8Array<ArrayBuffer> | null = null;
  #used = 0;
  #failed: unknown = null;
  #closed = false;

  private constructor(path: string, handle: FileHandle, limit: number) {
    this.path = path;
    this.#handle = handle;
    this.#limit = limit;
  }

  /** Creates the file, which must not exist, and buffers its header. `limit` bounds what waits for the disk, in bytes. */
  static async create(path: string, kind: FileKind, limit = 1024 * 1024): Promise<AppendFile> {
    const file = new AppendFile(path, await open(path, "ax", 0o640), limit);
    file.append(encodeFileHeader(kind));
    return file;
  }

  /**
   * Opens an existing file to go on behind its first `validBytes` bytes (what a reader believed); a torn tail behind
   * them is cut off.
   */
  static async reopen(path: string, validBytes: number, limit = 1024 * 1024): Promise<AppendFile> {
    const handle = await open(path, "a", 0o640);
    await handle.truncate(validBytes);
    return new AppendFile(path, handle, limit);
  }

  /** False when the record does not fit (the disk is too slow) or the file has failed or is closed: it is lost. */
  append(record: Uint8Array): boolean {
    const needed = this.#used + record.length;
    if (this.#closed || this.#failed !== null || needed > this.#limit) return false;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#limit, Math.max(needed, this.#buffer.length * 2)));
      larger.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = larger;
    }
    this.#buffer.set(record, this.#used);
    this.#used = needed;
    return true;
  }

  /** Writes what is buffered and waits until the disk has it (fdatasync). @throws what the system said, once and ever after. */
  flush(): Promise<void> {
    return this.#writes.run(async () => {
      if (this.#failed !== null) throw this.#failed;
      if (this.#used === 0) return;
      const full = this.#buffer.subarray(0, this.#used);
      const spare = this.#buffer;
      this.#buffer = this.#spare ?? new Uint8Array(INITIAL_BYTES);
      this.#used = 0;
      this.#spare = null;
      try {
        let written = 0;
        while (written < full.length)
          written += (await this.#handle.write(full, written, full.length - written)).bytesWritten;
        await this.#handle.datasync();
      } catch (error) {
        this.#failed = error;
        throw error;
      }
      this.#spare = spare;
    });
  }

  /**
   * Forgets what is buffered and takes the file out of its directory, both before anything is waited for; then closes it.
   * What is being written meanwhile goes with the file. @throws when it could not be deleted.
   */
  async discard(): Promise<void> {
    this.#used = 0;
    const removed = rm(this.path, { force: true });
    if (!this.#closed) {
      this.#closed = true;
      await this.#writes.run(() => this.#handle.close());
    }
    await removed;
  }

  /** Flushes and closes. Idempotent. @throws when the last bytes could not be written; it is closed all the same. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      await this.#writes.run(() => this.#handle.close());
      // Closed files may be many, and are kept to be found again.
      this.#buffer = this.#buffer.subarray(0, 0).slice();
      this.#spare = null;
    }
  }
}
