import { z } from "zod";
import type { MediaPlane, PlaneEvent } from "../media/plane.ts";

export interface ListenerVolumesDeps {
  plane: Pick<MediaPlane, "request" | "onEvent">;
  /** The media plane's name of the room's channel. */
  channel: string;
  documents: {
    read<T>(name: string, schema: z.ZodType<T>): T | null;
    write(name: string, value: unknown): void;
  };
  /** Who is in the channel, by whom and with which device: the plane's name for the peer. */
  members: () => readonly { key: string; userId: string }[];
}

/** Document: percent by user id, those who set theirs last at the end. */
const DOCUMENT = "listener-volumes";
const volumesSchema = z.record(z.string(), z.number().min(0).max(200));
/** Who set theirs first is forgotten beyond it. */
const MAX_KEPT = 1_000;

/** How loud single people have the music for themselves; kept for the room, whatever device they come with. */
export class ListenerVolumes {
  readonly #deps: ListenerVolumesDeps;
  readonly #unsubscribe: () => void;

  constructor(deps: ListenerVolumesDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.plane.onEvent((event) => this.#onPlane(event));
  }

  /** In percent of what everybody hears; null: they hear that. */
  of(userId: string): number | null {
    return this.#load().get(userId) ?? null;
  }

  /** @param percent 0 to 200; null: as everybody */
  set(userId: string, percent: number | null): void {
    const percents = this.#load();
    percents.delete(userId);
    if (percent !== null) percents.set(userId, percent);
    const [oldest] = percents.keys();
    if (percents.size > MAX_KEPT && oldest !== undefined) percents.delete(oldest);
    this.#deps.documents.write(DOCUMENT, Object.fromEntries(percents));
    for (const member of this.#deps.members())
      if (member.userId === userId) this.#ask(member.key, percent ?? 100);
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Each time anew: a room that takes another's place gets its documents later. */
  #load(): Map<string, number> {
    return new Map(Object.entries(this.#deps.documents.read(DOCUMENT, volumesSchema) ?? {}));
  }

  /** A connection is being made: what its owner has set is known there before its first sound. */
  #onPlane(event: PlaneEvent): void {
    if (event.kind !== "peer.state" || event.channel !== this.#deps.channel) return;
    if (event.state !== "connecting" && event.state !== "connected") return;
    const owner = this.#deps.members().find(({ key }) => key === event.peer)?.userId;
    const percent = owner === undefined ? null : this.of(owner);
    if (percent !== null) this.#ask(event.peer, percent);
  }

  #ask(peer: string, percent: number): void {
    const { plane, channel } = this.#deps;
    // A channel that is gone takes it along; it is said again to the next connection.
    plane.request({ kind: "peer.volume", channel, peer, percent }).catch(() => undefined);
  }
}
