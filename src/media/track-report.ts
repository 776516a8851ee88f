import type { Log } from "../base/log.ts";
import type { PlaybackEnd } from "./audio/playback-end.ts";
import type { Playback } from "./audio/playback.ts";
import type { PlaneEvent, TrackEnd } from "./messages.ts";
import { toWireError } from "./plane-error.ts";
import type { StreamNote } from "./stream/stream-source.ts";

export interface ReportOptions {
  channel: string;
  log: Log;
  emit: (event: PlaneEvent) => void;
}

/** Twice a second, and of what plays faster as often in it: what was heard since the last one, a kill of the bot repeats. */
const POSITION_EVERY_FRAMES = 25;
const POSITION_EVERY_MS = 500;

/** Tells of the track that is on: once that it has begun, that its end is near, and how it ended; its position now and then. */
export class TrackReport {
  readonly #options: ReportOptions;
  #told = { started: false, ending: false };
  #sincePosition = 0;
  /** Where it was then. */
  #positionMs = 0;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Another track is on. */
  begin(): void {
    this.#told = { started: false, ending: false };
    this.#sincePosition = 0;
  }

  /** A frame of it was heard. */
  progress(track: string, playback: Pick<Playback, "positionMs" | "decoded">): void {
    const { channel, emit } = this.#options;
    const { positionMs } = playback;
    if (!this.#told.started) {
      this.#told.started = true;
      this.#positionMs = positionMs;
      emit({ kind: "track.started", channel, track });
    }
    if (playback.decoded && !this.#told.ending) {
      this.#told.ending = true;
      emit({ kind: "track.ending", channel, track });
    }
    const isNear = positionMs - this.#positionMs < POSITION_EVERY_MS;
    if (++this.#sincePosition < POSITION_EVERY_FRAMES && isNear) return;
    this.#sincePosition = 0;
    this.#positionMs = positionMs;
    emit({ kind: "track.position", channel, track, positionMs });
  }

  note(track: string, note: StreamNote): void {
    const { channel, emit } = this.#options;
    if (note.kind === "title") emit({ kind: "track.title", channel, track, title: note.title });
    else if (note.kind === "length")
      emit({ kind: "track.length", channel, track, durationMs: note.lengthMs });
    else {
      const detail = note.error?.message.slice(0, 500) ?? null;
      emit({ kind: "track.interrupted", channel, track, detail });
    }
  }

  /** @param follows the track that plays on at once */
  ended(playback: Playback, reason: TrackEnd, end: Partial<PlaybackEnd>, follows: string | null): void {
    const { channel, emit, log } = this.#options;
    const { track, positionMs, underruns } = playback;
    if (underruns > 0) log.warn("track_underrun", { channel, track, underruns });
    // A track of less than a frame began and ended in the same one.
    if (playback.begun && !this.#told.started) emit({ kind: "track.started", channel, track });
    emit({
      ...{ kind: "track.ended", channel, track, reason, positionMs, follows },
      detail: end.detail?.slice(0, 500) ?? null,
      ...(end.stalled && { stalled: end.stalled }),
      ...(end.error && { say: toWireError(end.error).say }),
    });
  }
}
