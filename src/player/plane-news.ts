import type { Clock } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { PlaneEvent, PlaneEventOf } from "../media/plane.ts";
import { endError } from "./failure.ts";
import type { Mishaps } from "./mishaps.ts";
import type { Progress } from "./progress.ts";
import { playName, type QueueEvent, type QueueState } from "./queue.ts";
import { savePosition, type PlayerDocuments } from "./saved.ts";
import type { SoundGuard } from "./sound-guard.ts";
import type { Sound } from "./sound.ts";
import type { Starting } from "./starting.ts";

export interface PlaneNewsDeps {
  channel: string;
  state: () => QueueState;
  dispatch: (event: QueueEvent) => unknown;
  sound: Pick<Sound, "ended" | "forget" | "reconcile">;
  guard: Pick<SoundGuard, "heard" | "stalled">;
  mishaps: Pick<Mishaps, "failed" | "interrupted">;
  starting: Pick<Starting, "sounded">;
  progress: Progress;
  documents: PlayerDocuments;
  clock: Clock;
  log: Log;
}

const FRAME_MS = 20;

/** What the media plane says of a room's tracks, brought to the queue and to whoever else has to know. */
export class PlaneNews {
  readonly #deps: PlaneNewsDeps;

  constructor(deps: PlaneNewsDeps) {
    this.#deps = deps;
  }

  take(event: PlaneEvent): void {
    const { channel, state, sound, guard, progress } = this.#deps;
    if (!("channel" in event) || event.channel !== channel) return;
    this.#toQueue(event);
    if (event.kind !== "track.ended" && progress.next(state())) sound.reconcile();
    guard.heard(event);
  }

  /** The plane is gone, or the channel in it. It goes on from where it was heard, up to a second after what was told of it. */
  lost(): void {
    const { state, dispatch, progress, sound, clock } = this.#deps;
    const id = playName(state());
    const positionMs = progress.positionMs(state(), clock.now());
    if (id !== null) dispatch({ kind: "position", id, positionMs });
    progress.lost();
    sound.forget();
  }

  #toQueue(event: PlaneEvent): void {
    const { state, dispatch, mishaps, starting, progress, documents, clock, log } = this.#deps;
    if (event.kind === "track.started") {
      log.info("track_started", { track: event.track });
      starting.sounded(event.track);
    } else if (event.kind === "track.position") {
      dispatch({ kind: "position", id: event.track, positionMs: event.positionMs });
      progress.note(event.track, clock.now());
      // Twice a second: after a kill it goes on no further back than that.
      savePosition(documents, state().now);
    } else if (event.kind === "track.title") {
      dispatch({ kind: "on-air", id: event.track, title: event.title });
    } else if (event.kind === "track.ending") progress.ending(event.track);
    else if (event.kind === "track.ended") this.#ended(event);
    else if (event.kind === "track.length") this.#length(event);
    else if (event.kind === "track.interrupted") mishaps.interrupted(event.track);
  }

  #length({ track: play, durationMs }: PlaneEventOf<"track.length">): void {
    const { state, dispatch } = this.#deps;
    const track = playName(state()) === play ? state().now?.track : undefined;
    if (track && track.durationMs !== durationMs) dispatch({ kind: "describe", ...track, durationMs });
  }

  #ended(event: PlaneEventOf<"track.ended">): void {
    const { state, dispatch, sound, guard, mishaps, log } = this.#deps;
    const { track, reason, positionMs } = event;
    log.info("track_ended", { track, reason, positionMs });
    // What was replaced or stopped was so by our wish, and something of the same name may be on since.
    if (reason !== "finished" && reason !== "failed") return;
    sound.ended(track, event.follows);
    if (reason === "finished" && positionMs < FRAME_MS)
      return mishaps.failed(track, new BotError("media_unreadable", "there is no sound in it"));
    dispatch({ kind: "position", id: track, positionMs });
    if (reason === "finished") return void dispatch({ kind: "finished", id: track });
    if (event.stalled) {
      // Nobody misses it: it is opened anew when it goes on.
      if (playName(state()) === track && state().now?.phase === "paused") return;
      if (guard.stalled(track, "source")) return;
    }
    mishaps.failed(track, endError(event));
  }
}
