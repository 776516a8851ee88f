import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Homeserver } from "../matrix/homeserver.ts";
import type { RoomState } from "../matrix/session.ts";
import { Successors } from "../matrix/successors.ts";
import type { MovingAgent } from "./moving-agent.ts";
import type { Store } from "../store/store.ts";

export interface RoomMovesDeps {
  homeserver: Homeserver;
  store: Pick<Store, "moveRoom" | "movedTo">;
  /** Those that we are in. */
  rooms: () => ReadonlyMap<string, RoomState>;
  agent: (roomId: string) => Pick<MovingAgent, "holdUntil" | "refused" | "out" | "in"> | null;
  /** Recordings of the old room can be delivered to the new one now. */
  onMoved: (roomId: string) => void;
  clock: Clock;
  log: Log;
}

/**
 * Follows room upgrades. Of one old room:
 *
 *   m.room.tombstone ─► joining ── in, its m.room.create names the old room ──► moving ──► moved, the old room left
 *        │               │  └ refused: told once, tried for a day, and when an invitation comes     ▲
 *        │               └ it names another: left again                                             │
 *        └────────── in the new room already ───────────────────────────────────────────────────────┘
 *
 * Until it is moved the old room goes on as ever. Nothing but the store's `movedTo` is kept: a start asks the tombstones
 * that stand and goes on from there.
 */
export class RoomMoves {
  readonly #deps: RoomMovesDeps;
  readonly #successors: Successors;
  readonly #moving = new Map<string, Promise<void>>();
  #closed = false;

  constructor(deps: RoomMovesDeps) {
    this.#deps = deps;
    const { homeserver, clock, log, agent } = deps;
    const onRefused = (from: string): void => agent(from)?.refused();
    this.#successors = new Successors({ homeserver, clock, log, onRefused });
  }

  /**
   * The rooms are known: goes on with what an earlier run has left, and what was upgraded meanwhile.
   * @returns the rooms that are being moved, old and new: they are not to be resumed
   */
  start(): ReadonlySet<string> {
    const busy = new Set<string>();
    for (const room of this.#deps.rooms().values()) {
      this.look(room);
      if (!this.#moving.has(room.id) && this.#deps.store.movedTo(room.id) === null) continue;
      busy.add(room.id);
      if (this.#moving.has(room.id) && room.replacement) busy.add(room.replacement.roomId);
    }
    return busy;
  }

  /** A tombstone may stand in that room. */
  look(room: RoomState): void {
    const { store, rooms, log } = this.#deps;
    const { id, replacement } = room;
    if (this.#closed || replacement === null || replacement.roomId === id || this.#moving.has(id)) return;
    if (store.movedTo(id) === replacement.roomId) {
      void this.#successors.leave(id);
      return;
    }
    const next = rooms().get(replacement.roomId);
    if (next) return this.#arrive(room, next);
    log.info("room_upgrade", { what: "begun", room: id, to: replacement.roomId, by: replacement.by });
    this.#successors.follow(id, replacement);
  }

  /** An invitation has come. @returns whether it is to a room that is to take the place of one of ours */
  invited(roomId: string): boolean {
    return this.#successors.invited(roomId);
  }

  /** We have joined that room. @returns whether that was because of an upgrade, so that nobody need be greeted */
  joined(room: RoomState): boolean {
    const { rooms, log } = this.#deps;
    const awaitedFor = this.#successors.awaitedFor(room.id);
    const from = room.predecessor === null ? undefined : rooms().get(room.predecessor);
    if (from?.replacement?.roomId === room.id) {
      this.#arrive(from, room);
      return true;
    }
    if (awaitedFor === null) return false;
    // Whoever may send a tombstone could lead us anywhere with it.
    log.warn("room_upgrade", { what: "not its successor", room: awaitedFor, to: room.id });
    this.#successors.forget(room.id);
    void this.#successors.leave(room.id);
    return true;
  }

  /** Where recordings of a room are to go now; null while that is about to change. */
  addressOf(roomId: string): string | null {
    if (this.#moving.has(roomId)) return null;
    let address = roomId;
    // A room that was upgraded again and again; whatever stands in the store, this ends.
    for (let step = 0; step < 20; step++) {
      const next = this.#deps.store.movedTo(address);
      if (next === null) return address;
      address = next;
    }
    return null;
  }

  /** Idempotent; resolves when no move is in its middle. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#successors.close();
    await Promise.all(this.#moving.values());
  }

  #arrive(from: RoomState, to: RoomState): void {
    const { log } = this.#deps;
    this.#successors.forget(to.id);
    if (to.predecessor !== from.id) {
      // We were there before: it is none of the tombstone's business.
      log.warn("room_upgrade", { what: "not its successor", room: from.id, to: to.id });
      return;
    }
    if (this.#moving.has(from.id) || this.#closed) return;
    const moved = this.#move(from.id, to.id)
      .catch((error: unknown) => log.error("handler_failed", { what: "room upgrade", room: from.id, error }))
      .finally(() => this.#moving.delete(from.id));
    this.#moving.set(from.id, moved);
  }

  async #move(from: string, to: string): Promise<void> {
    const { agent, store, log, onMoved } = this.#deps;
    const { promise, resolve } = Promise.withResolvers<void>();
    const next = agent(to);
    next?.holdUntil(promise);
    try {
      await agent(from)?.out();
      if (this.#closed) return;
      store.moveRoom(from, to);
      log.info("room_upgrade", { what: "moved", room: from, to });
      await next?.in();
    } finally {
      resolve();
    }
    this.#moving.delete(from);
    onMoved(to);
    void this.#successors.leave(from);
  }
}
