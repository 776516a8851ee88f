import type { Clock } from "../base/clock.ts";
import { BotError, messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { openMediaFile } from "./audio/media-file.ts";
import { Playback } from "./audio/playback.ts";

export interface AnnouncerOptions {
  channel: string;
  clock: Clock;
  log: Log;
  ffmpeg: () => Promise<string>;
  /** There is sound to take: the frame clock must run. */
  onReady: () => void;
}

/** Announcements that wait for the one that is heard. */
const MAX_WAITING = 4;
const IDLE_MS = 5_000;

/** Short clips that are heard once each, one after the other, over whatever else the channel plays. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  #waiting: string[] = [];
  /** `opening` while its file is being opened. */
  #current: Playback | "opening" | null = null;
  #begun = false;
  #closed = false;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** Whether there is something to mix now. */
  get sounding(): boolean {
    return this.#current instanceof Playback && this.#current.sounding;
  }

  /** Whether the rest should be turned down: from the first sound until nothing waits any more. */
  get speaking(): boolean {
    this.#begun ||= this.sounding;
    return this.#begun;
  }

  /**
   * Resolves when the file's turn is settled, not when it was heard. What fails later is for the log.
   * @throws BotError `media_unreadable`, `ffmpeg_missing`, `queue_full`
   */
  async play(file: string): Promise<void> {
    await this.#options.ffmpeg();
    await (await openMediaFile(file)).close();
    if (this.#closed) throw new BotError("cancelled", "the channel was closed");
    if (this.#waiting.length >= MAX_WAITING)
      throw new BotError("queue_full", `${MAX_WAITING} announcements are waiting already`);
    this.#waiting.push(file);
    if (this.#current === null) await this.#next();
  }

  /** Adds the next 20 ms to `sum`, if there are any. */
  mix(sum: Float32Array): void {
    if (this.#current instanceof Playback) this.#current.mix(sum);
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    if (this.#current instanceof Playback) this.#current.close();
    this.#current = null;
  }

  async #next(): Promise<void> {
    const file = this.#waiting.shift();
    this.#current = file === undefined ? null : "opening";
    if (file === undefined) {
      this.#begun = false;
      return;
    }
    const { clock, log, ffmpeg, onReady } = this.#options;
    try {
      const playback: Playback = await Playback.open({
        ...{
          track: "announcement",
          positionMs: 0,
          paused: false,
          program: await ffmpeg(),
          source: { path: file },
        },
        ...{ clock, log, idleMs: IDLE_MS, onReady },
        onEnd: ({ reason, detail }) => {
          if (this.#current !== playback) return;
          if (reason === "failed") this.#failed(detail);
          void this.#next();
        },
      });
      if (this.#closed) playback.close();
      else this.#current = playback;
    } catch (error) {
      this.#failed(messageOf(error));
      if (!this.#closed) await this.#next();
    }
  }

  #failed(reason: string | null): void {
    const { log, channel } = this.#options;
    log.warn("track_failed", { channel, track: "announcement", reason });
  }
}
