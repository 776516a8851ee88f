/*
 * Whether what should sound does. Pure: decides by what it is told and when.
 *
 *            watch: it is open in the plane, plays, and somebody is connected
 *   resting ◄────────────────────────────────► watching ◄── its position moves: quiet begins anew
 *      ▲     rest: held, over, alone, no channel   │
 *      │                                           │ 13 s of quiet; or a cause that is told: the source gave nothing,
 *      │                                           ▼ the start had no answer, nothing leaves for the listeners
 *      ├── again: the same, from where it was ◄── strike
 *      ├── skip: it was tried again, and not heard for 30 s since ◄┤
 *      └── hold: so was the third in a row, or nothing leaves:     │
 *                another track would not help ◄────────────────────┘
 */

/**
 * - `silent`: it should sound, and its position stands still
 * - `source`: its source gave nothing for ten seconds
 * - `unanswered`: the media plane did not say that it has begun
 * - `unsent`: it goes on, and nothing of it leaves for anybody
 */
export type StallCause = "silent" | "source" | "unanswered" | "unsent";

export interface WatchdogState {
  /** The play (see `playName`) that should sound now and its track; null: nothing is watched. */
  readonly watched: { readonly play: string; readonly track: string; readonly quietSinceMs: number } | null;
  /** Where it was last; null: not heard of yet. */
  readonly last: { readonly play: string; readonly positionMs: number } | null;
  /** The track that has had its second attempt and was not heard for long since. */
  readonly retried: string | null;
  /** Heard since the last strike, in ms, of whatever track. */
  readonly heardMs: number;
  /** Tracks that were skipped here, with nothing heard for long in between. */
  readonly row: number;
}

export type WatchdogEvent =
  | { kind: "watch"; play: string; track: string; nowMs: number }
  | { kind: "rest" }
  | { kind: "moved"; play: string; positionMs: number; nowMs: number }
  /** Somebody found out about what is on. */
  | { kind: "stalled"; track: string; cause: StallCause }
  /** `lateMs`: by how much it is looked at later than it should have been. */
  | { kind: "look"; nowMs: number; lateMs: number };

export type Verdict = { act: "again" | "skip" | "hold"; cause: StallCause };

export interface WatchdogStep {
  readonly state: WatchdogState;
  readonly verdict: Verdict | null;
}

export const RESTING: WatchdogState = { watched: null, last: null, retried: null, heardMs: 0, row: 0 };

/** More than the ten seconds after which a source that gives nothing is told, and what was decoded ahead. */
export const QUIET_MS = 13_000;
/** What was heard for so long stalls for another reason, if it does again. */
export const GOOD_MS = 30_000;
/** So many tracks in a row are no fault of the tracks. */
export const MAX_STALLED = 3;
/** A machine that is so late had no time for the track either, and what is told of it may be on its way still. */
export const LATE_MS = 1_000;
/** Positions come twice a second; what is further is a seek. */
const LARGEST_STEP_MS = 3_000;

export function watchdog(state: WatchdogState, event: WatchdogEvent): WatchdogStep {
  switch (event.kind) {
    case "watch": {
      const { play, track, nowMs } = event;
      if (state.watched?.play === play) return { state, verdict: null };
      return { state: { ...state, watched: { play, track, quietSinceMs: nowMs } }, verdict: null };
    }
    case "rest":
      return { state: { ...state, watched: null }, verdict: null };
    case "moved":
      return { state: moved(state, event), verdict: null };
    case "stalled":
      return strike(state, event.track, event.cause);
    case "look":
      return look(state, event);
  }
}

type Of<Kind extends WatchdogEvent["kind"]> = Extract<WatchdogEvent, { kind: Kind }>;

function moved(state: WatchdogState, { play, positionMs, nowMs }: Of<"moved">): WatchdogState {
  const { watched, last } = state;
  const stepMs = last?.play === play ? positionMs - last.positionMs : null;
  if (watched?.play !== play || stepMs === 0) return state;
  const heardMs = state.heardMs + (stepMs !== null && stepMs > 0 && stepMs <= LARGEST_STEP_MS ? stepMs : 0);
  const good = heardMs >= GOOD_MS && { retried: null, row: 0 };
  const now = { watched: { ...watched, quietSinceMs: nowMs }, last: { play, positionMs } };
  return { ...state, ...now, heardMs: Math.min(heardMs, GOOD_MS), ...good };
}

function look(state: WatchdogState, { nowMs, lateMs }: Of<"look">): WatchdogStep {
  const { watched } = state;
  if (watched === null) return { state, verdict: null };
  if (lateMs >= LATE_MS)
    return { state: { ...state, watched: { ...watched, quietSinceMs: nowMs } }, verdict: null };
  if (nowMs - watched.quietSinceMs < QUIET_MS) return { state, verdict: null };
  return strike(state, watched.track, "silent");
}

/** The play ends with it, whatever is done: what comes has another name. */
function strike(state: WatchdogState, track: string, cause: StallCause): WatchdogStep {
  const after = { ...state, watched: null, last: null, heardMs: 0 };
  if (state.retried !== track)
    return { state: { ...after, retried: track }, verdict: { act: "again", cause } };
  const row = state.row + 1;
  if (cause !== "unsent" && row < MAX_STALLED)
    return { state: { ...after, retried: null, row }, verdict: { act: "skip", cause } };
  return { state: { ...after, retried: null, row: 0 }, verdict: { act: "hold", cause } };
}
