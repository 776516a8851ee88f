import { existsSync, readFileSync } from "node:fs";
import { Option, type Command } from "commander";
import {
  CONFIG_ENV,
  loadConfig,
  type Config,
  type ConfigProblem,
  type ConfigSources,
  type LoadedConfig,
} from "../config/config.ts";
import { flagsHelp } from "../config/reference.ts";
import { readYaml, type ConfigFile } from "../config/yaml-file.ts";
import { EXIT } from "./exit-codes.ts";

/** Read when it is there and no other file is named. */
export const DEFAULT_CONFIG_FILE = "/etc/matrix-voice-bot/config.yaml";

/**
 * Gives a command the flags of every setting and runs `action` with the configuration: flags win over the environment,
 * that over the YAML file, that over the defaults. When it is wrong, every problem is printed, one line each, and the
 * command ends with `EXIT.config`. `action` gets the command's own arguments (`command.args`) and options
 * (`command.opts()`) by `command`, and returns the exit code.
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
  const settings = flagsHelp().map(({ flag, placeholder, text, heading }) =>
    new Option(`${flag} <${placeholder}>`, text).helpGroup(`${heading}:`),
  );
  command.addOption(
    new Option(
      "--config <file>",
      `YAML file with settings (or ${CONFIG_ENV}; default: ${DEFAULT_CONFIG_FILE}, if it is there)`,
    ),
  );
  for (const option of settings) command.addOption(option);
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
      const flags = new Map<string, string>();
      for (const option of settings) {
        const value: unknown = command.getOptionValue(option.attributeName());
        if (option.long && typeof value === "string") flags.set(option.long, value);
      }
      const named: unknown = command.getOptionValue("config");
      const file = configFile(typeof named === "string" ? named : "", process.env);
      const sources: ConfigSources = { env: process.env, flags, unknownFlags, file };
      process.exitCode = await action(loadConfig(sources), command);
    });
}

/** Prints every problem with the configuration, one line each. @returns the exit code for it. */
export function refuseConfig(problems: readonly ConfigProblem[]): number {
  for (const { key, problem, hint } of problems) process.stderr.write(`${key}: ${problem} (${hint})\n`);
  return EXIT.config;
}

function configFile(flag: string, env: NodeJS.ProcessEnv): ConfigFile | null {
  const named = flag || env[CONFIG_ENV] || null;
  if (named === null && !existsSync(DEFAULT_CONFIG_FILE)) return null;
  const path = named ?? DEFAULT_CONFIG_FILE;
  try {
    return readYaml(readFileSync(path, "utf8"), path);
  } catch (error) {
    const problem = `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`;
    const hint = `${flag ? "--config" : (env[CONFIG_ENV] ?? "") ? CONFIG_ENV : "It is the default place; it"} must name a YAML file with settings.`;
    return { values: new Map(), sections: new Map(), problems: [{ key: path, problem, hint }] };
  }
}
