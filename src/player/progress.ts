import type { Following } from "./ahead.ts";
import { filtersOf } from "./filters.ts";
import { following, playName, type QueueState } from "./queue.ts";

/** How long before the end of what is on the next is opened, whatever it is and wherever. */
const AHEAD_MS = 15_000;

/** Positions come twice a second: a last one that is older says that nothing sounds. */
const HOLDS_MS = 1_500;
/** Each is this much further than the one before, or less: more has not sounded since, however late its end is heard of. */
const STEP_MS = 600;

/** How far what is on was heard, between what the media plane says of it. */
export class Progress {
  #last: { play: string; atMs: number } | null = null;
  #ending: string | null = null;

  /** The plane has just said how far this play is. */
  note(play: string, nowMs: number): void {
    this.#last = { play, atMs: nowMs };
  }

  /** Nothing sounds any more, and nothing will until the plane says so. */
  lost(): void {
    this.#last = null;
  }

  /** The plane has decoded the last of this play. */
  ending(play: string): void {
    this.#ending = play;
  }

  /**
   * What comes after what is on, as soon as it may be opened; else null. As soon as what is on runs it may be if its bytes are
   * here (`early`), so that a skip has only to let it sound.
   */
  next(state: QueueState): Following | null {
    const { now } = state;
    if (now?.phase !== "playing") return null;
    const isEnding = this.#ending === playName(state);
    const { durationMs } = now.track;
    const leftMs =
      durationMs === null
        ? Infinity
        : (durationMs - now.positionMs) / filtersOf(state.filters, now.track).speed;
    const early = !isEnding && leftMs > AHEAD_MS;
    if (early && this.#last?.play !== playName(state)) return null;
    const after = following(state);
    const play = playName(after);
    if (!after.now || play === null) return null;
    const { source } = after.now.track;
    // What is live would be as old as it was opened early.
    return source.kind === "stream" && !isEnding ? null : { play, source, early };
  }

  /** In ms: as it was told last, and what has sounded since then. */
  positionMs(state: QueueState, nowMs: number): number {
    const { now } = state;
    if (!now || now.phase === "paused" || this.#last?.play !== playName(state)) return now?.positionMs ?? 0;
    const sinceMs = nowMs - this.#last.atMs;
    const soundedMs = Math.min(sinceMs * filtersOf(state.filters, now.track).speed, STEP_MS);
    const positionMs = now.positionMs + (sinceMs < HOLDS_MS ? soundedMs : 0);
    return Math.min(positionMs, now.track.durationMs ?? Infinity);
  }
}
