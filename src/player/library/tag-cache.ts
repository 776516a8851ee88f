import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { Log } from "../../base/log.ts";
import { Throwaway } from "../../store/throwaway.ts";
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

const SCHEMA = `DROP TABLE IF EXISTS files;
  CREATE TABLE files (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ms INTEGER NOT NULL,
    title TEXT, artist TEXT, album TEXT, duration_ms INTEGER) STRICT, WITHOUT ROWID`;

const statementsOf = (database: DatabaseSync) => ({
  get: database.prepare("SELECT size, mtime_ms, title, artist, album, duration_ms FROM files WHERE path = ?"),
  after: database.prepare("SELECT * FROM files WHERE path > ? ORDER BY path LIMIT ?"),
  put: database.prepare("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)"),
});

/** Tags that were read, by path, size and time; what is lost is read again. */
export class TagCache {
  readonly #kept: Throwaway<ReturnType<typeof statementsOf>>;

  constructor({ path, log }: { path: string; log: Log }) {
    this.#kept = new Throwaway({
      ...{ path, log, version: VERSION, schema: SCHEMA, cacheKib: 1024, prepare: statementsOf },
    });
  }

  get(path: string, { size, mtimeMs }: Stamp): Tags | null {
    const row = this.#kept.use(({ get }) => get.get(path));
    const kept = row === undefined ? null : rowSchema.safeParse(row);
    if (!kept?.success || kept.data.size !== size || kept.data.mtime_ms !== mtimeMs) return null;
    return tagsOf(kept.data);
  }

  /** What is kept, in the order of paths: at most `limit` of those behind `path`. Empty: there is no more. */
  after(path: string, limit: number): Entry[] {
    const rows = this.#kept.use(({ after }) => after.all(path, limit)) ?? [];
    return rows.flatMap((row) => {
      const kept = entrySchema.safeParse(row);
      if (!kept.success) return [];
      const { size, mtime_ms: mtimeMs } = kept.data;
      return [{ path: kept.data.path, size, mtimeMs, tags: tagsOf(kept.data) }];
    });
  }

  put(files: readonly (Stamp & { path: string; tags: Tags })[]): void {
    this.#kept.use(({ put }, database) => {
      database.exec("BEGIN");
      for (const { path, size, mtimeMs, tags } of files)
        put.run(path, size, mtimeMs, tags.title, tags.artist, tags.album, tags.durationMs);
      database.exec("COMMIT");
    });
  }

  /** Forgets files that are not there any more. */
  keepOnly(isThere: (path: string) => boolean): void {
    this.#kept.use((_, database) => {
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
    this.#kept.close();
  }
}

const tagsOf = ({ title, artist, album, duration_ms: durationMs }: z.infer<typeof rowSchema>): Tags => ({
  ...{ title, artist, album, durationMs },
});
