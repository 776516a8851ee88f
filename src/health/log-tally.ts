import type { Log, LogEvent, LogFields, LogLevel } from "../base/log.ts";
import type { Tally } from "../base/tally.ts";

/**
 * A log that also counts what its lines tell, whatever level is written: all that happens in the bot is logged by an event
 * of one list, the media child's included.
 */
export function tallied(log: Log, tally: Tally): Log {
  const line =
    (level: LogLevel) =>
    (event: LogEvent, fields: LogFields = {}): void => {
      count(tally, level, event, fields);
      log[level](event, fields);
    };
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    child: (fields) => tallied(log.child(fields), tally),
  };
}

type Counting = (tally: Tally, fields: LogFields, level: LogLevel) => void;

/** What is counted of a line besides that there was one. */
const COUNTED: Partial<Record<LogEvent, Counting>> = {
  track_started: (tally) => tally.count("track", "started"),
  track_ended: (tally, { reason }) => {
    // Failures have a line of their own, also those before the first sound.
    if (reason !== "failed") tally.count("track", text(reason));
  },
  track_failed: (tally) => tally.count("track", "failed"),
  recording_delivered: (tally, { sent, kept }) => {
    tally.count("file", "sent", number(sent));
    tally.count("file", "kept", number(kept));
  },
  command: (tally, { name }) => tally.count("command", text(name)),
  event_dropped: (tally, { reason }) => tally.count("drop", text(reason)),
  media_child_exited: (tally, _, level) => {
    // One that ends because it was asked to is no failure; its line is of a lower level.
    if (level === "error") tally.count("child_failed", "media");
  },
};

function count(tally: Tally, level: LogLevel, event: LogEvent, fields: LogFields): void {
  if (level !== "debug") tally.count("log", event);
  COUNTED[event]?.(tally, fields, level);
}

const text = (value: unknown): string => (typeof value === "string" ? value : "unknown");
const number = (value: unknown): number => (typeof value === "number" && value > 0 ? value : 0);
