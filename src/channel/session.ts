import type { Clock, Timer } from "../base/clock.ts";
import { SeenSet } from "../base/collections.ts";
import { Emitter } from "../base/emitter.ts";
import { BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { Tally } from "../base/tally.ts";
import type { IceSettings, MediaPlane, PlaneEvent } from "../media/plane.ts";
import { decodeRoomEvent } from "./border.ts";
import { isStateKey } from "./codec.ts";
import { DropCounter } from "./drops.ts";
import { LinkTimes } from "./links.ts";
import type { ChannelLink } from "./links.ts";
import type { ChannelRoomEvent, ChannelTransport } from "./ports.ts";
import { nextWakeMs, reduce } from "./reducer.ts";
import { initialState } from "./state.ts";
import type { ChannelInput, ChannelLimits, ChannelState, Effect } from "./state.ts";
import { memberChanges, phaseOf, visibleMembers } from "./visible.ts";
import type { ChannelChange, ChannelMember, ChannelPhase } from "./visible.ts";
import { ChannelWorker } from "./worker.ts";

export type { ChannelLink, LinkPhase } from "./links.ts";
export type { ChannelChange, ChannelMember, ChannelPhase } from "./visible.ts";

const SEEN_EVENTS = 2000;

export interface ChannelSessionDeps {
  /** Room id; also the plane's name for the channel. */
  channel: string;
  /** `<device>@<user>:<server>`, 1 to 255 bytes. */
  ownKey: string;
  ownUserId: string;
  clock: Clock;
  plane: MediaPlane;
  transport: ChannelTransport;
  /** Asked whenever the channel is opened on the plane. */
  ice: () => IceSettings;
  /** Of the outgoing stream, bit/s. */
  bitrate: number;
  log: Log;
  /** Says something to the room. */
  tell: (sentence: Sentence) => void;
  limits?: ChannelLimits;
  /** Counts what is not used. */
  tally?: Tally;
}

interface Waiter {
  resolve: () => void;
  reject: (error: BotError) => void;
}

/** One room's voice channel: carries out what the reducer decides, on the room and on the media plane. */
export class ChannelSession {
  readonly #deps: ChannelSessionDeps;
  readonly #log: Log;
  readonly #drops: DropCounter;
  readonly #worker: ChannelWorker;
  readonly #seen = new SeenSet<string>(SEEN_EVENTS);
  readonly #changes: Emitter<ChannelChange>;
  readonly #unsubscribe: (() => void)[];
  readonly #queue: ChannelInput[] = [];
  #state: ChannelState;
  #members: ReadonlyMap<string, ChannelMember> = new Map();
  readonly #times = new LinkTimes();
  #phaseSinceMs: number;
  #mediaOpen = false;
  #joinWaiters: Waiter[] = [];
  #leaveWaiters: Waiter[] = [];
  #timer: Timer | null = null;
  #running = false;
  #closed = false;

  constructor(deps: ChannelSessionDeps) {
    if (!isStateKey(deps.ownKey)) throw new BotError("internal", "the device key must have 1 to 255 bytes");
    const { clock, plane } = deps;
    this.#deps = deps;
    this.#phaseSinceMs = clock.now();
    this.#log = deps.log.child({ room: deps.channel });
    this.#drops = new DropCounter(clock, this.#log, deps.tally);
    this.#changes = new Emitter((error) => this.#log.error("handler_failed", { error }));
    this.#state = initialState(deps.ownKey, deps.ownUserId, plane.state === "up", deps.limits);
    this.#worker = new ChannelWorker({ ...deps, log: this.#log }, (result) => this.#dispatch(result));
    this.#unsubscribe = [
      plane.onState((state) => this.#dispatch({ kind: "plane", up: state === "up" })),
      plane.onEvent((event) => this.#planeEvent(event)),
    ];
  }

  get state(): ChannelPhase {
    return phaseOf(this.#state);
  }

  /** Others who are in the channel, whether we are or not. */
  members(): ChannelMember[] {
    return [...this.#members.values()];
  }

  /** Monotonic ms since when `state` is what it is. */
  get stateSinceMs(): number {
    return this.#phaseSinceMs;
  }

  /** How it stands with each of the members. */
  links(): ChannelLink[] {
    const inSinceMs = this.state === "in" ? this.#phaseSinceMs : null;
    return this.#times.links(this.#state, this.members(), inSinceMs);
  }

  /** @returns a function that removes the listener. */
  onChange(listener: (change: ChannelChange) => void): () => void {
    return this.#changes.on(listener);
  }

  /** Every event of the room may be given; those of other types are passed over. */
  handle(event: ChannelRoomEvent): void {
    if (this.#closed) return;
    const decoded = decodeRoomEvent(event, this.#deps.clock.wall());
    if ("dropped" in decoded) {
      if (decoded.dropped !== null) this.#drops.count(decoded.dropped);
    } else if (this.#seen.add(event.eventId)) this.#dispatch(decoded);
  }

  /**
   * The homeserver told what is new in the room, if anything. Members age by this, if it is called at all: while we hear
   * nothing nobody expires. `afterFailure`: it could not for a while, so that others may not have been able to refresh.
   */
  synced(afterFailure: boolean): void {
    this.#dispatch({ kind: "synced", afterFailure });
  }

  /** Tells of somebody's `m.room.member`, ours included: `join`, or anything else, which is out. */
  roomMember(userId: string, membership: string): void {
    this.#dispatch({ kind: "room.member", userId, inRoom: membership === "join" });
  }

  /**
   * Resolves when we are in the channel. Idempotent; bounded at two minutes and 10 s.
   * @throws BotError what kept us out: `forbidden`, `homeserver`, `timeout`, `media_plane_down`, `cancelled` (left or
   * closed meanwhile). We are out then.
   */
  join(): Promise<void> {
    if (this.#closed) return Promise.reject(new BotError("cancelled", "the channel is closed"));
    if (this.state === "in") return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#joinWaiters.push({ resolve, reject });
      this.#dispatch({ kind: "join" });
    });
  }

  /** Posts LEFT and closes every connection. Resolves when out, after 5 s at the latest; never rejects. */
  leave(): Promise<void> {
    if (this.#closed || this.state === "out") return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#leaveWaiters.push({ resolve, reject });
      this.#dispatch({ kind: "leave" });
    });
  }

  /** Hands the plane new ICE settings (renewed TURN credentials) for connections to come. */
  refreshIce(): void {
    if (!this.#closed) this.#worker.refreshIce();
  }

  /** Closes what is open on the plane, without a word to the room: `leave()` first. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#changes.clear();
    this.#worker.close();
    const error = new BotError("cancelled", "the channel is closed");
    for (const waiter of this.#joinWaiters.splice(0)) waiter.reject(error);
    for (const waiter of this.#leaveWaiters.splice(0)) waiter.resolve();
  }

  #planeEvent(event: PlaneEvent): void {
    if (event.kind !== "peer.state" && event.kind !== "peer.candidate") return;
    if (event.channel !== this.#deps.channel) return;
    this.#dispatch(
      event.kind === "peer.state"
        ? { kind: "peer.state", key: event.peer, state: event.state }
        : { kind: "peer.candidate", key: event.peer, candidate: event.candidate, mid: event.mid },
    );
  }

  /** Events that come while one is handled wait for their turn. */
  #dispatch(input: ChannelInput): void {
    if (this.#closed) return;
    this.#queue.push(input);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#running = false;
    }
    this.#arm();
  }

  #step(input: ChannelInput): void {
    if (this.#closed) return;
    const before = this.#state;
    const { state, effects } = reduce(before, input, this.#deps.clock.now(), this.#deps.transport.spare());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    this.#announce(phaseOf(before));
    this.#settle(phaseOf(before));
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case "media":
        return this.#setMediaOpen(effect.open);
      case "join.failed":
        for (const waiter of this.#joinWaiters.splice(0)) waiter.reject(effect.error);
        return;
      case "tell":
        return this.#tell(effect.sentence);
      case "log":
        return this.#log[effect.level](effect.event, effect.fields);
      case "dropped":
        return this.#drops.count(effect.reason);
      case "put":
      case "send":
      case "unsend":
      case "channel.open":
      case "channel.close":
      case "peer.offer":
      case "peer.answer":
      case "peer.answered":
      case "peer.accept":
      case "peer.candidate":
      case "peer.close":
        return this.#worker.run(effect);
    }
  }

  #tell(sentence: Sentence): void {
    try {
      this.#deps.tell(sentence);
    } catch (error) {
      this.#log.error("handler_failed", { error });
    }
  }

  #settle(old: ChannelPhase): void {
    const phase = this.state;
    if (phase === "in") for (const waiter of this.#joinWaiters.splice(0)) waiter.resolve();
    if (phase === "out") {
      const error = new BotError("cancelled", "out of the channel again");
      for (const waiter of this.#joinWaiters.splice(0)) waiter.reject(error);
    }
    if (phase === "out" || (old === "leaving" && phase === "joining")) {
      for (const waiter of this.#leaveWaiters.splice(0)) waiter.resolve();
    }
  }

  /** Compares what can be seen from outside with what it was and tells the listeners the difference. */
  #announce(old: ChannelPhase): void {
    const before = this.#members;
    const nowMs = this.#deps.clock.now();
    this.#members = visibleMembers(this.#state, nowMs);
    this.#times.update(this.#members.values(), nowMs);
    const phase = this.state;
    if (phase !== old) {
      this.#phaseSinceMs = nowMs;
      this.#log.info("channel_state", { old, new: phase });
      this.#changes.emit({ kind: "state", old, new: phase });
    }
    for (const change of memberChanges(before, this.#members)) {
      const { kind, member } = change;
      this.#log.info("channel_member", { what: kind, peer: member.key, user: member.userId });
      this.#changes.emit(change);
    }
  }

  #setMediaOpen(open: boolean): void {
    if (this.#mediaOpen === open) return;
    this.#mediaOpen = open;
    this.#changes.emit({ kind: "media", open });
  }

  /** The one timer. */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#closed) return;
    const wakeMs = nextWakeMs(this.#state);
    if (wakeMs === null) return;
    const { clock } = this.#deps;
    this.#timer = clock.timer(Math.max(1, Math.ceil(wakeMs - clock.now())), () =>
      this.#dispatch({ kind: "tick" }),
    );
  }
}
