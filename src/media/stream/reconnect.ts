import type { BotError } from "../../base/errors.ts";

/** A connection that gave sound for so long was a good one: what happens next is another outage. */
export const STEADY_MS = 10_000;
/** After so long without sound it is said that it is being tried: before others take it for stuck. */
export const TOLD_AFTER_MS = 8_000;
/** After so long without sound of what has an end it stalls: as any file, it is begun anew where it was. */
export const STALLED_MS = 10_000;
/** After so long without sound it is given up. */
export const PATIENCE_MS = 120_000;
/** Until something was heard: somebody waits for an answer, which says more than that it is stuck. */
const FIRST_PATIENCE_MS = 8_000;
const FIRST_FAILURES = 3;

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
/** Of a server that lets everybody in and throws them out again. */
const MAX_FAILURES = 14;

export interface Outage {
  error: BotError;
  /** Connections in a row, this one included, that were not good for `STEADY_MS`. */
  failures: number;
  /** Whether anything of the stream was ever heard. */
  heard: boolean;
  /** Since the last sound, or the first attempt. */
  silentMs: number;
}

/** How long to wait before the stream is tried again; null: it is given up. */
export function retryDelayMs({ error, failures, heard, silentMs }: Outage): number | null {
  if (error.code === "fetch_refused" || error.code === "cancelled" || error.code === "ffmpeg_missing")
    return null;
  // A station that was there is on again soon, whatever its server answers in between (404, for one).
  if (!heard && (!error.retryable || failures >= FIRST_FAILURES)) return null;
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS);
  if (failures >= MAX_FAILURES) return null;
  return silentMs + delayMs > (heard ? PATIENCE_MS : FIRST_PATIENCE_MS) ? null : delayMs;
}
