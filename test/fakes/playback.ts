import type { Clock, Timer } from "../../src/base/clock.ts";
import type { PlaneEvent, PlaneRequest, TrackEnd } from "../../src/media/plane.ts";

const FIRST_FRAME_MS = 20;
const POSITION_EVERY_MS = 1000;

interface Events {
  emit(event: PlaneEvent): void;
  /** The track sounds, about once a second. */
  onSound(): void;
  /** It has played out: the name of what plays on at once. Told before the end is. */
  onFinished?(): string | null;
}

/** A track that plays by the clock and makes no sound. */
export class FakePlayback {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #channel: string;
  readonly track: string;
  readonly #durationMs: number;
  /** By how much more than it was made it plays. */
  gainDb: number;
  #playedMs: number;
  /** Monotonic time at which it last went on; null while paused. */
  #sinceMs: number | null = null;
  #speed: number;
  #started = false;
  #ending = false;
  #ended = false;
  #timer: Timer | null = null;

  constructor(
    clock: Clock,
    request: Extract<PlaneRequest, { kind: "play.start" }>,
    durationMs: number,
    events: Events,
    speed = 1,
  ) {
    this.#clock = clock;
    this.#events = events;
    this.#channel = request.channel;
    this.track = request.track;
    this.#durationMs = durationMs;
    this.#speed = speed;
    this.gainDb = request.gainDb ?? 0;
    this.#playedMs = request.positionMs;
    if (!request.paused) this.resume();
  }

  get sounding(): boolean {
    return this.#started && this.#sinceMs !== null && !this.#ended;
  }

  get positionMs(): number {
    const now = this.#sinceMs === null ? 0 : (this.#clock.now() - this.#sinceMs) * this.#speed;
    return Math.min(this.#durationMs, this.#playedMs + now);
  }

  set speed(speed: number) {
    const { sounding } = this;
    this.#playedMs = this.positionMs;
    if (this.#sinceMs !== null) this.#sinceMs = this.#clock.now();
    this.#speed = speed;
    if (!sounding) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.timer(this.#untilNextMs(), () => this.#tick());
  }

  pause(): void {
    this.#playedMs = this.positionMs;
    this.#sinceMs = null;
    this.#timer?.cancel();
  }

  resume(): void {
    if (this.#ended || this.#sinceMs !== null) return;
    this.#sinceMs = this.#clock.now();
    this.#timer = this.#clock.timer(FIRST_FRAME_MS, () => this.#tick());
  }

  end(reason: TrackEnd): void {
    if (this.#ended) return;
    const positionMs = this.positionMs;
    this.drop();
    const follows = reason === "finished" ? (this.#events.onFinished?.() ?? null) : null;
    this.#events.emit({
      kind: "track.ended",
      channel: this.#channel,
      track: this.track,
      reason,
      positionMs,
      detail: null,
      follows,
    });
  }

  /** Ends without a word. */
  drop(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #tick(): void {
    const about = { channel: this.#channel, track: this.track };
    if (this.#started) this.#events.emit({ kind: "track.position", ...about, positionMs: this.positionMs });
    else {
      this.#started = true;
      this.#events.emit({ kind: "track.started", ...about });
    }
    this.#events.onSound();
    const leftMs = this.#durationMs - this.positionMs;
    if (leftMs <= POSITION_EVERY_MS && !this.#ending) {
      this.#ending = true;
      this.#events.emit({ kind: "track.ending", ...about });
    }
    if (leftMs <= 0) return this.end("finished");
    this.#timer = this.#clock.timer(this.#untilNextMs(), () => this.#tick());
  }

  #untilNextMs(): number {
    return Math.min(POSITION_EVERY_MS, (this.#durationMs - this.positionMs) / this.#speed);
  }
}
