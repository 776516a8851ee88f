import type { Clock, Timer } from "../base/clock.ts";
import { SeenSet } from "../base/collections.ts";
import { Emitter } from "../base/emitter.ts";
import { BotError, messageOf, toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { IceSettings, MediaPlane, PlaneEvent } from "../media/plane.ts";
import { decodeRoomEvent } from "./border.ts";
import { GLARE_FIELD, GLARE_RULE, isStateKey } from "./codec.ts";
import { DropCounter } from "./drops.ts";
import type { ChannelRoomEvent, ChannelTransport } from "./ports.ts";
import { nextWakeMs, reduce } from "./reducer.ts";
import { initialState } from "./state.ts";
import type { ChannelInput, ChannelLimits, ChannelState, Effect } from "./state.ts";
import { memberChanges, phaseOf, visibleMembers } from "./visible.ts";
import type { ChannelChange, ChannelMember, ChannelPhase } from "./visible.ts";

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
  readonly #seen = new SeenSet<string>(SEEN_EVENTS);
  readonly #changes: Emitter<ChannelChange>;
  readonly #unsubscribe: (() => void)[];
  readonly #queue: ChannelInput[] = [];
  #state: ChannelState;
  #members: ReadonlyMap<string, ChannelMember> = new Map();
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
    this.#log = deps.log.child({ room: deps.channel });
    this.#drops = new DropCounter(clock, this.#log);
    this.#changes = new Emitter((error) => this.#log.error("handler_failed", { error }));
    this.#state = initialState(deps.ownKey, deps.ownUserId, plane.state === "up", deps.limits);
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
    if (this.#mediaOpen && !this.#closed)
      this.#openOnPlane().catch((error: unknown) => this.#planeError(error));
  }

  /** Closes what is open on the plane, without a word to the room: `leave()` first. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#changes.clear();
    if (this.state !== "out") this.#closeOnPlane();
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
    const { state, effects } = reduce(before, input, this.#deps.clock.now());
    this.#state = state;
    if (!state.planeUp) this.#setMediaOpen(false);
    for (const effect of effects) this.#perform(effect);
    this.#announce(phaseOf(before));
    this.#settle(phaseOf(before));
  }

  #perform(effect: Effect): void {
    const { channel, plane, tell } = this.#deps;
    switch (effect.do) {
      case "put":
        return this.#put(effect);
      case "channel.open": {
        const { openId } = effect;
        return this.#then(
          this.#openOnPlane(),
          () => {
            this.#setMediaOpen(true);
            this.#dispatch({ kind: "open.done", openId });
          },
          (error) => this.#dispatch({ kind: "open.failed", openId, error }),
        );
      }
      case "channel.close":
        return this.#closeOnPlane();
      case "peer.offer":
      case "peer.answer": {
        const { key, connection } = effect;
        const made =
          effect.do === "peer.offer"
            ? plane.request<"peer.offer">({ kind: "peer.offer", channel, peer: key })
            : plane.request<"peer.answer">({ kind: "peer.answer", channel, peer: key, sdp: effect.sdp });
        return this.#then(
          made,
          ({ sdp }) => this.#dispatch({ kind: "described", key, connection, sdp }),
          (error) => this.#broken(key, connection, error),
        );
      }
      case "peer.accept": {
        const { key, connection, sdp } = effect;
        const done = plane.request<"peer.accept">({ kind: "peer.accept", channel, peer: key, sdp });
        return this.#then(done, ignore, (error) => this.#broken(key, connection, error));
      }
      case "peer.candidate": {
        const { key, candidate, mid } = effect;
        const done = plane.request<"peer.candidate">({
          kind: "peer.candidate",
          channel,
          peer: key,
          candidate,
          mid,
        });
        return this.#then(done, ignore, (error) => this.#planeError(error));
      }
      case "peer.close": {
        const done = plane.request<"peer.close">({ kind: "peer.close", channel, peer: effect.key });
        return this.#then(done, ignore, (error) => this.#planeError(error));
      }
      case "send":
        return this.#send(effect);
      case "join.failed":
        for (const waiter of this.#joinWaiters.splice(0)) waiter.reject(effect.error);
        return;
      case "tell":
        tell(effect.sentence);
        return;
      case "log":
        this.#log[effect.level](effect.event, effect.fields);
        return;
      case "dropped":
        this.#drops.count(effect.reason);
    }
  }

  #put(effect: Extract<Effect, { do: "put" }>): void {
    const { putId, joinState, priority } = effect;
    const { transport, ownKey, clock } = this.#deps;
    const content = { join_state: joinState, timestamp: clock.wall(), [GLARE_FIELD]: GLARE_RULE };
    this.#then(
      transport.putMembership(ownKey, content, priority),
      (eventId) => this.#dispatch({ kind: "put.done", putId, joinState, eventId }),
      (error) => {
        this.#log.warn("send_failed", { what: joinState, code: error.code, reason: error.message });
        this.#dispatch({ kind: "put.failed", putId, error });
      },
    );
  }

  #send(effect: Extract<Effect, { do: "send" }>): void {
    const { key, connection, content, priority } = effect;
    this.#then(
      this.#deps.transport.sendSignal(content, priority),
      () => {
        if (connection !== null) this.#dispatch({ kind: "sent", key, connection });
      },
      (error) => {
        this.#log.warn("send_failed", { what: priority, peer: key, code: error.code, reason: error.message });
        if (connection !== null) this.#dispatch({ kind: "peer.broken", key, connection, error });
      },
    );
  }

  #broken(key: string, connection: number, error: BotError): void {
    this.#log.info("peer_state", { peer: key, state: "broken", code: error.code, reason: error.message });
    this.#dispatch({ kind: "peer.broken", key, connection, error });
  }

  async #openOnPlane(): Promise<void> {
    const { channel, plane, ice, bitrate } = this.#deps;
    await plane.request<"channel.open">({ kind: "channel.open", channel, ice: ice(), bitrate });
  }

  #closeOnPlane(): void {
    const { channel, plane } = this.#deps;
    this.#setMediaOpen(false);
    if (plane.state !== "up") return;
    const done = plane.request<"channel.close">({ kind: "channel.close", channel });
    this.#then(done, ignore, (error) => this.#planeError(error));
  }

  /** What the plane would not do for a connection that is given up anyway. */
  #planeError(error: unknown): void {
    this.#log.debug("engine_error", { reason: messageOf(error) });
  }

  /** No promise of the plane or the homeserver goes unheard, and none is heard after `close()`. */
  #then<T>(work: Promise<T>, done: (value: T) => void, failed: (error: BotError) => void): void {
    const outcome = async (): Promise<void> => {
      let value: T;
      try {
        value = await work;
      } catch (error) {
        if (!this.#closed) failed(toBotError(error));
        return;
      }
      if (!this.#closed) done(value);
    };
    outcome().catch((error: unknown) => this.#log.error("handler_failed", { error }));
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
    this.#members = visibleMembers(this.#state, this.#deps.clock.now());
    const phase = this.state;
    if (phase !== old) {
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

function ignore(): void {}
