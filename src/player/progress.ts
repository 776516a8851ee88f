import { playName, type QueueState } from "./queue.ts";

/** Positions come once a second: a last one that is older says that nothing sounds. */
const HOLDS_MS = 1_500;

/** How far what is on was heard, between what the media plane says of it. */
export class Progress {
  #last: { play: string; atMs: number } | null = null;

  /** The plane has just said how far this play is. */
  note(play: string, nowMs: number): void {
    this.#last = { play, atMs: nowMs };
  }

  /** In ms: as it was told last, and what has sounded since then. */
  positionMs(state: QueueState, nowMs: number): number {
    const { now } = state;
    if (!now || now.phase === "paused" || this.#last?.play !== playName(state)) return now?.positionMs ?? 0;
    const sinceMs = nowMs - this.#last.atMs;
    return now.positionMs + (sinceMs < HOLDS_MS ? sinceMs : 0);
  }
}
