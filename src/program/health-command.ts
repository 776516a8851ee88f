import type { Command } from "commander";
import { withLoadedConfig } from "./config-command.ts";
import type { LoadedConfig } from "../config/config.ts";
import { EXIT } from "./exit-codes.ts";
import { probe } from "../health/probe.ts";

/**
 * `matrix-voice-bot health`: asks the bot that runs with the same configuration whether it is ready, as a container's
 * health check. Exit code 0 or 1 with the reasons; 78 when there is nothing to ask.
 */
export function addHealthCommand(program: Command): void {
  withLoadedConfig(
    program
      .command("health")
      .description(
        "Ask the running bot whether it is synced and in its channels (needs VOICEBOT_HEALTH_LISTEN).",
      ),
    health,
  );
}

async function health(loaded: LoadedConfig): Promise<number> {
  // What is wrong with other settings is for `run` to say: here only the address counts.
  const listen = (loaded.ok ? loaded.config : loaded.partial).healthListen;
  if (!listen) {
    process.stderr.write("VOICEBOT_HEALTH_LISTEN is not set or wrong: the bot tells nobody how it is\n");
    return EXIT.config;
  }
  const reasons = await probe(listen);
  for (const reason of reasons) process.stderr.write(`${reason}\n`);
  if (reasons.length === 0) process.stdout.write("ready\n");
  return reasons.length === 0 ? EXIT.ok : EXIT.failed;
}
