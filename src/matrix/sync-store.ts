import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";

const storedSchema = z.object({
  version: z.literal(1),
  homeserverUrl: z.string(),
  userId: z.string(),
  nextBatch: z.string().min(1),
});

/** Where the sync stands, in `dataDir/sync.json` (mode 600). A kill at any instant leaves the old or the new position. */
export class SyncStore {
  readonly #path: string;
  readonly #identity: { homeserverUrl: string; userId: string };
  readonly #log: Log;
  #writing: Promise<void> | null = null;
  #next: string | null = null;
  #written: string | null = null;

  constructor(dataDir: string, identity: { homeserverUrl: string; userId: string }, log: Log) {
    this.#path = join(dataDir, "sync.json");
    this.#identity = identity;
    this.#log = log;
  }

  /** The stored position; null when there is none, when it is damaged, or another account's. */
  async read(): Promise<string | null> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
    try {
      const stored = storedSchema.parse(JSON.parse(text));
      const { homeserverUrl, userId } = this.#identity;
      if (stored.homeserverUrl !== homeserverUrl || stored.userId !== userId) return null;
      this.#written = stored.nextBatch;
      return stored.nextBatch;
    } catch (error) {
      this.#log.warn("store_damaged", { file: "sync.json", reason: messageOf(error) });
      return null;
    }
  }

  /** Stores a position. While one is being written, only the newest of the following is kept. Failures are logged. */
  async write(nextBatch: string): Promise<void> {
    this.#next = nextBatch;
    this.#writing ??= this.#writeAll();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#next !== null && this.#next !== this.#written) {
        const nextBatch = this.#next;
        const text = JSON.stringify({ version: 1, ...this.#identity, nextBatch });
        const part = `${this.#path}.part`;
        await writeFile(part, text, { mode: 0o600 });
        await rename(part, this.#path);
        this.#written = nextBatch;
      }
    } catch (error) {
      this.#log.error("store_damaged", { file: "sync.json", error });
    } finally {
      this.#writing = null;
    }
  }
}

/** Makes the data folder for our eyes only. @throws the error of the file system */
export async function makeDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
}
