import type { MediaPlane, PlaneEvent } from "../media/plane.ts";

/** By how many dB the music is turned down while somebody speaks; "on": by as much as is usual; "off": not at all. */
export type DuckWish = "on" | "off" | number;

export interface DuckingDeps {
  plane: Pick<MediaPlane, "request" | "onEvent">;
  /** The media plane's name of the room's channel. */
  channel: string;
  /** What the room wants now. */
  wish: () => DuckWish;
}

const USUAL_DB = 12;

/** Keeps the media plane to what a room wants of its music beside voices. */
export class Ducking {
  readonly #deps: DuckingDeps;
  readonly #unsubscribe: () => void;

  constructor(deps: DuckingDeps) {
    this.#deps = deps;
    // Before anybody can be heard; the channel may be a new one since the last.
    this.#unsubscribe = deps.plane.onEvent((event) => this.#onPlane(event));
  }

  /** The room wants it otherwise. */
  changed(): void {
    const { plane, channel, wish } = this.#deps;
    const wanted = wish();
    const db = wanted === "off" ? 0 : wanted === "on" ? USUAL_DB : wanted;
    // A channel that is not open will be told when somebody comes.
    plane.request({ kind: "duck", channel, db }).catch(() => undefined);
  }

  close(): void {
    this.#unsubscribe();
  }

  #onPlane(event: PlaneEvent): void {
    if (event.kind !== "peer.state" || event.channel !== this.#deps.channel) return;
    if (event.state === "connecting" && this.#deps.wish() !== "off") this.changed();
  }
}
