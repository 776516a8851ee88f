import type { StatementSync } from "node:sqlite";
import { z } from "zod";
import type { Log } from "../../base/log.ts";
import { MAX_COVER_PX } from "../../media/messages.ts";
import { Throwaway } from "../../store/throwaway.ts";

/** A picture that the homeserver has of us, and its size in pixels. */
export interface Cover {
  readonly mxc: string;
  readonly width: number;
  readonly height: number;
}

/** Raised with how they are made: another file is thrown away. */
const VERSION = 1;
/** 10 MB; the oldest go first. */
const MAX_ROWS = 40_000;

const side = z.number().int().min(1).max(MAX_COVER_PX);
const rowSchema = z.object({
  mxc: z.string().startsWith("mxc://").max(512).nullable(),
  width: side.nullable(),
  height: side.nullable(),
});

const SCHEMA = `DROP TABLE IF EXISTS covers;
  CREATE TABLE covers (at INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, mxc TEXT, width INTEGER,
    height INTEGER) STRICT`;

/** Covers that were uploaded, by what they were found in and by what is in them; what is lost is uploaded again. */
export class CoverStore {
  readonly #kept: Throwaway<{ get: StatementSync; put: StatementSync; forget: StatementSync }>;

  constructor({ path, log }: { path: string; log: Log }) {
    this.#kept = new Throwaway({
      ...{ path, log, version: VERSION, schema: SCHEMA, cacheKib: 64 },
      bounded: { tables: ["covers"], maxRows: MAX_ROWS },
      prepare: (database) => ({
        get: database.prepare("SELECT mxc, width, height FROM covers WHERE key = ?"),
        put: database.prepare("INSERT OR REPLACE INTO covers (key, mxc, width, height) VALUES (?, ?, ?, ?)"),
        forget: database.prepare("DELETE FROM covers WHERE mxc = ?"),
      }),
    });
  }

  /** `none`: there is none in it; null: not known. */
  get(key: string): Cover | "none" | null {
    const row = this.#kept.use(({ get }) => get.get(key));
    const kept = row === undefined ? null : rowSchema.safeParse(row);
    if (!kept?.success) return null;
    const { mxc, width, height } = kept.data;
    return mxc === null || width === null || height === null ? "none" : { mxc, width, height };
  }

  put(key: string, cover: Cover | "none"): void {
    const { mxc, width, height } = cover === "none" ? { mxc: null, width: null, height: null } : cover;
    this.#kept.add(({ put }) => put.run(key, mxc, width, height));
  }

  /** The homeserver does not have it any more. */
  forget(mxc: string): void {
    this.#kept.use(({ forget }) => forget.run(mxc));
  }

  /** Idempotent. */
  close(): void {
    this.#kept.close();
  }
}
