import type { DestinationStream } from "pino";
import type { LogFormat } from "../config/setting.ts";

/**
 * Log lines for a person at a terminal, or null where JSON lines are wanted. The library is loaded only for text.
 * @param debug errors with their stacks
 */
export async function terminalLines(format: LogFormat, debug: boolean): Promise<DestinationStream | null> {
  const { isTTY } = process.stdout;
  if (format === "json" || (format === "auto" && !isTTY)) return null;
  const { default: pretty } = await import("pino-pretty");
  return pretty({
    messageFormat: "{event}",
    ignore: debug ? "event" : "event,error.stack,error.cause",
    singleLine: true,
    translateTime: "SYS:HH:MM:ss",
    // Node's own judgement: NO_COLOR, FORCE_COLOR, and what the terminal can do.
    colorize: isTTY && process.stdout.hasColors(),
    sync: true,
  });
}
