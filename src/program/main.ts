import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { addCheckCommand } from "./check-command.ts";
import { withConfig } from "./config-command.ts";
import { EXIT, EXIT_MEANINGS } from "./exit-codes.ts";
import { reportFailure } from "./failure.ts";
import { addHealthCommand } from "./health-command.ts";
import { addRecordingsCommand } from "./recordings-command.ts";
import { addRoomCommand } from "./room-command.ts";

const NAME = "matrix-voice-bot";

/**
 * Parses the command line and runs the command. Sets the process' exit code; never throws.
 * Each command is a file of its own that adds itself to the program here, with one line.
 */
export async function main(argv: readonly string[]): Promise<void> {
  // Needed before anything is parsed, and by whatever prints.
  const debug = argv.includes("--debug");
  if (argv.includes("--no-color")) {
    process.env["NO_COLOR"] = "1";
    delete process.env["FORCE_COLOR"];
  }
  const program = new Command(NAME)
    .description("A headless bot for Matrix voice channels: plays music into them and records them.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help; each command has its own")
    .addOption(new Option("--debug", "print whole errors with their stack, instead of one line"))
    .addOption(new Option("--no-color", "print no colours (as NO_COLOR in the environment does)"))
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError(`(${NAME} --help lists the commands)`)
    .addHelpText("after", helpEnd());
  withConfig(
    program
      .command("run")
      .description("Run the bot until SIGTERM or SIGINT.")
      .addHelpText("after", runHelpEnd()),
    async (config) => {
      // Loaded when it is wanted: a health check every half minute must be quick.
      const { run } = await import("./run.ts");
      return run(config, version(), { debug });
    },
  );
  addCheckCommand(program);
  addHealthCommand(program);
  addRoomCommand(program);
  addRecordingsCommand(program);
  if (argv.length <= 2) return program.outputHelp();
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    const code = (error as { exitCode?: unknown }).exitCode;
    // Commander's own: help and version, or a command line that it has explained already.
    if (typeof code === "number") process.exitCode = code === 0 ? EXIT.ok : EXIT.usage;
    else process.exitCode = reportFailure(error, debug);
  }
}

function helpEnd(): string {
  const codes = Object.entries(EXIT_MEANINGS).map(
    ([key, meaning]) => `  ${String(EXIT[key as keyof typeof EXIT]).padEnd(3)} ${meaning}`,
  );
  return `
Examples:
  VOICEBOT_HOMESERVER_URL=https://matrix.example.org VOICEBOT_ACCESS_TOKEN=syt_… ${NAME} run
  ${NAME} run --config config.yaml --log-level debug
  ${NAME} run --help        all settings, with unit and default

Settings come from flags, VOICEBOT_ variables, a YAML file, in this order. Example of a file, and the reference:
  ${inPackage("config/example.yaml")}
  ${inPackage("docs/CONFIGURATION.md")}

Exit codes:
${codes.join("\n")}`;
}

function runHelpEnd(): string {
  return `
Every flag is also a variable (--ice-ports: VOICEBOT_ICE_PORTS) and a key of the YAML file (ice.ports). Secrets are
variables, keys of the file, or files of their own. An account is a token, or user id and password.

Examples:
  ${NAME} run --config /etc/matrix-voice-bot/config.yaml
  ${NAME} run --homeserver-url https://matrix.example.org --access-token-file token --media-dir ~/Music`;
}

function inPackage(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
