import type { BotError } from "../../base/errors.ts";
import { FRAME_MS } from "./pcm.ts";
import type { SourceEnd } from "./source.ts";

export interface PlaybackEnd {
  reason: "finished" | "failed";
  detail: string | null;
  /** It failed because its source gave nothing for too long. */
  stalled?: true;
  /** Why a stream was given up. */
  error?: BotError;
}

/** A source that broke off is still "finished" when this much of it was heard. */
const MOST = 0.9;
/** What stalls is held to more. */
const ALL_BUT_MS = 1_000;

/**
 * Whether a source that gave its last byte was heard out. Its decoder ending well is not enough: a cut file ends well,
 * long before the length that its header announces.
 */
export function judge(end: SourceEnd, startMs: number, positionMs: number): PlaybackEnd {
  const judged = heardOut(end, startMs, positionMs);
  if (judged.reason === "finished") return judged;
  return { ...judged, ...(end.stalled && { stalled: end.stalled }), ...(end.error && { error: end.error }) };
}

function heardOut(end: SourceEnd, startMs: number, positionMs: number): PlaybackEnd {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  if (positionMs - startMs < FRAME_MS) {
    // Starting at the very end of a good file gives nothing, and that is no failure of the file.
    if (end.ok && startMs > 0) return { reason: "finished", detail: null };
    return { reason: "failed", detail: end.reason ?? "there is no sound in it" };
  }
  if (end.announcedMs === null)
    return end.ok
      ? { reason: "finished", detail: null }
      : { reason: "failed", detail: end.reason ?? "the decoder ended" };
  // What stalls near its end has an end: only a source that broke off may have said too much.
  const enoughMs = end.stalled ? end.announcedMs - ALL_BUT_MS : end.announcedMs * MOST;
  if (positionMs >= enoughMs) return { reason: "finished", detail: null };
  const short = `it ends after ${seconds(positionMs)} s of ${seconds(end.announcedMs)} s`;
  return { reason: "failed", detail: end.reason === null ? short : `${short}: ${end.reason}` };
}
