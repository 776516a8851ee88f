import { readFileSync } from "node:fs";
import { Command } from "commander";
import { withConfig } from "./config-command.ts";
import { EXIT } from "./exit-codes.ts";
import { addHealthCommand } from "./health-command.ts";
import { addRoomCommand } from "./room-command.ts";
import { run } from "./run.ts";

/**
 * Parses the command line and runs the command. Sets the process' exit code; never throws.
 * Each command is a file of its own that adds itself to the program here, with one line.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("matrix-voice-bot")
    .description("A headless bot for Matrix voice channels: plays music into them and records them.")
    .version(version())
    .exitOverride()
    .showHelpAfterError("(matrix-voice-bot --help lists the commands)");
  withConfig(program.command("run").description("Run the bot."), (config) => run(config, version()));
  addHealthCommand(program);
  addRoomCommand(program);
  if (argv.length <= 2) return program.outputHelp();
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    const code = (error as { exitCode?: unknown }).exitCode;
    if (typeof code !== "number") throw error;
    process.exitCode = code === 0 ? EXIT.ok : EXIT.usage;
  }
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
