import type { StatementSync } from "node:sqlite";
import { z } from "zod";
import type { Log } from "../../base/log.ts";
import { Throwaway } from "../../store/throwaway.ts";

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

// `at` counts up: what was measured last has the highest.
const SCHEMA = `DROP TABLE IF EXISTS scans;
  CREATE TABLE scans (at INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, lufs REAL, true_peak_db REAL) STRICT`;

/** What was measured, by content; what is lost is measured again. */
export class LoudnessStore {
  readonly #kept: Throwaway<{ get: StatementSync; put: StatementSync }>;
  readonly #maxRows: number;
  #puts = 0;

  constructor({ path, log, maxRows = MAX_ROWS }: { path: string; log: Log; maxRows?: number }) {
    this.#maxRows = maxRows;
    this.#kept = new Throwaway({
      ...{ path, log, version: VERSION, schema: SCHEMA, cacheKib: 512 },
      prepare: (database) => ({
        get: database.prepare("SELECT lufs, true_peak_db FROM scans WHERE key = ?"),
        put: database.prepare("INSERT OR REPLACE INTO scans (key, lufs, true_peak_db) VALUES (?, ?, ?)"),
      }),
    });
  }

  get(key: string): Scanned | null {
    const row = this.#kept.use(({ get }) => get.get(key));
    const kept = row === undefined ? null : rowSchema.safeParse(row);
    return kept?.success ? { lufs: kept.data.lufs, truePeakDb: kept.data.true_peak_db } : null;
  }

  put(key: string, { lufs, truePeakDb }: Scanned): void {
    this.#kept.use(({ put }, database) => {
      put.run(key, lufs, truePeakDb);
      if (this.#puts++ % LOOK_EVERY !== 0) return;
      database.prepare("DELETE FROM scans WHERE at <= (SELECT max(at) FROM scans) - ?").run(this.#maxRows);
    });
  }

  /** Idempotent. */
  close(): void {
    this.#kept.close();
  }
}
