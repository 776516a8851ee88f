import { Emitter } from "../base/emitter.ts";
import { BotError } from "../base/errors.ts";
import { roomLoad } from "./placement.ts";
import { planeError } from "./plane-error.ts";
import type {
  MediaPlane,
  PlaneEvent,
  PlaneRequest,
  PlaneRequestKind,
  PlaneResult,
  PlaneState,
} from "./plane.ts";

/** A plane whose media are in one child process. */
export interface ChildPlane extends MediaPlane {
  /** Process id; null while no process is needed, or it is being replaced. */
  readonly childPid: number | null;
  /** Name of its engine; null before the first process came up. */
  readonly engine: string | null;
}

/** One child and the rooms whose channels are in it. */
export interface Place {
  readonly index: number;
  readonly plane: ChildPlane;
  readonly rooms: Set<RoomPlane>;
}

/** What a room's plane asks of the spread plane that it is of. */
export interface Places {
  /** Whether any child takes a channel. */
  state(): PlaneState;
  /** Some child came or went. @returns a function that removes the listener. */
  onChange(listener: () => void): () => void;
  /** The child for this room now. @throws BotError `media_plane_down` when there is none */
  place(former: number | null): Place;
  /** A child for what belongs to no channel. @throws BotError `media_plane_down` when there is none */
  errand(): Place;
}

/*
 * Where the channel is:
 *
 *            channel.open                        channel.close answered
 *   nowhere ─────────────► at a child ─────────────────────────────────► nowhere
 *      ▲                      │
 *      └── the child died, a new and empty one is there (`up`): returns there when opened again
 *
 * The state of the port is that child's, or, nowhere, whether any child takes a channel.
 */
/** The media plane as one channel sees it, wherever among the children it is. */
export class RoomPlane implements MediaPlane {
  readonly channel: string;
  readonly #places: Places;
  readonly #events = new Emitter<PlaneEvent>();
  readonly #states = new Emitter<PlaneState>();
  /** Whom the child keeps a connection for. */
  readonly #peers = new Set<string>();
  #place: Place | null = null;
  /** Index of the child that the channel was lost with. */
  #former: number | null = null;
  /** Times that the channel was asked for, and of those without an answer. */
  #opens = 0;
  #opening = 0;
  #closed = false;
  #shown: PlaneState;
  #listeners = 0;
  #unfollow: (() => void) | null = null;

  constructor(channel: string, places: Places) {
    this.channel = channel;
    this.#places = places;
    this.#shown = places.state();
  }

  get state(): PlaneState {
    if (this.#closed) return "closed";
    return this.#place?.plane.state ?? this.#places.state();
  }

  get load(): number {
    return roomLoad(this.#peers.size);
  }

  async request<K extends PlaneRequestKind>(
    request: Extract<PlaneRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<PlaneResult<K>> {
    if (this.#closed) throw planeError("media_plane_down", "the media plane is closed", false);
    // The generic type says too little for a switch.
    const asked: PlaneRequest = request;
    if (!("channel" in asked))
      return (this.#place ?? this.#places.errand()).plane.request<K>(request, signal);
    if (asked.channel !== this.channel) throw notFound(asked.channel);
    if (asked.kind === "channel.open") return this.#openChannel((place) => place.plane.request<K>(request));
    const place = this.#place;
    if (place === null) {
      if (this.#places.state() === "closed")
        throw planeError("media_plane_down", "the media plane is closed", false);
      if (asked.kind === "channel.close") return {} as PlaneResult<K>;
      throw notFound(this.channel);
    }
    if (asked.kind === "channel.close")
      return this.#closeChannel(place, () => place.plane.request<K>(request));
    if (asked.kind === "peer.close") this.#peers.delete(asked.peer);
    if (asked.kind === "peer.offer" || asked.kind === "peer.answer") this.#peers.add(asked.peer);
    return place.plane.request<K>(request);
  }

  onEvent(listener: (event: PlaneEvent) => void): () => void {
    return this.#events.on(listener);
  }

  onState(listener: (state: PlaneState) => void): () => void {
    const leave = this.#states.on(listener);
    // Nobody but who listens is kept from being forgotten.
    if (this.#listeners++ === 0) {
      this.#shown = this.state;
      this.#unfollow = this.#places.onChange(() => this.#show());
    }
    let gone = false;
    return () => {
      if (gone) return;
      gone = true;
      leave();
      if (--this.#listeners > 0) return;
      this.#unfollow?.();
      this.#unfollow = null;
    };
  }

  /** Closes the channel; the children stay. As bounded as `channel.close` is. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const place = this.#place;
    this.#leave();
    this.#closed = true;
    this.#show();
    const channel = this.channel;
    await place?.plane.request({ kind: "channel.close", channel }).catch(() => undefined);
  }

  /** What the channel's child tells of it. */
  takeEvent(event: PlaneEvent): void {
    if (event.kind === "peer.state" && (event.state === "closed" || event.state === "failed"))
      this.#peers.delete(event.peer);
    this.#events.emit(event);
  }

  /** The child is a new one, in which there is no channel. */
  takeLoss(): void {
    // Asked for while there was none: what has no answer yet is done by the new one.
    if (this.#opening > 0) return;
    this.#former = this.#place?.index ?? null;
    this.#leave();
  }

  #settle(): Place {
    if (this.#place !== null) return this.#place;
    const place = this.#places.place(this.#former);
    place.rooms.add(this);
    this.#place = place;
    this.#former = null;
    this.#show();
    return place;
  }

  #leave(): void {
    this.#place?.rooms.delete(this);
    this.#place = null;
    this.#peers.clear();
  }

  async #openChannel<T>(open: (place: Place) => Promise<T>): Promise<T> {
    const place = this.#settle();
    this.#opens++;
    this.#opening++;
    try {
      return await open(place);
    } finally {
      this.#opening--;
    }
  }

  async #closeChannel<T>(place: Place, closing: () => Promise<T>): Promise<T> {
    const opens = this.#opens;
    // A close that failed (it took too long) may leave the channel there, so the room stays with that child.
    const result = await closing();
    if (this.#opens === opens && this.#place === place) {
      this.#leave();
      this.#show();
    }
    return result;
  }

  #show(): void {
    const { state } = this;
    if (this.#shown === state) return;
    this.#shown = state;
    this.#states.emit(state);
  }
}

function notFound(channel: string): BotError {
  return new BotError("not_found", `there is no channel ${channel}`);
}
