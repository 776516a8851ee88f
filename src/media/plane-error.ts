import { BotError, toBotError } from "../base/errors.ts";
import type { ErrorCode } from "../base/errors.ts";
import { isMessageKey, type Sentence } from "../base/messages/catalogue.ts";

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
  "fetch_refused",
  "fetch_failed",
  "media_too_large",
  "media_unsupported",
  "rate_limited",
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
  /** What people are told, where the plane knows it better than its code does. */
  say?: { key: string; params?: Record<string, string | number> | undefined } | undefined;
}

export function toWireError(error: unknown): WireError {
  const { code, message, retryable, say } = toBotError(error);
  const params: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(say.params ?? {}))
    if (typeof value === "string" || typeof value === "number") params[name] = value;
  const told = say.key === "error.internal" ? {} : { say: { key: say.key, params } };
  return { code, message: message.slice(0, 2000), retryable, ...told };
}

export function fromWireError({ code, message, retryable, say }: WireError): BotError {
  const known = CODES.find((one) => one === code);
  if (known === undefined || say === undefined || !isMessageKey(say.key))
    return planeError(known ?? "internal", message, retryable);
  const told: Sentence = { key: say.key, ...(say.params && { params: say.params }) };
  return new BotError(known, message, { retryable, say: told });
}

/** An error of the plane with the sentence that belongs to its code. */
export function planeError(code: ErrorCode, message: string, retryable: boolean): BotError {
  const say = sentences[code];
  return new BotError(code, message, { retryable, ...(say ? { say } : {}) });
}

export function planeDown(message: string): BotError {
  return planeError("media_plane_down", message, true);
}
