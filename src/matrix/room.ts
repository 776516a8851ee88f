import { BoundedMap } from "../base/collections.ts";
import type { Clock } from "../base/clock.ts";
import type { RoomEvent } from "./events.ts";
import { Members, type Membership } from "./members.ts";
import { decodeCreation, decodePowerLevels, powerNeeded, powerOf } from "./power-levels.ts";
import type { Creation, PowerLevels } from "./power-levels.ts";
import { decodePredecessor, decodeTombstone, type Replacement } from "./succession.ts";

/** What the app may ask a joined room. */
export interface RoomState {
  readonly id: string;
  readonly ownUserId: string;
  /** m.room.name, else the canonical alias; null when it has neither. */
  readonly name: string | null;
  /**
   * True once an m.room.encryption event was ever seen (it cannot be undone), and while there is any doubt: before the
   * room's state is known and after reading it failed.
   */
  readonly encrypted: boolean;
  /** Our own membership. */
  readonly membership: Membership;
  readonly joinedCount: number;
  /** The room that takes this one's place, by its m.room.tombstone; null while it has none. */
  readonly replacement: Replacement | null;
  /** The room whose place this one takes, by its m.room.create; null when there was none. */
  readonly predecessor: string | null;
  /** `Infinity` for creators of rooms from version 12 on. */
  powerOf(userId: string): number;
  powerNeeded(type: string, isState: boolean): number;
  /** Whether the user is in the room and has the power to send such an event. */
  can(userId: string, type: string, isState: boolean): boolean;
  membershipOf(userId: string): Membership;
  joinedMembers(): IterableIterator<string>;
  /** Told apart when two people share a name; the user id when there is none. */
  displayName(userId: string): string;
  /** The state events of a kept type as they stand, with `origin: "state"` and `ageMs` as of now. */
  stateOf(type: string): RoomEvent[];
}

/** A room's state keys of one type are anybody's to make at power 0. */
const MAX_KEPT = 1000;
const MAX_STAMPS = 50_000;

/** The state of one room, as the sync loop learns it. */
export class Room implements RoomState {
  readonly id: string;
  readonly ownUserId: string;
  readonly #clock: Clock;
  readonly #members = new Members();
  readonly #kept: ReadonlyMap<string, BoundedMap<string, { event: RoomEvent; receivedMs: number }>>;
  /** origin_server_ts of what stands, by type and state key. */
  #stamps = new BoundedMap<string, number>(MAX_STAMPS);
  #levels: PowerLevels | null = null;
  #creation: Creation | null = null;
  #name: string | null = null;
  #alias: string | null = null;
  #replacement: Replacement | null = null;
  #predecessor: string | null = null;
  #encryption: "clear" | "seen" = "clear";
  #known = false;

  /** @param keptTypes state event types that `stateOf` knows */
  constructor(id: string, ownUserId: string, keptTypes: readonly string[], clock: Clock) {
    this.id = id;
    this.ownUserId = ownUserId;
    this.#clock = clock;
    this.#kept = new Map(keptTypes.map((type) => [type, new BoundedMap(MAX_KEPT)]));
  }

  get name(): string | null {
    return this.#name ?? this.#alias;
  }

  get encrypted(): boolean {
    return this.#encryption === "seen" || !this.#known;
  }

  get membership(): Membership {
    return this.#members.membershipOf(this.ownUserId);
  }

  get joinedCount(): number {
    return this.#members.joinedCount;
  }

  get replacement(): Replacement | null {
    return this.#replacement;
  }

  get predecessor(): string | null {
    return this.#predecessor;
  }

  powerOf(userId: string): number {
    return powerOf(userId, this.#levels, this.#creation);
  }

  powerNeeded(type: string, isState: boolean): number {
    return powerNeeded(type, isState, this.#levels);
  }

  can(userId: string, type: string, isState: boolean): boolean {
    return this.membershipOf(userId) === "join" && this.powerOf(userId) >= this.powerNeeded(type, isState);
  }

  membershipOf(userId: string): Membership {
    return this.#members.membershipOf(userId);
  }

  joinedMembers(): IterableIterator<string> {
    return this.#members.joined();
  }

  displayName(userId: string): string {
    return this.#members.displayName(userId);
  }

  stateOf(type: string): RoomEvent[] {
    const now = this.#clock.now();
    return [...(this.#kept.get(type)?.entries() ?? [])].map(([, { event, receivedMs }]) => ({
      ...event,
      origin: "state",
      ageMs: event.ageMs === null ? null : event.ageMs + (now - receivedMs),
    }));
  }

  /** Takes a state event of a timeline: what came later stands, whatever its time says. */
  applyLive(event: RoomEvent): void {
    this.#stamps.set(stampKey(event), this.#stamp(event));
    this.#apply(event);
  }

  /**
   * Takes an event of a `state` block. Synapse may show a state there that the timeline had replaced (docs/PROTOCOL.md, "What
   * homeservers do"): per state key the newest origin_server_ts wins, where a time in the future counts as now.
   * @returns whether it stands
   */
  applySnapshot(event: RoomEvent): boolean {
    const stamp = this.#stamp(event);
    if (stamp < (this.#stamps.get(stampKey(event)) ?? -Infinity)) return false;
    this.#stamps.set(stampKey(event), stamp);
    this.#apply(event);
    return true;
  }

  /** Replaces everything by the room's whole state. Encryption stays seen. */
  replace(events: readonly RoomEvent[]): void {
    this.#members.clear();
    this.#stamps = new BoundedMap(MAX_STAMPS);
    this.#levels = null;
    this.#creation = null;
    this.#name = null;
    this.#alias = null;
    this.#replacement = null;
    this.#predecessor = null;
    for (const kept of this.#kept.values()) {
      for (const [key] of [...kept.entries()]) kept.delete(key);
    }
    for (const event of events) this.applySnapshot(event);
    this.#known = true;
  }

  /** Encryption was seen, in whatever shape. */
  markEncrypted(): void {
    this.#encryption = "seen";
  }

  /** Reading the state failed: until it is known again, the room counts as encrypted. */
  markUnknown(): void {
    this.#known = false;
  }

  get known(): boolean {
    return this.#known;
  }

  #stamp(event: RoomEvent): number {
    return Math.min(event.originServerTs, this.#clock.wall());
  }

  #apply(event: RoomEvent): void {
    const { type, stateKey, content } = event;
    if (stateKey === null) return;
    // Whatever its state key: a doubt about encryption counts as encrypted.
    if (type === "m.room.encryption") this.#encryption = "seen";
    if (type === "m.room.member") this.#members.set(stateKey, content);
    this.#kept.get(type)?.set(stateKey, { event, receivedMs: this.#clock.now() });
    if (stateKey !== "") return;
    if (type === "m.room.power_levels") this.#levels = decodePowerLevels(content);
    if (type === "m.room.create") {
      this.#creation = decodeCreation(event.sender, content);
      this.#predecessor = decodePredecessor(content);
    }
    if (type === "m.room.tombstone") this.#replacement = decodeTombstone(event.sender, content);
    if (type === "m.room.name") this.#name = text(content["name"]);
    if (type === "m.room.canonical_alias") this.#alias = text(content["alias"]);
  }
}

function stampKey(event: RoomEvent): string {
  return `${event.type}\0${event.stateKey}`;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.slice(0, 255) : null;
}
