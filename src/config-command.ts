import { Option, type Command } from "commander";
import { loadConfig, type Config, type ConfigProblem, type LoadedConfig } from "./config/config.ts";
import { SETTINGS, flagName } from "./config/settings.ts";
import { EXIT } from "./exit-codes.ts";

/**
 * Gives a command the flags of every setting and runs `action` with the configuration, read from flags, environment and
 * defaults. When it is wrong, every problem is printed, one line each, and the command ends with `EXIT.config`.
 * `action` gets the command's own arguments (`command.args`) and options (`command.opts()`) by `command`, and returns
 * the exit code.
 */
export function withConfig(
  command: Command,
  action: (config: Config, command: Command) => Promise<number>,
): Command {
  return withLoadedConfig(command, async (loaded, ran) =>
    loaded.ok ? action(loaded.config, ran) : refuseConfig(loaded.problems),
  );
}

/** As `withConfig`, for a command that reports what is wrong with the configuration in its own way. */
export function withLoadedConfig(
  command: Command,
  action: (loaded: LoadedConfig, command: Command) => Promise<number>,
): Command {
  for (const setting of Object.values(SETTINGS)) {
    if (setting.secret) continue; // everybody on the machine can read the command lines of processes
    command.addOption(new Option(`${flagName(setting.name)} <value>`, setting.meaning));
  }
  // Flags that do not exist are told together with everything else that is wrong.
  return command
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async () => {
      const expected = command.registeredArguments.length;
      const unknownFlags = command.args.filter((arg) => /^--?[^-\s]/.test(arg));
      if (unknownFlags.length === 0 && command.args.length > expected) {
        command.error(`error: too many arguments: ${command.args.slice(expected).join(" ")}`);
      }
      process.exitCode = await action(
        loadConfig({ env: process.env, flags: flagsOf(command), unknownFlags }),
        command,
      );
    });
}

/** Prints every problem with the configuration, one line each. @returns the exit code for it. */
export function refuseConfig(problems: readonly ConfigProblem[]): number {
  for (const { key, problem, hint } of problems) process.stderr.write(`${key}: ${problem} (${hint})\n`);
  return EXIT.config;
}

function flagsOf(command: Command): Map<string, string> {
  const flags = new Map<string, string>();
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (option.long !== undefined && typeof value === "string") {
      flags.set(option.long, value);
    }
  }
  return flags;
}
