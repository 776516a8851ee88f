import { nearest } from "../base/nearest.ts";
import { SETTINGS, envName, flagName, type Config, type Setting } from "./settings.ts";

export { deviceNameFrom } from "./settings.ts";
export type { AllowPrivate, Config } from "./settings.ts";

/** `key` as the operator wrote or should write it; `problem` completes a sentence about it; `hint` what to do. */
export interface ConfigProblem {
  key: string;
  problem: string;
  hint: string;
}

export type LoadedConfig = { ok: true; config: Config } | { ok: false; problems: ConfigProblem[] };

/** Where the configuration comes from; flags win over the environment. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Flags as they were given, e.g. `--data-dir`, with their values. */
  readonly flags?: ReadonlyMap<string, string>;
  /** Flags that the command line has and nobody knows. */
  readonly unknownFlags?: readonly string[];
}

/** A value as somebody wrote it, and under which key. */
interface Written {
  key: string;
  text: string;
}

/**
 * Reads the configuration. Empty is the same as not set. Reports every wrong key at once, and flags and VOICEBOT_
 * variables that do not exist; the values of secrets are in none of the texts.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const config: Partial<Record<keyof Config, unknown>> = {};
  for (const key of Object.keys(SETTINGS) as (keyof Config)[]) {
    const setting: Setting<unknown> = SETTINGS[key];
    const written = find(sources, setting.name);
    if (written === null) {
      if (setting.fallback === undefined) {
        problems.push({ key: envName(setting.name), problem: "is not set", hint: describe(setting) });
      }
      config[key] = setting.fallback;
      continue;
    }
    const value = setting.schema.safeParse(written.text);
    if (value.success) config[key] = value.data;
    else {
      const problem = [...new Set(value.error.issues.map((issue) => issue.message))].join("; ");
      problems.push({ key: written.key, problem, hint: describe(setting) });
    }
  }
  problems.push(...unknown(sources), ...contradictions(config as Partial<Config>));
  // Every key was either set from its schema, or is among the problems.
  return problems.length === 0 ? { ok: true, config: config as Config } : { ok: false, problems };
}

function find({ env, flags }: ConfigSources, name: string): Written | null {
  for (const [key, text] of [
    [flagName(name), flags?.get(flagName(name))],
    [envName(name), env[envName(name)]],
  ] as const) {
    if (text !== undefined && text !== "") return { key, text };
  }
  return null;
}

/** Keys that nobody knows, each with the one that was meant. */
function unknown({ env, unknownFlags = [] }: ConfigSources): ConfigProblem[] {
  const names = Object.values(SETTINGS).map(({ name }) => name);
  const variables = names.map(envName);
  const strangers = Object.entries(env)
    .filter(([key, value]) => key.startsWith("VOICEBOT_") && value !== undefined && !variables.includes(key))
    .map(([key]) => key);
  return [
    ...unknownFlags.map((key) => refuse(key, names.map(flagName))),
    ...strangers.map((key) => refuse(key, variables)),
  ];
}

function refuse(key: string, known: readonly string[]): ConfigProblem {
  const meant = nearest(key, known);
  const hint = meant === null ? `Known are: ${known.join(", ")}.` : `Did you mean ${meant}?`;
  return { key, problem: "is not a setting", hint };
}

/** What no value shows on its own. */
function contradictions({ iceServers = [], iceTurnSecret }: Partial<Config>): ConfigProblem[] {
  const open = iceServers.some(({ uri, username }) => uri.startsWith("turn") && username === undefined);
  if (!open || iceTurnSecret !== null) return [];
  return [
    {
      key: envName(SETTINGS.iceServers.name),
      problem: "has a TURN server without user and password",
      hint: `Write turn:user:password@host, or set ${envName(SETTINGS.iceTurnSecret.name)}.`,
    },
  ];
}

function describe(setting: Setting<unknown>): string {
  return `${setting.meaning} Form: ${setting.unit}.`;
}
