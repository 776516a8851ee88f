import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const NAME = "running.lock";
/** SQLite result code (sqlite.org/rescode.html): somebody else has the lock. */
const BUSY = 5;

/**
 * The right to use a data folder, which one process has at a time. It is a lock of the operating system on a file of no
 * content (by SQLite, since Node has none of its own), so that it ends with its process, however that ends.
 */
export class DataLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @returns null when another process has it @throws errors of the file system */
  static take(dataDir: string): DataLock | null {
    const path = join(dataDir, NAME);
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      chmodSync(path, 0o600);
      return new DataLock(database);
    } catch (error) {
      database.close();
      if ((error as { errcode?: unknown }).errcode === BUSY) return null;
      throw error;
    }
  }

  /** Whether some process has it. A folder that nobody ever used is not touched. */
  static isTaken(dataDir: string): boolean {
    if (!existsSync(join(dataDir, NAME))) return false;
    const lock = DataLock.take(dataDir);
    lock?.release();
    return lock === null;
  }

  /** Idempotent. */
  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}
