import { SerialQueue, withTimeout } from "../base/async.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { toBotError, type BotError } from "../base/errors.ts";
import { NO_FILTERS, sameFilters } from "../media/messages.ts";
import type { Filters, MediaPlane, TrackSource } from "../media/plane.ts";
import { Ahead, type Following } from "./ahead.ts";
import { isNear, type NowPlaying, type StoredSource } from "./queue.ts";
import { StandBy } from "./stand-by.ts";

export type PlayerPlane = Pick<MediaPlane, "state" | "request" | "onEvent" | "onState">;

export interface SoundDeps {
  plane: PlayerPlane;
  channel: string;
  clock: Clock;
  /** What the plane plays of a source (Sources.open). */
  open: (source: StoredSource, signal: AbortSignal) => Promise<TrackSource>;
  /** Whether a source can be opened with nothing fetched from the web (Sources.isHere). Default: what never comes from there. */
  isHere?: ((source: StoredSource) => Promise<boolean> | boolean) | undefined;
  /** Of all rooms. Default: as if this was the only one. */
  standBy?: StandBy | undefined;
  /** What should sound now, the plane's name for it, and what comes next, if it may be opened. */
  wanted: () => Wanted;
  /** What has this name cannot be played. */
  onFailed: (play: string, error: BotError) => void;
  /** Somebody is on the way to hear it, and nobody does yet. */
  awaited?: () => boolean;
  /** The channel did not come up within `PATIENCE_MS`. */
  onStranded: () => void;
  /** The plane has this play now; null: none any more. */
  onOpened?: (play: string | null) => void;
  /** The plane is there and did not answer. @returns whether somebody sees to it; else it is tried again */
  onUnanswered?: (play: string) => boolean;
}

export interface Wanted {
  now: NowPlaying | null;
  play: string | null;
  volume: number;
  filters: Filters;
  next: Following | null;
}

/** How long a track waits for its channel (a crash, a restart, a slow homeserver) before it is held instead. */
export const PATIENCE_MS = 60_000;
/** Longer than the plane's own bound: what is done on the way to it may hang too (a disk that is looked at). */
const START_MS = 8_000;
const RETRY_MS = 100;
const SLOWEST_RETRY_MS = 2_000;
/** How long what was interrupted waits for somebody who hears it again. */
const AWAITED_MS = 30_000;
/** A file is open in a few ms. */
const HUSH_MS = 300;

type InPlane = { play: string; paused: boolean };

/**
 * Makes the media plane sound like what is wanted, by comparing the two: the same code serves a command, the next track,
 * a crashed media child and a channel that opens late.
 */
export class Sound {
  readonly #deps: SoundDeps;
  readonly #serial = new SerialQueue();
  readonly #closing = new AbortController();
  readonly #ahead: Ahead;
  readonly #standBy: StandBy;
  #inPlane: InPlane | null = null;
  /** What is being opened, to be on. */
  #opening: { play: string; abort: AbortController } | null = null;
  /** The play that follows it in the plane. */
  #next: string | null = null;
  #volume: number | null = null;
  /** A new channel has none; null: not known. */
  #filters: Filters | null = NO_FILTERS;
  #waitingSinceMs: number | null = null;
  /** When the plane lost what sounded. */
  #lostAtMs: number | null = null;
  #retryMs = RETRY_MS;
  #retry: Timer | null = null;

  constructor(deps: SoundDeps) {
    this.#deps = deps;
    this.#standBy = deps.standBy ?? new StandBy();
    this.#ahead = new Ahead(deps.open, deps.isHere ?? isNear, () => this.reconcile());
  }

  /** Compare and act; soon, in order, never twice at once. */
  reconcile(): void {
    // A download that nobody wants to hear any more must not hold up what they want instead.
    if (this.#opening && this.#deps.wanted().play !== this.#opening.play) this.#opening.abort.abort();
    void this.#serial.run(() => this.#step());
  }

  /** What the plane had is gone: its child died, or the channel was closed. */
  forget(): void {
    if (this.#inPlane?.paused === false) this.#lostAtMs = this.#deps.clock.now();
    this.#inPlane = null;
    this.#next = null;
    this.#volume = null;
    this.#filters = NO_FILTERS;
    this.#standBy.letGo(this);
    this.#deps.onOpened?.(null);
    this.hurry();
  }

  /** What was waited for may be there: try now. */
  hurry(): void {
    this.#retryMs = RETRY_MS;
    this.reconcile();
  }

  /** The plane said that what has this name is over, and what plays on. */
  ended(play: string, follows: string | null = null): void {
    if (this.#inPlane?.play !== play) return;
    if (follows !== null) this.#next = null;
    // It may have been told to pause, and the next one was paused.
    this.#inPlane = follows === null ? null : { ...this.#inPlane, play: follows };
  }

  /** Idempotent. What sounds goes on until its channel closes. */
  close(): void {
    this.#closing.abort();
    this.#opening?.abort.abort();
    this.#ahead.want(null);
    this.#standBy.letGo(this);
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
      this.#standBy.letGo(this);
      return;
    }
    if (this.#deps.plane.state !== "up") return this.#wait();
    if (this.#isAwaited()) return this.#again(RETRY_MS);
    try {
      await this.#act(now, play, volume);
      if (!this.#closing.signal.aborted) await this.#prepare();
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
      this.#next = null;
      await plane.request({ kind: "play.stop", channel });
      return;
    }
    const { track } = now;
    const source = this.#inPlane?.play === play ? null : await this.#open(play, track.source);
    if (source === undefined) return;
    // Opening may have taken its time: only what is wanted still is started.
    const wanted = this.#deps.wanted();
    if (!wanted.now || wanted.play !== play || this.#closing.signal.aborted) return;
    if (this.#volume !== volume) {
      await plane.request({ kind: "play.volume", channel, percent: volume });
      this.#volume = volume;
    }
    await this.#filter(wanted.filters);
    const paused = wanted.now.phase === "paused";
    if (source !== null) {
      // Noted before: the track may end, and the plane fall, before the answer is here.
      this.#inPlane = { play, paused };
      this.#next = null;
      const { positionMs } = wanted.now;
      const start = { kind: "play.start", channel, track: play, source, positionMs, paused } as const;
      await withTimeout(this.#deps.clock, START_MS, "play.start", plane.request(start));
      this.#lostAtMs = null;
      if (this.#inPlane?.play === play) this.#deps.onOpened?.(play);
    } else if (this.#inPlane && this.#inPlane.paused !== paused) {
      this.#inPlane.paused = paused;
      await plane.request({ kind: paused ? "play.pause" : "play.resume", channel });
    }
  }

  /** Undefined when it cannot be opened, which is told, or is not wanted any more. */
  async #open(play: string, source: StoredSource): Promise<TrackSource | undefined> {
    const abort = new AbortController();
    this.#opening = { play, abort };
    const { promise: givenUp, resolve: giveUp } = Promise.withResolvers<undefined>();
    abort.signal.addEventListener("abort", () => giveUp(undefined), { once: true });
    const opening = this.#ahead.take(play, abort.signal) ?? this.#deps.open(source, abort.signal);
    const hush = this.#deps.clock.timer(HUSH_MS, () => this.#hush());
    try {
      return await Promise.race([opening, givenUp]);
    } catch (error) {
      if (!abort.signal.aborted) this.#deps.onFailed(play, toBotError(error));
      return undefined;
    } finally {
      hush.cancel();
      this.#opening = null;
      opening.catch(() => undefined);
    }
  }

  /** What is over must not go on sounding while the next is on its way here. */
  #hush(): void {
    const { plane, channel, onOpened } = this.#deps;
    if (!this.#inPlane) return;
    this.#inPlane = null;
    this.#next = null;
    onOpened?.(null);
    plane.request({ kind: "play.stop", channel }).catch(() => undefined);
  }

  async #filter(filters: Filters): Promise<void> {
    const { plane, channel } = this.#deps;
    if (this.#filters && sameFilters(this.#filters, filters)) return;
    this.#filters = filters;
    try {
      await plane.request({ kind: "play.filters", channel, filters });
      // The plane had to open it again, from a file that may be gone by now: then it has none.
      if (this.#ahead.renew()) this.#next = null;
    } catch (error) {
      // A file that is gone by now plays on as it did.
      if (isLoss(toBotError(error))) throw error;
    }
  }

  /** Has the plane open what comes next, as soon as its source is there; never at the cost of what is on. */
  async #prepare(): Promise<void> {
    const { plane, channel } = this.#deps;
    const next = this.#mayOpen(this.#deps.wanted().next);
    this.#ahead.want(next);
    const source = next && this.#ahead.opened(next.play);
    const follows = next && source ? next.play : null;
    if (!this.#inPlane || follows === this.#next) return;
    this.#next = follows;
    try {
      const opened = follows !== null && source ? { track: follows, source } : null;
      await plane.request({ kind: "play.next", channel, next: opened });
    } catch {
      // What is wrong with it is told when its turn comes.
      if (follows !== null) this.#ahead.giveUp(follows);
      this.#next = null;
    }
  }

  #mayOpen(next: Following | null): Following | null {
    // What is not here stands in nobody's way.
    if (this.#inPlane && next?.early === true && !this.#ahead.hasFailed(next.play))
      return this.#standBy.claim(this) ? next : null;
    this.#standBy.letGo(this);
    return this.#inPlane ? next : null;
  }

  #onError(error: BotError, play: string | null): void {
    if (this.#closing.signal.aborted) return;
    const lost = isLoss(error);
    this.#inPlane = null;
    this.#next = null;
    this.#volume = null;
    this.#filters = null;
    this.#standBy.letGo(this);
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
    this.#again(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, SLOWEST_RETRY_MS);
  }

  #again(inMs: number): void {
    this.#retry?.cancel();
    this.#retry = this.#deps.clock.timer(inMs, () => this.reconcile());
  }

  /** What was interrupted goes on when somebody hears it, so that they miss nothing of it. */
  #isAwaited(): boolean {
    const { clock, awaited } = this.#deps;
    const isRecent = this.#lostAtMs !== null && clock.now() - this.#lostAtMs < AWAITED_MS;
    return isRecent && this.#inPlane === null && awaited?.() === true;
  }
}

/** It says nothing about the track: the plane, the channel or the answer is missing. */
const isLoss = ({ code }: BotError): boolean =>
  code === "media_plane_down" || code === "not_found" || code === "timeout";
