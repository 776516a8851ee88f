import type { Clock, Timer } from "../../base/clock.ts";
import { Allowance } from "../../base/allowance.ts";
import { BoundedMap } from "../../base/collections.ts";
import { Emitter } from "../../base/emitter.ts";
import type { MediaPlane, TrackSource } from "../../media/plane.ts";
import type { QueueState, StoredSource, Track } from "../queue.ts";
import type { Cover, Covers, PicturePlace } from "./covers.ts";

export interface RoomCoversDeps {
  covers: Pick<Covers, "find">;
  plane: Pick<MediaPlane, "request">;
  /** As Sources. */
  open: (source: StoredSource, signal: AbortSignal) => Promise<TrackSource>;
  /** Path of a picture that lies beside a source's file, see Sources. */
  beside: (source: StoredSource) => Promise<string | null>;
  /** Whether anybody is shown one. */
  isWanted: () => boolean;
  /** Whether the homeserver has more important things of us to take. */
  isBusy: () => boolean;
  clock: Clock;
}

/** The first sound comes first: after a change of what is on or next. */
const AFTER_MS = 1_000;
const BUSY_MS = 5_000;
/** Files that were opened, where each is. */
const OPENED = 8;
/** Uploads of a room: so many an hour, and as many at once. */
const UPLOADS_AN_HOUR = 60;
/** On this machine already: they may be opened for their picture alone. */
const LOCAL: readonly StoredSource["kind"][] = ["library", "upload"];

/** The covers of what is on in a room, and of what comes next: that one is there when its turn comes. */
export class RoomCovers {
  readonly #deps: RoomCoversDeps;
  readonly #changes = new Emitter<void>();
  readonly #closing = new AbortController();
  readonly #uploads = new Allowance(UPLOADS_AN_HOUR / 3_600, UPLOADS_AN_HOUR);
  readonly #paths = new BoundedMap<string, string>(OPENED);
  /** Of what is on and what is next, as far as it was looked for. */
  #found = new Map<string, Cover | null>();
  #state: Pick<QueueState, "now" | "upcoming"> = { now: null, upcoming: [] };
  #timer: Timer | null = null;
  #working = false;

  constructor(deps: RoomCoversDeps) {
    this.#deps = deps;
  }

  /** Null when there is none, or none yet. */
  of(trackId: string): Cover | null {
    return this.#found.get(trackId) ?? null;
  }

  /** Called when what is on got its cover. @returns a function that removes the listener */
  onChange(listener: () => void): () => void {
    return this.#changes.on(listener);
  }

  /** The player has opened a source. */
  opened(source: StoredSource, opened: TrackSource): void {
    if ("path" in opened) this.#paths.set(JSON.stringify(source), opened.path);
  }

  changed(state: Pick<QueueState, "now" | "upcoming">): void {
    this.#state = state;
    const ids = new Set(this.#tracks().map(({ id }) => id));
    this.#found = new Map([...this.#found].filter(([id]) => ids.has(id)));
    if (this.#next() !== null && this.#timer === null && !this.#working) this.#later(AFTER_MS);
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #tracks(): Track[] {
    const { now, upcoming } = this.#state;
    return [...(now ? [now.track] : []), ...upcoming.slice(0, 1)];
  }

  /** The track that is to be looked at next. A room in which nothing plays needs no media process for it. */
  #next(): Track | null {
    if (this.#state.now?.phase !== "playing" || !this.#deps.isWanted()) return null;
    return this.#tracks().find((track) => !this.#found.has(track.id) && this.#mayHave(track)) ?? null;
  }

  #mayHave({ source }: Track): boolean {
    return LOCAL.includes(source.kind) || this.#paths.get(JSON.stringify(source)) !== undefined;
  }

  #later(ms: number): void {
    if (this.#closing.signal.aborted) return;
    this.#timer = this.#deps.clock.timer(ms, () => {
      this.#timer = null;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let track = this.#next(); track; track = this.#next()) {
      if (this.#closing.signal.aborted) break;
      if (this.#deps.isBusy()) {
        this.#later(BUSY_MS);
        break;
      }
      const { id } = track;
      const cover = await this.#look(track);
      if (!this.#tracks().some((each) => each.id === id)) continue;
      this.#found.set(id, cover);
      if (cover && this.#state.now?.track.id === id) this.#changes.emit();
    }
    this.#working = false;
  }

  async #look({ source, picture: claimed }: Track): Promise<Cover | null> {
    const { covers, plane, open, beside, clock } = this.#deps;
    const { signal } = this.#closing;
    const firstOf = (places: readonly PicturePlace[]): Promise<Cover | null> =>
      covers.find({ places, plane, mayUpload: () => this.#uploads.take(clock.now()) });
    try {
      const path = this.#paths.get(JSON.stringify(source));
      const opened = path === undefined ? await open(source, signal) : { path };
      const own = "path" in opened ? await firstOf([{ path: opened.path }]) : null;
      if (own) return own;
      const picture = await beside(source);
      return await firstOf([
        ...(picture === null ? [] : [{ path: picture }]),
        ...(claimed === undefined ? [] : [{ url: claimed }]),
      ]);
    } catch {
      // What cannot be opened is told when its turn comes.
      return null;
    }
  }
}
