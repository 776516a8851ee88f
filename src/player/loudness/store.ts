import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { z } from "zod";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";

/** What was measured of some content; `lufs` null: it is silence. */
export interface Scanned {
  readonly lufs: number | null;
  readonly truePeakDb: number | null;
}

/** Raised with how it is measured: another file is thrown away. */
const VERSION = 1;
/** 20 MB; the oldest go first. */
const MAX_ROWS = 200_000;
/** Between two looks at how many there are. */
const LOOK_EVERY = 1_000;

const rowSchema = z.object({ lufs: z.number().nullable(), true_peak_db: z.number().nullable() });

interface Opened {
  database: DatabaseSync;
  get: StatementSync;
  put: StatementSync;
}

/**
 * What was measured, by content, in a file of its own: it can be deleted at any time, and then it is measured again. What
 * cannot be kept is logged once and forgotten with the process; nobody else has to care.
 */
export class LoudnessStore {
  readonly #path: string;
  readonly #log: Log;
  readonly #maxRows: number;
  #opened: Opened | "closed" | null = null;
  #puts = 0;

  constructor({ path, log, maxRows = MAX_ROWS }: { path: string; log: Log; maxRows?: number }) {
    this.#path = path;
    this.#log = log;
    this.#maxRows = maxRows;
  }

  get(key: string): Scanned | null {
    const row = this.#with(({ get }) => get.get(key));
    const kept = row === undefined ? null : rowSchema.safeParse(row);
    return kept?.success ? { lufs: kept.data.lufs, truePeakDb: kept.data.true_peak_db } : null;
  }

  put(key: string, { lufs, truePeakDb }: Scanned): void {
    this.#with(({ database, put }) => {
      put.run(key, lufs, truePeakDb);
      if (this.#puts++ % LOOK_EVERY !== 0) return;
      database.prepare("DELETE FROM scans WHERE at <= (SELECT max(at) FROM scans) - ?").run(this.#maxRows);
    });
  }

  /** Idempotent. */
  close(): void {
    if (this.#opened !== null && this.#opened !== "closed") this.#opened.database.close();
    this.#opened = "closed";
  }

  #with<T>(use: (opened: Opened) => T): T | undefined {
    if (this.#opened === "closed") return undefined;
    try {
      this.#opened ??= openOrReplace(this.#path);
      return use(this.#opened);
    } catch (error) {
      this.#log.warn("library_cache_failed", { file: this.#path, reason: messageOf(error) });
      try {
        this.close();
      } catch {
        // It is of no use either way.
      }
      this.#opened = "closed";
      return undefined;
    }
  }
}

function openOrReplace(path: string): Opened {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return open(path);
  } catch {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
    return open(path);
  }
}

function open(path: string): Opened {
  const database = new DatabaseSync(path, { timeout: 1_000 });
  try {
    const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -512");
    if (version !== VERSION) {
      // `at` counts up: what was measured last has the highest.
      database.exec(`DROP TABLE IF EXISTS scans;
        CREATE TABLE scans (at INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, lufs REAL, true_peak_db REAL) STRICT;
        PRAGMA user_version = ${VERSION}`);
    }
    const get = database.prepare("SELECT lufs, true_peak_db FROM scans WHERE key = ?");
    const put = database.prepare("INSERT OR REPLACE INTO scans (key, lufs, true_peak_db) VALUES (?, ?, ?)");
    return { database, get, put };
  } catch (error) {
    database.close();
    throw error;
  }
}
