import { BotError } from "../base/errors.ts";
import type { TrackSource } from "../media/plane.ts";
import type { StoredSource } from "./queue.ts";

/** A play that comes after the one that is on, and what it is made of. */
export interface Following {
  play: string;
  source: StoredSource;
  /** Its turn comes when somebody skips, or much later: nothing is fetched from the web for that. */
  early: boolean;
}

interface Wanted extends Pick<Following, "play" | "early"> {
  abort: AbortController;
  opening: Promise<TrackSource>;
  isOver: boolean;
}

type Open = (source: StoredSource, signal: AbortSignal) => Promise<TrackSource>;

/** Opens the source of what comes next before its turn, so that a download is over by then. One at a time. */
export class Ahead {
  readonly #open: Open;
  readonly #isHere: (source: StoredSource) => Promise<boolean> | boolean;
  readonly #onOpened: () => void;
  #wanted: Wanted | null = null;
  #opened: TrackSource | null = null;

  /** @param isHere whether it can be opened with nothing fetched from the web */
  constructor(
    open: Open,
    isHere: (source: StoredSource) => Promise<boolean> | boolean,
    onOpened: () => void,
  ) {
    this.#open = open;
    this.#isHere = isHere;
    this.#onOpened = onOpened;
  }

  /**
   * Opens it, unless it was opened or has failed already; whatever else was wanted is given up. What was opened early is
   * opened again when its turn is near: it may have failed for a reason that is gone, and its file may be gone.
   */
  want(following: Following | null): void {
    const before = this.#wanted;
    if (before?.play === following?.play) {
      if (!before || !following || !before.isOver || !before.early || following.early) return;
    } else {
      before?.abort.abort();
      this.#opened = null;
    }
    this.#wanted = null;
    if (!following) return;
    const { play, source, early } = following;
    const abort = new AbortController();
    const opening = early ? this.#openHere(source, abort.signal) : this.#open(source, abort.signal);
    const wanted: Wanted = { play, early, abort, opening, isOver: false };
    this.#wanted = wanted;
    void this.#note(wanted);
  }

  /** What was opened early is to be opened anew. Returns whether there was any. */
  renew(): boolean {
    if (this.#wanted?.early !== true) return false;
    this.want(null);
    return true;
  }

  /** Whether this play could not be opened, so far. */
  hasFailed(play: string): boolean {
    return this.#wanted?.play === play && this.#wanted.isOver && this.#opened === null;
  }

  /** Null as long as it is not open, and when it cannot be. */
  opened(play: string): TrackSource | null {
    return this.#wanted?.play === play ? this.#opened : null;
  }

  /** What is on its way, or there, for this play; from now on the caller's, until `signal`. Null: open it anew. */
  take(play: string, signal: AbortSignal): Promise<TrackSource> | null {
    if (this.#wanted?.play !== play) return null;
    const { opening, abort, early, isOver } = this.#wanted;
    const isGood = this.#opened !== null;
    this.#wanted = null;
    this.#opened = null;
    if (early && isOver && !isGood) return null;
    signal.addEventListener("abort", () => abort.abort(), { once: true });
    return opening;
  }

  async #openHere(source: StoredSource, signal: AbortSignal): Promise<TrackSource> {
    if (!(await this.#isHere(source))) throw new BotError("not_found", "to be fetched at its turn");
    if (signal.aborted) throw new BotError("cancelled", "cancelled");
    return this.#open(source, signal);
  }

  async #note(wanted: Wanted): Promise<void> {
    try {
      const opened = await wanted.opening;
      if (this.#wanted !== wanted) return;
      this.#opened = opened;
      this.#onOpened();
    } catch {
      // What is wrong with it is told when its turn comes, if it still is then.
    } finally {
      wanted.isOver = true;
    }
  }

  /** It is not to be offered again. */
  giveUp(play: string): void {
    if (this.#wanted?.play === play) this.#opened = null;
  }
}
