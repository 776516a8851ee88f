import type { Sentence } from "./messages/catalogue.ts";

/** Stable codes; what a program or an operator may match on. Add here, never rename. */
export type ErrorCode =
  | "cancelled"
  | "timeout"
  | "not_permitted"
  | "bad_command"
  | "not_in_channel"
  | "room_encrypted"
  | "room_power"
  | "channel_empty"
  | "not_found"
  | "media_unreadable"
  | "media_too_large"
  | "media_unsupported"
  | "ffmpeg_missing"
  | "ffmpeg_failed"
  | "ytdlp_missing"
  | "media_plane_down"
  | "engine_failed"
  | "bad_sdp"
  | "homeserver"
  | "rate_limited"
  | "forbidden"
  | "disk_full"
  | "recording_damaged"
  | "already_recording"
  | "not_recording"
  | "nothing_playing"
  | "queue_full"
  | "store_too_new"
  | "data_dir_busy"
  | "ambiguous"
  | "fetch_refused"
  | "fetch_failed"
  | "internal";

export interface BotErrorOptions {
  /** What the person in the room is told, with what to do next. */
  say?: Sentence;
  /** Whether the same call may succeed later without anybody changing something. */
  retryable?: boolean;
  cause?: unknown;
}

/** An error that has a code for programs, a message for logs, and a sentence for people. */
export class BotError extends Error {
  override readonly name = "BotError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly say: Sentence;

  constructor(code: ErrorCode, message: string, options: BotErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.say = options.say ?? { key: "error.internal", params: { code } };
  }
}

/** Any thrown value as a BotError; unknown ones become `internal` with the original as cause. */
export function toBotError(error: unknown): BotError {
  if (error instanceof BotError) return error;
  return new BotError("internal", messageOf(error), { cause: error });
}

/** The message of any thrown value, for logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
