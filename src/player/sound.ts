import { SerialQueue } from "../base/async.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { toBotError, type BotError } from "../base/errors.ts";
import type { MediaPlane, TrackSource } from "../media/plane.ts";
import type { NowPlaying, StoredSource } from "./queue.ts";

export type PlayerPlane = Pick<MediaPlane, "state" | "request" | "onEvent" | "onState">;

export interface SoundDeps {
  plane: PlayerPlane;
  channel: string;
  clock: Clock;
  /** What the plane plays of a source (Sources.open). */
  open: (source: StoredSource, signal: AbortSignal) => Promise<TrackSource>;
  /** What should sound now, and the plane's name for it. */
  wanted: () => { now: NowPlaying | null; play: string | null; volume: number };
  /** What has this name cannot be played. */
  onFailed: (play: string, error: BotError) => void;
  /** The channel did not come up within `PATIENCE_MS`. */
  onStranded: () => void;
  /** The plane has this play now; null: none any more. */
  onOpened?: (play: string | null) => void;
  /** The plane is there and did not answer. @returns whether somebody sees to it; else it is tried again */
  onUnanswered?: (play: string) => boolean;
}

/** How long a track waits for its channel (a crash, a restart, a slow homeserver) before it is held instead. */
export const PATIENCE_MS = 60_000;
const RETRY_MS = 100;
const SLOWEST_RETRY_MS = 2_000;

type InPlane = { play: string; paused: boolean };

/**
 * Makes the media plane sound like what is wanted, by comparing the two: the same code serves a command, the next track,
 * a crashed media child and a channel that opens late.
 */
export class Sound {
  readonly #deps: SoundDeps;
  readonly #serial = new SerialQueue();
  readonly #closing = new AbortController();
  #inPlane: InPlane | null = null;
  #volume: number | null = null;
  #waitingSinceMs: number | null = null;
  #retryMs = RETRY_MS;
  #retry: Timer | null = null;

  constructor(deps: SoundDeps) {
    this.#deps = deps;
  }

  /** Compare and act; soon, in order, never twice at once. */
  reconcile(): void {
    void this.#serial.run(() => this.#step());
  }

  /** What the plane had is gone: its child died, or the channel was closed. */
  forget(): void {
    this.#inPlane = null;
    this.#volume = null;
    this.#deps.onOpened?.(null);
    this.hurry();
  }

  /** What was waited for may be there: try now. */
  hurry(): void {
    this.#retryMs = RETRY_MS;
    this.reconcile();
  }

  /** The plane said that what has this name is over. */
  ended(play: string): void {
    if (this.#inPlane?.play === play) this.#inPlane = null;
  }

  /** Idempotent. What sounds goes on until its channel closes. */
  close(): void {
    this.#closing.abort();
    this.#retry?.cancel();
    this.#retry = null;
  }

  async #step(): Promise<void> {
    this.#retry?.cancel();
    this.#retry = null;
    const { now, play, volume } = this.#deps.wanted();
    if (this.#closing.signal.aborted) return;
    // What is held and not open is opened when it goes on.
    if (now?.phase !== "playing" && !this.#inPlane) {
      this.#waitingSinceMs = null;
      return;
    }
    if (this.#deps.plane.state !== "up") return this.#wait();
    try {
      await this.#act(now, play, volume);
      this.#waitingSinceMs = null;
      this.#retryMs = RETRY_MS;
    } catch (error) {
      this.#onError(toBotError(error), play);
    }
  }

  async #act(now: NowPlaying | null, play: string | null, volume: number): Promise<void> {
    const { plane, channel } = this.#deps;
    if (!now || play === null) {
      this.#inPlane = null;
      await plane.request({ kind: "play.stop", channel });
      return;
    }
    const { track } = now;
    const source =
      this.#inPlane?.play === play
        ? null
        : await this.#deps.open(track.source, this.#closing.signal).catch((error: unknown) => {
            this.#deps.onFailed(play, toBotError(error));
          });
    if (source === undefined) return;
    // Opening may have taken its time: only what is wanted still is started.
    const wanted = this.#deps.wanted();
    if (!wanted.now || wanted.play !== play || this.#closing.signal.aborted) return;
    if (this.#volume !== volume) {
      await plane.request({ kind: "play.volume", channel, percent: volume });
      this.#volume = volume;
    }
    const paused = wanted.now.phase === "paused";
    if (source !== null) {
      // Noted before: the track may end, and the plane fall, before the answer is here.
      this.#inPlane = { play, paused };
      const { positionMs } = wanted.now;
      await plane.request({
        kind: "play.start",
        channel,
        track: play,
        source,
        positionMs,
        paused,
      });
      if (this.#inPlane?.play === play) this.#deps.onOpened?.(play);
    } else if (this.#inPlane && this.#inPlane.paused !== paused) {
      this.#inPlane.paused = paused;
      await plane.request({ kind: paused ? "play.pause" : "play.resume", channel });
    }
  }

  #onError(error: BotError, play: string | null): void {
    if (this.#closing.signal.aborted) return;
    const lost = error.code === "media_plane_down" || error.code === "not_found" || error.code === "timeout";
    this.#inPlane = null;
    this.#volume = null;
    if (play === null) return;
    if (error.code === "timeout" && this.#deps.onUnanswered?.(play) === true) return;
    if (lost) this.#wait();
    else this.#deps.onFailed(play, error);
  }

  #wait(): void {
    const now = this.#deps.clock.now();
    this.#waitingSinceMs ??= now;
    if (now - this.#waitingSinceMs >= PATIENCE_MS) {
      this.#waitingSinceMs = null;
      this.#deps.onStranded();
      return;
    }
    this.#retry?.cancel();
    this.#retry = this.#deps.clock.timer(this.#retryMs, () => this.reconcile());
    this.#retryMs = Math.min(this.#retryMs * 2, SLOWEST_RETRY_MS);
  }
}
