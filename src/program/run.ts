import { App } from "../bot/app.ts";
import { createLog } from "../base/log.ts";
import { systemClock } from "../base/system-clock.ts";
import { refuseConfig } from "./config-command.ts";
import type { Config } from "../config/config.ts";
import { openDataFolder } from "./data-folder.ts";
import { EXIT } from "./exit-codes.ts";
import { preflight } from "./preflight.ts";
import { terminalLines } from "./terminal-log.ts";

/** A shutdown has to be over before an operator's patience (docker stop: 10 s) is. */
const SHUTDOWN_LIMIT_MS = 9_000;

/**
 * `matrix-voice-bot run`: starts the bot and stays until SIGTERM, SIGINT or a fatal error.
 * @returns the exit code, see `EXIT`
 * @throws what made running pointless, after it was logged and everything is closed
 */
export async function run(config: Config, version: string, { debug }: { debug: boolean }): Promise<number> {
  // What it and its children write is for nobody else on the machine.
  process.umask(0o077);
  const missing = await preflight(config);
  if (missing.length > 0) return refuseConfig(missing);
  const lines = await terminalLines(config.logFormat, debug);
  const log = createLog(config.logLevel, lines ?? undefined);
  log.info("starting", { version, node: process.versions.node });

  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(EXIT.failed);
    log.info("stopping", { signal });
    stop.abort();
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  process.on("unhandledRejection", (error) => log.error("fatal", { error, what: "unhandled rejection" }));

  const folder = await openDataFolder(config.dataDir, log);
  const app = new App({ version, config, log, clock: systemClock });
  try {
    await app.run(stop.signal);
    return EXIT.ok;
  } catch (error) {
    log.error("fatal", { error });
    throw error;
  } finally {
    // Whatever hangs in closing must not keep the process: the recordings are on disk already.
    const limit = setTimeout(() => process.exit(EXIT.failed), SHUTDOWN_LIMIT_MS);
    await app.close();
    clearTimeout(limit);
    folder.release();
    log.info("stopped");
  }
}
