import { App } from "./app.ts";
import { BotError, messageOf } from "./base/errors.ts";
import { createLog } from "./base/log.ts";
import type { Log } from "./base/log.ts";
import { systemClock } from "./base/system-clock.ts";
import { refuseConfig } from "./config-command.ts";
import type { Config } from "./config/config.ts";
import { EXIT } from "./exit-codes.ts";
import { preflight } from "./preflight.ts";
import { terminalLines } from "./terminal-log.ts";

/** A shutdown has to be over before an operator's patience (docker stop: 10 s) is. */
const SHUTDOWN_LIMIT_MS = 9_000;

/**
 * `matrix-voice-bot run`: starts the bot and stays until SIGTERM, SIGINT or a fatal error.
 * @returns the exit code, see `EXIT`.
 */
export async function run(config: Config, version: string): Promise<number> {
  const missing = await preflight(config);
  if (missing.length > 0) return refuseConfig(missing);
  const log = createLog(config.logLevel, process.stdout.isTTY ? await terminalLines() : undefined);
  log.info("starting", { version, node: process.versions.node });

  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(EXIT.failed);
    log.info("stopping", { signal });
    stop.abort();
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  process.on("unhandledRejection", (error) => log.error("fatal", { error, what: "unhandled rejection" }));

  const app = new App({ version, config, log, clock: systemClock });
  try {
    await app.run(stop.signal);
    return EXIT.ok;
  } catch (error) {
    return reportFatal(log, error);
  } finally {
    // Whatever hangs in closing must not keep the process: the recordings are on disk already.
    const limit = setTimeout(() => process.exit(EXIT.failed), SHUTDOWN_LIMIT_MS);
    await app.close();
    clearTimeout(limit);
    log.info("stopped");
  }
}

function reportFatal(log: Log, error: unknown): number {
  log.error("fatal", { error });
  process.stderr.write(`matrix-voice-bot: ${messageOf(error)}\n`);
  return error instanceof BotError && error.code === "forbidden" ? EXIT.noPermission : EXIT.failed;
}
