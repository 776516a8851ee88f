import type { DatabaseSync, StatementSync } from "node:sqlite";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { rollBack } from "./migrations.ts";
import { openDatabase, type OpenedDatabase } from "./open.ts";
import { RecordingIndex } from "./recordings.ts";
import { Unwritten } from "./unwritten.ts";

/** The documents of one room. What a name means, and its schema, belongs to whoever writes it. */
export interface RoomDocuments {
  /** Null when it was never written, or no longer passes the schema (logged; it is as if it was not there). */
  read<T>(name: string, schema: z.ZodType<T>): T | null;
  /** Whether there is one, in whatever state. */
  has(name: string): boolean;
  /** @returns whether it is on the disk: else it holds meanwhile, and gets there as soon as the disk takes it */
  write(name: string, value: unknown): boolean;
  remove(name: string): void;
  /** Keeps what cannot be read under another name, for whoever runs the bot; there is none of this name then. */
  setAside(name: string): void;
}

const wanted = z.boolean();
const WANTED = "channel-wanted";
const MOVED = "moved-to";
/** Who refused to be recorded for good meant that, also when the bot is thrown out and comes back. */
const CONSENT = "consent";

/** Durable state of the bot: `dataDir`/bot.db. Calls are synchronous and take well under a millisecond. */
export class Store {
  readonly recordings: RecordingIndex;
  /** The file of the last run was damaged and set aside: what was known of rooms is lost. */
  readonly isReplaced: boolean;
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #read: StatementSync;
  readonly #write: StatementSync;
  readonly #remove: StatementSync;
  readonly #unwritten: Unwritten;
  readonly #byName: StatementSync;
  #closed = false;

  constructor({ database, isReplaced }: OpenedDatabase, clock: Clock, log: Log) {
    this.isReplaced = isReplaced;
    this.#database = database;
    this.#log = log;
    this.#read = database.prepare("SELECT json FROM rooms WHERE room_id = ? AND name = ?");
    this.#write = database.prepare(
      "INSERT INTO rooms (room_id, name, json) VALUES (?, ?, ?) ON CONFLICT (room_id, name) DO UPDATE SET json = excluded.json",
    );
    this.#remove = database.prepare("DELETE FROM rooms WHERE room_id = ? AND name = ?");
    const write = (roomId: string, name: string, json: string | null): void => {
      if (json === null) this.#remove.run(roomId, name);
      else this.#write.run(roomId, name, json);
    };
    this.#unwritten = new Unwritten({ write, clock, log });
    this.#byName = database.prepare("SELECT room_id, json FROM rooms WHERE name = ? ORDER BY room_id");
    this.recordings = new RecordingIndex(database, (write) => this.#unwritten.attempt(write));
  }

  /** @throws BotError `store_too_new`, see openDatabase. */
  static open({ dataDir, clock, log }: { dataDir: string; clock: Clock; log: Log }): Store {
    return new Store(openDatabase(dataDir, clock, log), clock, log);
  }

  room(roomId: string): RoomDocuments {
    return {
      read: (name, schema) => this.#decode(roomId, name, schema, this.#json(roomId, name)),
      has: (name) => this.#json(roomId, name) !== null,
      write: (name, value) => this.#put(roomId, name, JSON.stringify(value)),
      remove: (name) => void this.#put(roomId, name, null),
      setAside: (name) => {
        this.#put(roomId, `${name}.damaged`, this.#json(roomId, name) ?? "null");
        this.#put(roomId, name, null);
      },
    };
  }

  /** The bot was in this room before; what it knew of it may be lost. Who refused to be recorded has not agreed by that. */
  known(roomId: string): void {
    // What cannot be read counts as "ask everybody first".
    if (this.isReplaced && !this.room(roomId).has(CONSENT)) this.room(roomId).write(CONSENT, null);
  }

  /** Whether the bot is meant to be in the room's voice channel, now and after a restart. */
  channelWanted(roomId: string): boolean {
    return this.room(roomId).read(WANTED, wanted) ?? false;
  }

  setChannelWanted(roomId: string, value: boolean): void {
    if (value) this.room(roomId).write(WANTED, true);
    else this.room(roomId).remove(WANTED);
  }

  /** Rooms whose channel the bot was in when it ended. */
  roomsWithChannelWanted(): string[] {
    const rooms: string[] = [];
    this.#unwritten.flush();
    for (const row of this.#byName.all(WANTED)) {
      const roomId = String(row["room_id"]);
      if (this.#decode(roomId, WANTED, wanted, row["json"])) rooms.push(roomId);
    }
    return rooms;
  }

  /** Forgets a room that was left for good, but for where it has moved and who refused what. Its recordings stay. */
  forgetRoom(roomId: string): void {
    this.#unwritten.flush();
    this.#unwritten.attempt(() =>
      this.#database
        .prepare("DELETE FROM rooms WHERE room_id = ? AND name NOT IN (?, ?)")
        .run(roomId, MOVED, CONSENT),
    );
  }

  /**
   * A room has taken the place of another: it gets the documents of that one (what it has itself stays) and its
   * recordings. All of it or nothing; again it does nothing.
   */
  moveRoom(from: string, to: string): void {
    if (this.#closed || this.movedTo(from) === to) return;
    this.#unwritten.flush();
    const run = (sql: string, ...values: string[]): unknown => this.#database.prepare(sql).run(...values);
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      // What people said in either room holds, and what they said in the new one more.
      run(
        `UPDATE rooms SET json = json_patch(old.json, rooms.json) FROM rooms AS old
         WHERE old.room_id = ? AND rooms.room_id = ? AND old.name = ? AND rooms.name = old.name
         AND json_valid(old.json) AND json_valid(rooms.json)`,
        ...[from, to, CONSENT],
      );
      run("UPDATE OR IGNORE rooms SET room_id = ? WHERE room_id = ? AND name <> ?", to, from, MOVED);
      run("DELETE FROM rooms WHERE room_id = ?", from);
      run("UPDATE recordings SET room_id = ? WHERE room_id = ?", to, from);
      this.#write.run(from, MOVED, JSON.stringify(to));
      this.#database.exec("COMMIT");
    } catch (error) {
      rollBack(this.#database);
      throw error;
    }
  }

  /** The room that has taken a room's place; null when none has. */
  movedTo(roomId: string): string | null {
    return this.room(roomId).read(MOVED, z.string());
  }

  /** Idempotent; writes after it are ignored. */
  close(): void {
    if (this.#closed) return;
    this.#unwritten.close();
    this.#closed = true;
    this.#database.close();
  }

  #put(roomId: string, name: string, json: string | null): boolean {
    return this.#closed || this.#unwritten.put(roomId, name, json);
  }

  /** Null when there is none. What cannot be read is there, and nothing that anybody knows. */
  #json(roomId: string, name: string): string | null {
    const kept = this.#unwritten.get(roomId, name);
    if (kept !== undefined) return kept;
    try {
      const json = this.#read.get(roomId, name)?.["json"];
      return typeof json === "string" ? json : null;
    } catch (error) {
      this.#log.error("store_damaged", { room: roomId, document: name, reason: messageOf(error) });
      return "";
    }
  }

  #decode<T>(room: string, name: string, schema: z.ZodType<T>, json: unknown): T | null {
    if (typeof json !== "string") return null;
    try {
      const decoded = schema.safeParse(JSON.parse(json));
      if (decoded.success) return decoded.data;
    } catch {
      // Not JSON: the same as not matching.
    }
    this.#log.warn("store_damaged", { room, document: name });
    return null;
  }
}
