import { BotError } from "../../base/errors.ts";
import { tooSlow } from "../../fetch/failures.ts";
import { noDataFor, type FfmpegEnd } from "../audio/ffmpeg.ts";

/** It had bytes, and there was no sound in them. */
export const soundless = (): BotError =>
  new BotError("media_unreadable", "there is no sound in it", { say: { key: "stream.no_audio" } });

/** Nothing has come, and nothing says why. */
export const silent = (url: string, ms: number): BotError => tooSlow(noDataFor(ms), new URL(url).hostname);

/** @param heard before: then another connection may bring what can be decoded */
export function undecodable(end: FfmpegEnd, heard: boolean): BotError {
  const message = end.reason ?? "the decoder ended";
  return new BotError("media_unreadable", message, {
    retryable: heard,
    say: { key: "error.media_unreadable" },
  });
}
