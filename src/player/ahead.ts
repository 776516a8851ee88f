import type { TrackSource } from "../media/plane.ts";
import type { StoredSource } from "./queue.ts";

/** A play that comes after the one that is on, and what it is made of. */
export interface Following {
  play: string;
  source: StoredSource;
}

type Open = (source: StoredSource, signal: AbortSignal) => Promise<TrackSource>;

/** Opens the source of what comes next before its turn, so that a download is over by then. One at a time. */
export class Ahead {
  readonly #open: Open;
  readonly #onOpened: () => void;
  #wanted: { play: string; abort: AbortController; opening: Promise<TrackSource> } | null = null;
  #opened: TrackSource | null = null;

  constructor(open: Open, onOpened: () => void) {
    this.#open = open;
    this.#onOpened = onOpened;
  }

  /** Opens it, unless it was opened or has failed already; whatever else was wanted is given up. */
  want(following: Following | null): void {
    if (this.#wanted?.play === following?.play) return;
    this.#wanted?.abort.abort();
    this.#opened = null;
    this.#wanted = null;
    if (!following) return;
    const { play, source } = following;
    const abort = new AbortController();
    const opening = this.#open(source, abort.signal);
    this.#wanted = { play, abort, opening };
    void this.#note(opening);
  }

  /** Null as long as it is not open, and when it cannot be. */
  opened(play: string): TrackSource | null {
    return this.#wanted?.play === play ? this.#opened : null;
  }

  /** What is on its way, or there, for this play; from now on the caller's, until `signal`. Null: nothing was begun. */
  take(play: string, signal: AbortSignal): Promise<TrackSource> | null {
    if (this.#wanted?.play !== play) return null;
    const { opening, abort } = this.#wanted;
    signal.addEventListener("abort", () => abort.abort(), { once: true });
    this.#wanted = null;
    this.#opened = null;
    return opening;
  }

  async #note(opening: Promise<TrackSource>): Promise<void> {
    try {
      const opened = await opening;
      if (this.#wanted?.opening !== opening) return;
      this.#opened = opened;
      this.#onOpened();
    } catch {
      // What is wrong with it is told when its turn comes, if it still is then.
    }
  }

  /** It is not to be offered again. */
  giveUp(play: string): void {
    if (this.#wanted?.play === play) this.#opened = null;
  }
}
