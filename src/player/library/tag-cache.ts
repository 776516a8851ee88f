import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { z } from "zod";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Entry, Stamp, Tags } from "./entry.ts";

/** Raised with what is in the file: another one is thrown away. */
const VERSION = 1;

const rowSchema = z.object({
  size: z.number(),
  mtime_ms: z.number(),
  title: z.string().nullable(),
  artist: z.string().nullable(),
  album: z.string().nullable(),
  duration_ms: z.number().nullable(),
});

const entrySchema = rowSchema.extend({ path: z.string() });

interface Opened {
  database: DatabaseSync;
  get: StatementSync;
  after: StatementSync;
  put: StatementSync;
}

/**
 * Tags that were read, by path, size and time, in a file of their own: it can be deleted at any time, and then all are
 * read again. What cannot be kept is logged once and read again at the next start; nobody else has to care.
 */
export class TagCache {
  readonly #path: string;
  readonly #log: Log;
  #opened: Opened | "closed" | null = null;

  constructor({ path, log }: { path: string; log: Log }) {
    this.#path = path;
    this.#log = log;
  }

  get(path: string, { size, mtimeMs }: Stamp): Tags | null {
    const row = this.#with(({ get }) => get.get(path));
    const kept = row === undefined ? null : rowSchema.safeParse(row);
    if (!kept?.success || kept.data.size !== size || kept.data.mtime_ms !== mtimeMs) return null;
    return tagsOf(kept.data);
  }

  /** What is kept, in the order of paths: at most `limit` of those behind `path`. Empty: there is no more. */
  after(path: string, limit: number): Entry[] {
    const rows = this.#with(({ after }) => after.all(path, limit)) ?? [];
    return rows.flatMap((row) => {
      const kept = entrySchema.safeParse(row);
      if (!kept.success) return [];
      const { size, mtime_ms: mtimeMs } = kept.data;
      return [{ path: kept.data.path, size, mtimeMs, tags: tagsOf(kept.data) }];
    });
  }

  put(files: readonly (Stamp & { path: string; tags: Tags })[]): void {
    this.#with(({ database, put }) => {
      database.exec("BEGIN");
      for (const { path, size, mtimeMs, tags } of files)
        put.run(path, size, mtimeMs, tags.title, tags.artist, tags.album, tags.durationMs);
      database.exec("COMMIT");
    });
  }

  /** Forgets files that are not there any more. */
  keepOnly(isThere: (path: string) => boolean): void {
    this.#with(({ database }) => {
      const gone: string[] = [];
      for (const { path } of database.prepare("SELECT path FROM files").iterate())
        if (!isThere(String(path))) gone.push(String(path));
      const remove = database.prepare("DELETE FROM files WHERE path = ?");
      database.exec("BEGIN");
      for (const path of gone) remove.run(path);
      database.exec("COMMIT");
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

const tagsOf = ({ title, artist, album, duration_ms: durationMs }: z.infer<typeof rowSchema>): Tags => ({
  ...{ title, artist, album, durationMs },
});

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
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -1024");
    if (version !== VERSION) {
      database.exec(`DROP TABLE IF EXISTS files;
        CREATE TABLE files (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ms INTEGER NOT NULL,
          title TEXT, artist TEXT, album TEXT, duration_ms INTEGER) STRICT, WITHOUT ROWID;
        PRAGMA user_version = ${VERSION}`);
    }
    const get = database.prepare(
      "SELECT size, mtime_ms, title, artist, album, duration_ms FROM files WHERE path = ?",
    );
    const after = database.prepare("SELECT * FROM files WHERE path > ? ORDER BY path LIMIT ?");
    const put = database.prepare("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)");
    return { database, get, after, put };
  } catch (error) {
    database.close();
    throw error;
  }
}
