import type { MediaPlane, TrackSource } from "../../media/plane.ts";
import { isNear, type QueueState, type StoredSource, type Track } from "../queue.ts";
import type { LoudnessScans } from "./scans.ts";

export interface ScanAheadDeps {
  plane: Pick<MediaPlane, "request">;
  scans: Pick<LoudnessScans, "measure">;
  open: (source: StoredSource, signal: AbortSignal) => Promise<TrackSource>;
}

/** Of those that wait: the next one may be skipped to at any time. */
const TRACKS = 5;

/** Has measured what waits in a room's queue while something plays, so that it begins as loud as it should be. */
export class ScanAhead {
  readonly #deps: ScanAheadDeps;
  readonly #closing = new AbortController();
  /** Tracks of the present queue that were asked for. */
  #asked = new Set<string>();
  #wanted: Track[] = [];
  #working = false;

  constructor(deps: ScanAheadDeps) {
    this.#deps = deps;
  }

  changed({ now, upcoming }: Pick<QueueState, "now" | "upcoming">): void {
    const first = upcoming.slice(0, TRACKS).filter(({ source }) => isNear(source));
    this.#asked = new Set(first.map(({ id }) => id).filter((id) => this.#asked.has(id)));
    // A room in which nothing plays needs no media process for it.
    this.#wanted = now?.phase === "playing" ? first.filter(({ id }) => !this.#asked.has(id)) : [];
    if (!this.#working) void this.#work();
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#wanted = [];
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let track = this.#wanted.shift(); track; track = this.#wanted.shift()) {
      this.#asked.add(track.id);
      const source = await this.#deps.open(track.source, this.#closing.signal).catch(() => null);
      if (source && "path" in source) await this.#deps.scans.measure(source.path, this.#deps.plane);
    }
    this.#working = false;
  }
}
