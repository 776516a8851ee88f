import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { Log } from "../../base/log.ts";
import type { Measurement } from "../../base/loudness.ts";
import type { Stamp } from "../library/entry.ts";
import { Throwaway } from "../../store/throwaway.ts";

/** What was measured of some content; `lufs` null: it is silence. */
export type Scanned = Pick<Measurement, "lufs" | "truePeakDb">;

/** Raised with how it is measured: another file is thrown away. */
const VERSION = 2;
/** 20 MB; the oldest go first. */
const MAX_ROWS = 200_000;

const rowSchema = z.object({ lufs: z.number().nullable(), true_peak_db: z.number().nullable() });

/** A file during which the bot itself has ended this often is left alone. */
const MAX_TRIES = 2;

const lookedSchema = z.object({ size: z.number(), mtime_ms: z.number(), open: z.number() });

// `at` counts up: what was measured last has the highest.
const SCHEMA = `DROP TABLE IF EXISTS scans;
  CREATE TABLE scans (at INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, lufs REAL, true_peak_db REAL) STRICT;
  DROP TABLE IF EXISTS looked;
  CREATE TABLE looked (at INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,
    mtime_ms INTEGER NOT NULL, open INTEGER NOT NULL) STRICT`;

const statementsOf = (database: DatabaseSync) => ({
  get: database.prepare("SELECT lufs, true_peak_db FROM scans WHERE key = ?"),
  put: database.prepare("INSERT OR REPLACE INTO scans (key, lufs, true_peak_db) VALUES (?, ?, ?)"),
  looked: database.prepare("SELECT size, mtime_ms, open FROM looked WHERE path = ?"),
  look: database.prepare("INSERT OR REPLACE INTO looked (path, size, mtime_ms, open) VALUES (?, ?, ?, ?)"),
});

/** What was measured, by content; what is lost is measured again. */
export class LoudnessStore {
  readonly #kept: Throwaway<ReturnType<typeof statementsOf>>;

  constructor({ path, log, maxRows = MAX_ROWS }: { path: string; log: Log; maxRows?: number }) {
    this.#kept = new Throwaway({
      ...{ path, log, version: VERSION, schema: SCHEMA, cacheKib: 512, prepare: statementsOf },
      bounded: { tables: ["scans", "looked"], maxRows },
    });
  }

  get(key: string): Scanned | null {
    const row = this.#kept.use(({ get }) => get.get(key));
    const kept = row === undefined ? null : rowSchema.safeParse(row);
    return kept?.success ? { lufs: kept.data.lufs, truePeakDb: kept.data.true_peak_db } : null;
  }

  put(key: string, { lufs, truePeakDb }: Scanned): void {
    this.#kept.add(({ put }) => put.run(key, lufs, truePeakDb));
  }

  /** Whether nothing is left to find out of a file of the media folder as it is now; `path` below that folder. */
  hasLooked(path: string, stamp: Stamp): boolean {
    const row = this.#lookedAt(path, stamp);
    return row !== null && (row.open === 0 || row.open >= MAX_TRIES);
  }

  /** Somebody looks now: what ends the bot meanwhile is not looked at for ever. */
  begin(path: string, stamp: Stamp): void {
    this.#look(path, stamp, (this.#lookedAt(path, stamp)?.open ?? 0) + 1);
  }

  /** Nobody came to an end with it: as if nobody had begun. */
  giveUp(path: string, stamp: Stamp): void {
    this.#look(path, { ...stamp, size: -1 }, 1);
  }

  /** All is known, or will never be. */
  looked(path: string, stamp: Stamp): void {
    this.#look(path, stamp, 0);
  }

  #lookedAt(path: string, { size, mtimeMs }: Stamp): { open: number } | null {
    const row = this.#kept.use(({ looked }) => looked.get(path));
    const kept = row === undefined ? null : lookedSchema.safeParse(row);
    return kept?.success && kept.data.size === size && kept.data.mtime_ms === mtimeMs ? kept.data : null;
  }

  #look(path: string, { size, mtimeMs }: Stamp, open: number): void {
    this.#kept.add(({ look }) => look.run(path, size, mtimeMs, open));
  }

  /** Idempotent. */
  close(): void {
    this.#kept.close();
  }
}
