import { inspect } from "node:util";
import { BotError, messageOf } from "../base/errors.ts";
import { EXIT } from "./exit-codes.ts";

/**
 * Tells on standard error why the program ends: one line, or with `debug` the whole error.
 * @returns the exit code for it
 */
export function reportFailure(error: unknown, debug: boolean): number {
  const text = debug ? inspect(error, { depth: 4 }) : oneLine(messageOf(error));
  process.stderr.write(`matrix-voice-bot: ${text}\n`);
  if (!(error instanceof BotError)) return EXIT.failed;
  if (error.code === "forbidden") return EXIT.noPermission;
  return error.code === "data_dir_busy" ? EXIT.busy : EXIT.failed;
}

/** An error's text may come from a homeserver: no line breaks, no escape sequences for the terminal. */
function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, 1000);
}
