import type { Clock, Timer } from "../../base/clock.ts";
import { FRAME_MS, FRAME_SAMPLES } from "./pcm.ts";

export interface FrameSlot {
  /** 48 kHz units, unsigned 32 bit; goes on with the clock while the pacer stands still (RFC 7587 section 4.2). */
  timestamp: number;
  /** First frame after a standstill. */
  marker: boolean;
  /** Monotonic ms at which the frame was due. */
  dueMs: number;
}

export interface PacerOptions {
  clock: Clock;
  /** Makes and sends one frame; false when there was nothing to send: the pacer then stands still until `start`. */
  onFrame: (slot: FrameSlot) => boolean;
  /** First timestamp; random in life (RFC 3550 section 5.1). */
  firstTimestamp?: number;
}

/** After a stall, frames up to this old are still sent, in one go; older ones are skipped. */
const MAX_CATCH_UP_MS = 200;
/** A frame that leaves later than this counts as late. */
const LATE_MS = 20;

/**
 * The one clock of a channel's outgoing side: a frame every 20 ms of monotonic time, each timer set for what is left
 * until the next slot, so that errors do not add up. It has no timer while there is nothing to send.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #onFrame: (slot: FrameSlot) => boolean;
  #timer: Timer | null = null;
  #closed = false;
  #dueMs: number;
  #timestamp: number;
  #marker = true;
  #lateFrames = 0;

  constructor(options: PacerOptions) {
    this.#clock = options.clock;
    this.#onFrame = options.onFrame;
    this.#timestamp = options.firstTimestamp ?? Math.floor(Math.random() * 2 ** 32);
    this.#dueMs = this.#clock.now();
  }

  get running(): boolean {
    return this.#timer !== null;
  }

  /** Frames that were skipped or left over 20 ms late. */
  get lateFrames(): number {
    return this.#lateFrames;
  }

  /** Starts with a frame at once (on the next timer turn). No effect while running. */
  start(): void {
    if (this.#closed || this.#timer) return;
    const now = this.#clock.now();
    // The slot after the last one, or now: time that passed in silence passes in timestamps too.
    if (now > this.#dueMs) this.#moveTo(now);
    this.#marker = true;
    this.#arm(now);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(now: number): void {
    this.#timer = this.#clock.timer(Math.max(0, this.#dueMs - now), () => this.#run());
  }

  #run(): void {
    const now = this.#clock.now();
    const behind = now - this.#dueMs;
    if (behind > MAX_CATCH_UP_MS) {
      const skipped = Math.floor((behind - MAX_CATCH_UP_MS) / FRAME_MS) + 1;
      this.#lateFrames += skipped;
      this.#advance(skipped);
    }
    // Timers have whole milliseconds and may be a fraction early.
    while (this.#dueMs <= now + 1) {
      if (now - this.#dueMs > LATE_MS) this.#lateFrames++;
      const slot = { timestamp: this.#timestamp, marker: this.#marker, dueMs: this.#dueMs };
      this.#marker = false;
      this.#advance(1);
      const more = this.#onFrame(slot);
      if (this.#closed) return;
      if (!more) {
        this.#timer = null;
        return;
      }
    }
    this.#arm(this.#clock.now());
  }

  #advance(frames: number): void {
    this.#dueMs += frames * FRAME_MS;
    this.#timestamp = (this.#timestamp + frames * FRAME_SAMPLES) % 2 ** 32;
  }

  #moveTo(now: number): void {
    const samples = Math.round((now - this.#dueMs) * (FRAME_SAMPLES / FRAME_MS));
    this.#timestamp = (this.#timestamp + samples) % 2 ** 32;
    this.#dueMs = now;
  }
}
