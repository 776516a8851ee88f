import { SeenSet } from "../base/collections.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { decodeEvent, inviterOf, type JoinedRoomBlock, type LeftRoomBlock } from "./events.ts";
import type { RoomEvent, SyncResponse } from "./events.ts";
import { readMissed, readState, type GapReader } from "./gap.ts";
import { Room, type RoomState } from "./room.ts";

export interface LeaveReason {
  kind: "left" | "kicked" | "banned";
  /** Who did it; null when the homeserver did not say. */
  by: string | null;
}

export interface JoinInfo {
  /** Joined just now; false for rooms that we were in at start. */
  fresh: boolean;
  inviter: string | null;
}

/**
 * Called in the order of things, one room after the other. What a handler returns is awaited before the position in the
 * sync is stored, so that a kill repeats it; the next response does not wait for it.
 */
export interface SessionHandlers {
  /** The state of the room is known. Its `state` events follow, then what is live. */
  onRoomJoined(room: RoomState, info: JoinInfo): void | Promise<void>;
  onRoomLeft(roomId: string, reason: LeaveReason): void | Promise<void>;
  /**
   * Live events come once each per run. `state` events are a snapshot: after a join, at start, after a gap. The room's
   * state has the event already.
   */
  onRoomEvent(room: RoomState, event: RoomEvent): void | Promise<void>;
  /** The timeline of the room had a gap: what was in it may not all have been told, or be told yet. */
  onGap?(roomId: string): void;
  /**
   * The homeserver answered a sync; what is in the answer follows. `afterFailure`: before it we heard nothing for a while,
   * and others may not have been able to write.
   */
  onSynced?(afterFailure: boolean): void;
}

/**
 * `initial`: there is no position, timelines are history. `resumed`: the first after a restart, with the whole state of
 * each room. `incremental`: all others.
 */
export type SyncMode = "initial" | "resumed" | "incremental";

export interface SyncRoomsOptions extends GapReader {
  ownUserId: string;
  keptStateTypes: readonly string[];
  handlers: SessionHandlers;
  onInvite(roomId: string, inviter: string | null): void;
  onInviteGone(roomId: string): void;
  inviterOf(roomId: string): string | null;
}

const SEEN_EVENTS = 20_000;
const LOG_EVERY_MS = 60_000;

/** Turns sync responses into room states and calls of the handlers. */
export class SyncRooms {
  readonly rooms = new Map<string, Room>();
  readonly #options: SyncRoomsOptions;
  readonly #seen = new SeenSet<string>(SEEN_EVENTS);
  readonly #dropped: DropCounter;
  #running: Promise<void>[] = [];

  constructor(options: SyncRoomsOptions) {
    this.#options = options;
    this.#dropped = new DropCounter(options.clock, options.log);
  }

  /**
   * Handles everything of a response.
   * @param since the position that the response follows; null for the first
   * @returns what the handlers have still running
   * @throws BotError `cancelled`
   */
  async handle(response: SyncResponse, mode: SyncMode, since: string | null): Promise<Promise<void>[]> {
    this.#running = [];
    const { join, leave, invite } = response.rooms;
    for (const [roomId, block] of Object.entries(leave)) this.#left(roomId, block);
    if (mode === "initial") {
      // After a lost position: rooms that are not there any more.
      for (const roomId of [...this.rooms.keys()]) {
        if (!(roomId in join)) this.#leave(roomId, { kind: "left", by: null });
      }
    }
    for (const [roomId, block] of Object.entries(invite)) {
      this.#options.onInvite(roomId, inviterOf(block, this.#options.ownUserId));
    }
    // Rooms with a gap take requests of their own; the others do not wait for them.
    const blocks = Object.entries(join);
    const ordered = [false, true].flatMap((gap) =>
      blocks.filter(([, block]) => block.timeline.limited === gap),
    );
    for (const [roomId, block] of ordered) {
      try {
        await this.#joined(roomId, block, mode, since);
      } catch (error) {
        if (this.#options.signal.aborted) throw error;
        // One room must not hold up the others; its state is read again next time.
        this.#options.log.error("handler_failed", { room: roomId, error });
        this.rooms.get(roomId)?.markUnknown();
      }
    }
    return this.#running;
  }

  async #joined(roomId: string, block: JoinedRoomBlock, mode: SyncMode, since: string | null): Promise<void> {
    const state = this.#decode(block.state.events, roomId, "state");
    const timeline = this.#decode(block.timeline.events, roomId, "live");
    const joinIndex = timeline.findLastIndex((event) => this.#isOwnJoin(event));
    if (joinIndex >= 0 && mode === "incremental" && this.rooms.has(roomId)) {
      // Out and in again within one response.
      this.#leave(roomId, this.#reasonOf(timeline.slice(0, joinIndex)) ?? { kind: "left", by: null });
    }
    const known = this.rooms.get(roomId);
    const room = known ?? this.#create(roomId);
    const whole = known === undefined || mode !== "incremental";
    // What was before we joined, or before the first sync ever, is history.
    const liveFrom = mode === "initial" ? timeline.length : joinIndex + 1;
    const history = timeline.slice(0, liveFrom);
    const live = timeline.slice(liveFrom);

    if (whole) room.replace(state);
    if ([...block.state.events, ...block.timeline.events].some(isAboutEncryption)) room.markEncrypted();
    const standing = whole ? state : state.filter((event) => room.applySnapshot(event));
    for (const event of history) {
      this.#seen.add(event.eventId);
      if (event.stateKey === null) continue;
      room.applyLive(event);
      standing.push({ ...event, origin: "state" });
    }
    if (known === undefined) {
      const fresh = mode !== "initial" && joinIndex >= 0;
      const info = { fresh, inviter: fresh ? this.#options.inviterOf(roomId) : null };
      this.#options.log.info("room_joined", { room: roomId, ...info, encrypted: room.encrypted });
      this.#call(() => this.#options.handlers.onRoomJoined(room, info));
    }
    const gap = block.timeline.limited && mode !== "initial" && joinIndex < 0 && since !== null;
    const rereads = (gap && !whole) || !room.known;
    if (gap) this.#call(() => this.#options.handlers.onGap?.(roomId));
    if (!rereads) this.#deliver(room, standing);

    const before = block.timeline.prev_batch;
    const missed = gap && before !== undefined ? await readMissed(this.#options, roomId, before, since) : [];
    const reread = rereads ? await readState(this.#options, roomId) : null;
    if (reread !== null) room.replace(reread);
    else if (rereads) room.markUnknown();
    // What was missed is delivered in order, but the room's state has the end of it from the start: who lost power in
    // the gap must not use it.
    for (const event of missed) if (this.#seen.add(event.eventId)) this.#deliver(room, [event]);
    for (const event of live) {
      if (!this.#seen.add(event.eventId)) continue;
      if (event.stateKey !== null && reread === null) room.applyLive(event);
      this.#deliver(room, [event]);
    }
    if (rereads) this.#deliver(room, reread ?? standing);
  }

  #left(roomId: string, block: LeftRoomBlock): void {
    this.#options.onInviteGone(roomId);
    const events = [
      ...this.#decode(block.state.events, roomId, "state"),
      ...this.#decode(block.timeline.events, roomId, "live"),
    ];
    const own = events.findLast((event) => this.#isOwnMember(event));
    // An invitation that was taken back, or refused elsewhere.
    if (!this.rooms.has(roomId) && own?.prevContent?.["membership"] === "invite") return;
    this.#leave(roomId, this.#reasonOf(events) ?? { kind: "left", by: null });
  }

  #leave(roomId: string, reason: LeaveReason): void {
    this.rooms.delete(roomId);
    this.#options.log.info("room_left", { room: roomId, reason: reason.kind, by: reason.by });
    this.#call(() => this.#options.handlers.onRoomLeft(roomId, reason));
  }

  #create(roomId: string): Room {
    const { ownUserId, keptStateTypes, clock } = this.#options;
    const room = new Room(roomId, ownUserId, keptStateTypes, clock);
    this.rooms.set(roomId, room);
    return room;
  }

  #deliver(room: Room, events: readonly RoomEvent[]): void {
    for (const event of events) this.#call(() => this.#options.handlers.onRoomEvent(room, event));
  }

  #call(handler: () => void | Promise<void>): void {
    const onError = (error: unknown): void => this.#options.log.error("handler_failed", { error });
    try {
      const running = handler();
      if (running !== undefined) this.#running.push(running.catch(onError));
    } catch (error) {
      onError(error);
    }
  }

  #decode(raw: readonly unknown[], roomId: string, origin: RoomEvent["origin"]): RoomEvent[] {
    const decoded = raw.map((event) => decodeEvent(event, roomId, origin)).filter((event) => event !== null);
    this.#dropped.add(roomId, raw.length - decoded.length);
    return decoded;
  }

  #isOwnMember(event: RoomEvent): boolean {
    return event.type === "m.room.member" && event.stateKey === this.#options.ownUserId;
  }

  /** That we came in, as against a new name or picture of ours. */
  #isOwnJoin(event: RoomEvent): boolean {
    return (
      this.#isOwnMember(event) &&
      event.content["membership"] === "join" &&
      event.prevContent?.["membership"] !== "join"
    );
  }

  #reasonOf(events: readonly RoomEvent[]): LeaveReason | null {
    const own = events.findLast(
      (event) => this.#isOwnMember(event) && event.content["membership"] !== "join",
    );
    if (own === undefined) return null;
    if (own.content["membership"] === "ban") return { kind: "banned", by: own.sender };
    return { kind: own.sender === this.#options.ownUserId ? "left" : "kicked", by: own.sender };
  }
}

/** Also when it is malformed otherwise: any doubt counts as encrypted. */
function isAboutEncryption(raw: unknown): boolean {
  return typeof raw === "object" && raw !== null && "type" in raw && raw.type === "m.room.encryption";
}

/** Counts malformed events and says so at most once a minute. */
class DropCounter {
  readonly #clock: Clock;
  readonly #log: Log;
  #count = 0;
  #lastLogMs = -Infinity;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  add(roomId: string, count: number): void {
    this.#count += count;
    const nowMs = this.#clock.now();
    if (count === 0 || nowMs - this.#lastLogMs < LOG_EVERY_MS) return;
    this.#lastLogMs = nowMs;
    this.#log.warn("event_dropped", { room: roomId, reason: "malformed", count: this.#count });
  }
}
