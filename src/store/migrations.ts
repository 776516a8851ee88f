import type { DatabaseSync } from "node:sqlite";

/**
 * Each entry brings the file from version i to i + 1 inside one transaction; the version is SQLite's user_version.
 * Never change an entry that was released: add one.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE rooms (
    room_id TEXT NOT NULL,
    name TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (room_id, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE recordings (
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    state TEXT NOT NULL,
    started_wall_ms INTEGER NOT NULL,
    duration_ms INTEGER,
    tracks INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX recordings_by_room ON recordings (room_id, started_wall_ms);
  `,
  `
  ALTER TABLE recordings ADD COLUMN number INTEGER;
  ALTER TABLE recordings ADD COLUMN title TEXT;
  ALTER TABLE recordings ADD COLUMN by_user_id TEXT;
  ALTER TABLE recordings ADD COLUMN bytes INTEGER;
  ALTER TABLE recordings ADD COLUMN ended_wall_ms INTEGER;
  ALTER TABLE recordings ADD COLUMN keep INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE recordings ADD COLUMN delete_wall_ms INTEGER;
  `,
  // Tracks in queues and lists may come from addresses: who does not know that would take them for damaged.
  "SELECT 1",
];

/** What a file of this version answers, whatever is in it. */
export const PROBES: readonly string[] = [
  "SELECT room_id, name, json FROM rooms LIMIT 1",
  `SELECT id, room_id, state, started_wall_ms, duration_ms, tracks, number, title, by_user_id, bytes, ended_wall_ms, keep,
    delete_wall_ms FROM recordings LIMIT 1`,
];

/** The version that this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

export function userVersion(database: DatabaseSync): number {
  const row = database.prepare("PRAGMA user_version").get();
  return Number(row?.["user_version"] ?? 0);
}

/** Brings an older file up to date; each step commits whole or not at all. */
export function migrate(database: DatabaseSync): void {
  for (let version = userVersion(database); version < SCHEMA_VERSION; version++) {
    database.exec("BEGIN IMMEDIATE");
    try {
      database.exec(MIGRATIONS[version] ?? "");
      database.exec(`PRAGMA user_version = ${version + 1}`);
      database.exec("COMMIT");
    } catch (error) {
      rollBack(database);
      throw error;
    }
  }
}

/** What the disk does not take, SQLite has rolled back already (sqlite.org/lang_transaction.html, section 3). */
export function rollBack(database: DatabaseSync): void {
  if (database.isTransaction) database.exec("ROLLBACK");
}
