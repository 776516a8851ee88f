import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BotError, messageOf } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { migrate, SCHEMA_VERSION, userVersion } from "./migrations.ts";

// SQLite result codes (sqlite.org/rescode.html): the file itself is bad, as opposed to locked, full or forbidden.
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

export interface OpenedDatabase {
  database: DatabaseSync;
  /** The file that was there was damaged: this is a fresh one. */
  isReplaced: boolean;
}

/**
 * Opens `dataDir`/bot.db, made when it is not there. A damaged file is set aside under a name with the time (nothing in
 * it is worth refusing to start for) and a fresh one is used.
 * @throws BotError `store_too_new` when a later version of the program wrote the file; what it has stays as it is.
 */
export function openDatabase(dataDir: string, clock: Clock, log: Log): OpenedDatabase {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, "bot.db");
  try {
    return { database: openChecked(path), isReplaced: false };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const stamp = new Date(clock.wall()).toISOString().replaceAll(/[:.]/g, "-");
    const aside = `${path}.damaged-${stamp}`;
    for (const suffix of ["", "-wal", "-shm"]) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
    log.error("store_damaged", { file: path, setAside: aside, reason: messageOf(error) });
    return { database: openChecked(path), isReplaced: true };
  }
}

function openChecked(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 2_000, enableForeignKeyConstraints: true });
  try {
    const version = userVersion(database);
    if (version > SCHEMA_VERSION) {
      throw new BotError(
        "store_too_new",
        `${path} was written by a newer version of this program (its version ${version}, ours ${SCHEMA_VERSION}); use that version, or another data directory`,
      );
    }
    const check = database.prepare("PRAGMA quick_check(1)").get();
    if (check?.["quick_check"] !== "ok") throw new DamagedError(String(check?.["quick_check"]));
    // WAL with NORMAL: a kill loses nothing, a power cut at most the last writes; one small page cache.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -256");
    database.exec("PRAGMA wal_autocheckpoint = 200; PRAGMA journal_size_limit = 1048576");
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

class DamagedError extends Error {}

function isDamage(error: unknown): boolean {
  if (error instanceof DamagedError) return true;
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" && ((code & 0xff) === CORRUPT || (code & 0xff) === NOT_A_DATABASE);
}
