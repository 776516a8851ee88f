import { accessSync, constants, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BotError, messageOf } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { migrate, PROBES, SCHEMA_VERSION, userVersion } from "./migrations.ts";

// SQLite result codes (sqlite.org/rescode.html): the file itself is bad, as opposed to locked, full or forbidden.
const CORRUPT = 11;
const NOT_A_DATABASE = 26;
/** A statement does not fit the tables. All that are used here are constant, so it is the tables that are not ours. */
const ERROR = 1;
/** By the file's permissions, or by a header that asks for a later SQLite to write it. */
const READ_ONLY = 8;
const SMALLEST_PAGE = 512;

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
    if (!isDamage(error, path)) throw withFile(error, path);
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
  if (isCutOff(path)) throw new DamagedError("it is cut off");
  const database = new DatabaseSync(path, { timeout: 2_000, enableForeignKeyConstraints: true });
  try {
    const version = userVersion(database);
    if (version > SCHEMA_VERSION) {
      throw new BotError(
        "store_too_new",
        `${path} was written by a newer version of this program (its version ${version}, ours ${SCHEMA_VERSION}); use that version, or another data directory`,
      );
    }
    // It begins at 0 and is only ever raised.
    if (version < 0) throw new DamagedError(`its version is ${version}`);
    const check = database.prepare("PRAGMA quick_check(1)").get();
    if (check?.["quick_check"] !== "ok") throw new DamagedError(String(check?.["quick_check"]));
    // WAL with NORMAL: a kill loses nothing, a power cut at most the last writes; one small page cache.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -256");
    database.exec("PRAGMA wal_autocheckpoint = 200; PRAGMA journal_size_limit = 1048576");
    migrate(database);
    for (const probe of PROBES) database.prepare(probe).get();
    // Whether it may be written shows in the first write, and a last page that is cut off when that is used again.
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    const written = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
    if (written?.["busy"] === 0 && statSync(path).size < lengthOf(database))
      throw new DamagedError("it is cut off");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** In bytes, with everything that a write-ahead log had. */
function lengthOf(database: DatabaseSync): number {
  const size = database
    .prepare("SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size")
    .get();
  return Number(size?.["bytes"] ?? 0);
}

/**
 * What SQLite takes a part of a page for it does not say, and nothing for a new file, whose log it deletes. With a log there it
 * may put the rest back.
 */
function isCutOff(path: string): boolean {
  const sizeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.size;
  const size = sizeOf(path);
  const isLogged = (sizeOf(`${path}-wal`) ?? 0) > 0;
  if (size === undefined) return isLogged;
  return size === 0 || (!isLogged && size % SMALLEST_PAGE > 0);
}

class DamagedError extends Error {}

/** What SQLite says of a disk ("disk I/O error") names no file. */
function withFile(error: unknown, path: string): unknown {
  if (typeof (error as { errcode?: unknown } | null)?.errcode !== "number") return error;
  const message = `${path} cannot be used (${messageOf(error)}): its disk may be full, or not to be written to`;
  return new BotError("internal", message, { cause: error });
}

function isDamage(error: unknown, path: string): boolean {
  if (error instanceof DamagedError) return true;
  const code = (error as { errcode?: unknown } | null)?.errcode;
  if (typeof code !== "number") return false;
  const primary = code & 0xff;
  if (primary === READ_ONLY) return isWritable(path);
  return primary === CORRUPT || primary === NOT_A_DATABASE || primary === ERROR;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
