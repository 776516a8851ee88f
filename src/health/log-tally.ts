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

function count(tally: Tally, level: LogLevel, event: LogEvent, fields: LogFields): void {
  if (level !== "debug") tally.count("log", event);
  switch (event) {
    case "track_started":
      return tally.count("track", "started");
    case "track_ended":
      // Failures have a line of their own, also those before the first sound.
      if (fields["reason"] !== "failed") tally.count("track", text(fields["reason"]));
      return;
    case "track_failed":
      return tally.count("track", "failed");
    case "recording_delivered":
      tally.count("file", "sent", number(fields["sent"]));
      return tally.count("file", "kept", number(fields["kept"]));
    case "command":
      return tally.count("command", text(fields["name"]));
    case "event_dropped":
      return tally.count("drop", text(fields["reason"]));
    case "media_child_exited":
      // One that ends because it was asked to is no failure; its line is of a lower level.
      if (level === "error") tally.count("child_failed", "media");
      return;
    default:
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "unknown");
const number = (value: unknown): number => (typeof value === "number" && value > 0 ? value : 0);
