import { pino } from "pino";
import type { DestinationStream } from "pino";

/**
 * Every `event` a log line can have, in one place: what operators may search for and alert on.
 * Messages of people, tokens and SDP are never fields.
 */
export const LOG_EVENTS = [
  // process
  "starting",
  "media_dir_missing",
  "data_dir_tightened",
  "data_dir_open",
  "health_listening",
  "ready",
  "stopping",
  "stopped",
  "fatal",
  // matrix
  "homeserver_unreachable",
  "homeserver_back",
  "logged_in",
  "login_delayed",
  "turn_unavailable",
  "turn_renewed",
  "sync_failed",
  "sync_gap",
  "event_dropped",
  "handler_failed",
  "room_joined",
  "room_left",
  "room_upgrade",
  "invite_ignored",
  "invite_failed",
  "rate_limited",
  "send_failed",
  "budget_degraded",
  // channel
  "channel_state",
  "channel_member",
  "peer_state",
  "signal_dropped",
  "own_key_overwritten",
  "delayed_leave",
  // media plane
  "media_child_started",
  "media_child_exited",
  "media_child_stalled",
  "media_message_invalid",
  "engine_error",
  "engine_unusable",
  "ffmpeg_exit",
  "candidate_refused",
  "peer_flooded",
  "ice_server_unused",
  "ice_ports_used_up",
  "turn_no_relay",
  // player
  "track_queued",
  "url_fetched",
  "url_failed",
  "track_started",
  "track_ended",
  "track_failed",
  "track_stalled",
  "track_underrun",
  "stream_broke_off",
  "stream_reload_failed",
  "stream_segments_missing",
  "ytdlp_found",
  "ytdlp_ran",
  "ytdlp_failed",
  "library_indexed",
  "library_failed",
  "library_cache_failed",
  "loudness_unknown",
  "loudness_scanning",
  "loudness_scanned",
  "cover_failed",
  // recorder
  "recording_started",
  "recording_finished",
  "recording_gap",
  "recording_failed",
  "recording_recovered",
  "recording_resumed",
  "recording_discarded",
  "recording_delivered",
  "recording_deleted",
  "export_failed",
  // commands
  "command",
  "command_failed",
  // store
  "store_damaged",
  "store_unwritten",
  "store_written",
] as const;

export type LogEvent = (typeof LOG_EVENTS)[number];
export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

/** A logger whose every line names an event of the list. */
export interface Log {
  debug(event: LogEvent, fields?: LogFields): void;
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Log;
}

/** Creates the process' logger; JSON lines to `destination` (default standard output). `error` fields may be Errors. */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: serializeError },
    redact: {
      paths: ["accessToken", "access_token", "password", "*.accessToken", "*.access_token"],
      censor: "[secret]",
    },
  };
  return wrap(destination ? pino(options, destination) : pino(options));
}

/** For tests and tools that want silence. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};

interface PinoLike {
  debug(fields: object): void;
  info(fields: object): void;
  warn(fields: object): void;
  error(fields: object): void;
  child(fields: object): PinoLike;
}

function wrap(logger: PinoLike): Log {
  return {
    debug: (event, fields) => logger.debug({ event, ...fields }),
    info: (event, fields) => logger.info({ event, ...fields }),
    warn: (event, fields) => logger.warn({ event, ...fields }),
    error: (event, fields) => logger.error({ event, ...fields }),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/** An error without its enumerable baggage: HTTP libraries hang whole requests, with their tokens, on theirs. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" ? { code } : {}),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}
