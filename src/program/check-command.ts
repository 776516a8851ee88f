import type { Command } from "commander";
import type { CheckOptions } from "./check-run.ts";
import { withLoadedConfig } from "./config-command.ts";
import { ADMIN_TOKEN } from "./token-file.ts";

/** Adds `check`: looks at everything that the bot needs, and says what to do about what is missing. */
export function addCheckCommand(program: Command): void {
  const command = program
    .command("check")
    .description(
      "Look at everything that the bot needs (settings, homeserver, rooms, ffmpeg, folders, ways to members) and say what to do. Sends nothing to any room; a bot may run meanwhile. Exit code 0, 1 when something has to be mended, 78 when the configuration is wrong.",
    )
    .option("--json", "print one JSON document (docs/CHECK.md)")
    .option(
      "--admin-token-file <file>",
      `ask for the bot's rate limit with an administrator's token in a file (or in ${ADMIN_TOKEN}; Synapse)`,
    );
  withLoadedConfig(command, async (loaded, ran) => {
    const { check } = await import("./check-run.ts");
    return check(loaded, ran.opts<CheckOptions>());
  });
}
