import type { DestinationStream } from "pino";

/** Log lines for a person at a terminal. The library is loaded only there. */
export async function terminalLines(): Promise<DestinationStream> {
  const { default: pretty } = await import("pino-pretty");
  return pretty({
    messageKey: "event",
    ignore: "time",
    colorize: process.env["NO_COLOR"] === undefined,
    sync: true,
  });
}
