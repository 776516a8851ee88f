import { BotError, toBotError } from "../base/errors.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";

/** Errors of the media plane that keep their code when they cross; any other arrives as `internal`. */
const CODES: readonly ErrorCode[] = [
  "cancelled",
  "timeout",
  "not_found",
  "media_unreadable",
  "ffmpeg_missing",
  "ffmpeg_failed",
  "media_plane_down",
  "engine_failed",
  "bad_sdp",
  "disk_full",
  "already_recording",
  "queue_full",
];

const sentences: Partial<Record<ErrorCode, Sentence>> = {
  media_plane_down: { key: "error.media_plane_down" },
  media_unreadable: { key: "error.media_unreadable" },
  ffmpeg_missing: { key: "error.ffmpeg_missing" },
};

export interface WireError {
  code: string;
  message: string;
  retryable: boolean;
}

export function toWireError(error: unknown): WireError {
  const { code, message, retryable } = toBotError(error);
  return { code, message: message.slice(0, 2000), retryable };
}

export function fromWireError({ code, message, retryable }: WireError): BotError {
  return planeError(CODES.find((known) => known === code) ?? "internal", message, retryable);
}

/** An error of the plane with the sentence that belongs to its code. */
export function planeError(code: ErrorCode, message: string, retryable: boolean): BotError {
  const say = sentences[code];
  return new BotError(code, message, { retryable, ...(say ? { say } : {}) });
}

export function planeDown(message: string): BotError {
  return planeError("media_plane_down", message, true);
}
