import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";

export interface ThrowawayOptions<Statements> {
  path: string;
  log: Log;
  /** Raised with what is in the file: another one is thrown away. */
  version: number;
  /** SQL that makes the tables anew, also where others of their names are. */
  schema: string;
  /** Of memory for its pages. */
  cacheKib: number;
  prepare: (database: DatabaseSync) => Statements;
  /** Tables that grow by `add`, each with a column `at` that counts up; the oldest rows beyond `maxRows` go. */
  bounded?: { tables: readonly string[]; maxRows: number };
}

/** Between two looks at how many rows there are. */
const LOOK_EVERY = 1_000;

/**
 * A database of what can be found out again, in a file of its own, which can be deleted at any time. What cannot be kept is
 * logged once and forgotten with the process; nobody else has to care. Opened when it is first used.
 */
export class Throwaway<Statements> {
  readonly #options: ThrowawayOptions<Statements>;
  #opened: { database: DatabaseSync; statements: Statements } | "closed" | null = null;
  #adds = 0;

  constructor(options: ThrowawayOptions<Statements>) {
    this.#options = options;
  }

  /** @returns undefined when it cannot be used, or is closed */
  use<T>(run: (statements: Statements, database: DatabaseSync) => T): T | undefined {
    if (this.#opened === "closed") return undefined;
    try {
      this.#opened ??= this.#openOrReplace();
      return run(this.#opened.statements, this.#opened.database);
    } catch (error) {
      this.#options.log.warn("library_cache_failed", {
        file: this.#options.path,
        reason: messageOf(error),
      });
      try {
        this.close();
      } catch {
        // It is of no use either way.
      }
      this.#opened = "closed";
      return undefined;
    }
  }

  /** As `use`, for what adds a row. */
  add(run: (statements: Statements) => unknown): void {
    const { tables, maxRows } = this.#options.bounded ?? { tables: [], maxRows: 0 };
    this.use((statements, database) => {
      run(statements);
      if (this.#adds++ % LOOK_EVERY !== 0) return;
      for (const table of tables)
        database.prepare(`DELETE FROM ${table} WHERE at <= (SELECT max(at) FROM ${table}) - ?`).run(maxRows);
    });
  }

  /** Idempotent. */
  close(): void {
    if (this.#opened !== null && this.#opened !== "closed") this.#opened.database.close();
    this.#opened = "closed";
  }

  #openOrReplace(): { database: DatabaseSync; statements: Statements } {
    const { path } = this.#options;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      return this.#open();
    } catch {
      for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
      return this.#open();
    }
  }

  #open(): { database: DatabaseSync; statements: Statements } {
    const { path, version, schema, cacheKib, prepare } = this.#options;
    const database = new DatabaseSync(path, { timeout: 1_000 });
    try {
      const found = database.prepare("PRAGMA user_version").get()?.["user_version"];
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -${cacheKib}`);
      if (found !== version) database.exec(`${schema}; PRAGMA user_version = ${version}`);
      return { database, statements: prepare(database) };
    } catch (error) {
      database.close();
      throw error;
    }
  }
}
