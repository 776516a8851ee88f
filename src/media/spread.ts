import { Emitter } from "../base/emitter.ts";
import { placeErrand, placeRoom, type ChildStanding } from "./placement.ts";
import { planeDown, planeError } from "./plane-error.ts";
import type { MediaPlane, PlaneState } from "./plane.ts";
import { RoomPlane, type ChildPlane, type Place } from "./room-plane.ts";

export interface SpreadOptions {
  /** How many children there may be, from 1; each is forked when rooms need it. */
  children: number;
  createChild: () => ChildPlane;
}

/**
 * The media plane over several children. A room takes a plane of its own from `room()`, and sees the one child that its
 * channel is in: when another dies, it hears nothing of that.
 */
export class SpreadPlane {
  readonly #places: readonly Place[];
  readonly #changes = new Emitter<void>();
  #closed = false;

  constructor({ children, createChild }: SpreadOptions) {
    this.#places = Array.from({ length: Math.max(1, children) }, (_, index) => ({
      ...{ index, plane: createChild(), rooms: new Set<RoomPlane>() },
    }));
    for (const place of this.#places) {
      place.plane.onEvent((event) => {
        if (!("channel" in event)) return;
        for (const room of place.rooms) if (room.channel === event.channel) room.takeEvent(event);
      });
      place.plane.onState((state) => {
        // A new child is empty: who was in the former one opens the channel again.
        if (state === "up") for (const room of place.rooms) room.takeLoss();
        this.#changes.emit();
      });
    }
  }

  /** `down` while any child is being replaced. */
  get state(): PlaneState {
    if (this.#closed) return "closed";
    return this.#places.every(({ plane }) => plane.state === "up") ? "up" : "down";
  }

  /** The processes that there are, each with how many rooms are in it. */
  get children(): { pid: number; rooms: number }[] {
    return this.#places.flatMap(({ plane: { childPid: pid }, rooms }) =>
      pid === null ? [] : [{ pid, rooms: rooms.size }],
    );
  }

  /** Name of the engine of the last child that came up; null before the first. */
  get engine(): string | null {
    return this.#places.find(({ plane }) => plane.engine !== null)?.plane.engine ?? null;
  }

  /** The plane as the channel `channel` sees it. Costs nothing until that is opened, and needs no closing. */
  room(channel: string): MediaPlane {
    return new RoomPlane(channel, {
      state: () => this.#openings(),
      onChange: (listener) => this.#changes.on(listener),
      place: (former) => this.#placeAt(placeRoom(this.#standings(), former)),
      errand: () => this.#placeAt(placeErrand(this.#standings())),
    });
  }

  /** Closes every child. Idempotent, bounded (≤ 3 s). */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#places.map(({ plane }) => plane.close()));
  }

  /** Whether a channel could be opened now. */
  #openings(): PlaneState {
    if (this.#closed) return "closed";
    return this.#places.some(({ plane }) => plane.state === "up") ? "up" : "down";
  }

  #standings(): ChildStanding[] {
    return this.#places.map(({ plane, rooms }) => ({
      state: plane.state !== "up" ? "down" : plane.childPid === null ? "asleep" : "awake",
      load: [...rooms].reduce((sum, room) => sum + room.load, 0),
    }));
  }

  #placeAt(index: number | null): Place {
    const place = index === null ? undefined : this.#places[index];
    if (this.#closed) throw planeError("media_plane_down", "the media plane is closed", false);
    if (!place) throw planeDown("the media children are being replaced");
    return place;
  }
}
