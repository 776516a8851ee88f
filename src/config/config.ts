import { nearest } from "../base/nearest.ts";
import { readSecretFile } from "./secret-file.ts";
import { envName, flagName, secretFileName, type Config, type Setting } from "./setting.ts";
import { SETTINGS } from "./settings.ts";
import type { ConfigProblem, Written } from "./written.ts";
import type { ConfigFile } from "./yaml-file.ts";

export type { AllowPrivate, Config, EnginePolicy, ListenAddress } from "./setting.ts";
export { MAX_MEDIA_CHILDREN } from "./schemas.ts";
export type { ConfigProblem } from "./written.ts";

export type LoadedConfig =
  | { ok: true; config: Config }
  /** `partial`: every setting that is right, or has a default. */
  | { ok: false; problems: ConfigProblem[]; partial: Partial<Config> };

/** Where the configuration comes from: flags win over the environment, that over the file. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Flags as they were given, e.g. `--data-dir`, with their values. */
  readonly flags?: ReadonlyMap<string, string>;
  /** Flags that the command line has and nobody knows. */
  readonly unknownFlags?: readonly string[];
  readonly file?: ConfigFile | null;
}

/** The variable that names the configuration file; the flag is `--config`. */
export const CONFIG_ENV = "VOICEBOT_CONFIG";

/** Makes a valid, stable device name of a Matrix device id (any text, or none for a token without a device). */
export function deviceNameFrom(deviceId: string | null): string {
  const name = (deviceId ?? "").replaceAll(/[^A-Za-z0-9._~-]/g, "-").slice(0, 64);
  return name === "" ? "voicebot" : name;
}

const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);
/** All keys of the file; environment variables are made of them. */
const names = settings.flatMap(({ name, secret }) => (secret ? [name, secretFileName(name)] : [name]));
const flagNames = settings.map(({ name, secret }) => flagName(secret ? secretFileName(name) : name));

/**
 * Reads the configuration. Empty is the same as not set. Reports every wrong key at once, and keys that do not exist
 * (flags, VOICEBOT_ variables, keys of the file); the values of secrets are in none of the texts.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const problems: ConfigProblem[] = [...(sources.file?.problems ?? [])];
  const config: Partial<Record<keyof Config, unknown>> = {};
  for (const key of Object.keys(SETTINGS) as (keyof Config)[]) {
    const setting: Setting<unknown> = SETTINGS[key];
    try {
      const written = find(sources, setting);
      if (written === null && setting.fallback === undefined) {
        throw new Refusal(envName(setting.name), "is not set");
      }
      config[key] = written === null ? setting.fallback : read(setting, written);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      problems.push({ key: error.key, problem: error.message, hint: describe(setting) });
    }
  }
  problems.push(...unknown(sources), ...contradictions(config as Partial<Config>));
  // Every key was either set from its schema, or is among the problems.
  if (problems.length === 0) return { ok: true, config: config as Config };
  return { ok: false, problems, partial: config as Partial<Config> };
}

/** One value cannot be taken; the message completes "KEY …". */
class Refusal extends Error {
  readonly key: string;

  constructor(key: string, problem: string) {
    super(problem);
    this.key = key;
  }
}

/** What the strongest source says, secrets of files read. */
function find(sources: ConfigSources, { name, secret }: Setting<unknown>): Written | null {
  for (const source of [flagOf, envOf, fileOf]) {
    const written = source(sources, name);
    const named = secret ? source(sources, secretFileName(name)) : null;
    if (named !== null) {
      if (written !== null) throw new Refusal(named.key, `and ${written.key} are both set`);
      return { key: named.key, text: secretOf(named) };
    }
    if (written !== null) return written;
  }
  return null;
}

function flagOf({ flags }: ConfigSources, name: string): Written | null {
  const key = flagName(name);
  const text = flags?.get(key) ?? "";
  return text === "" ? null : { key, text };
}

function envOf({ env }: ConfigSources, name: string): Written | null {
  const key = envName(name);
  const text = env[key] ?? "";
  return text === "" ? null : { key, text };
}

function fileOf({ file }: ConfigSources, name: string): Written | null {
  return file?.values.get(name) ?? null;
}

function secretOf({ key, text }: Written): string {
  try {
    return readSecretFile(text);
  } catch (error) {
    throw new Refusal(key, (error as Error).message);
  }
}

function read(setting: Setting<unknown>, { key, text, list }: Written): unknown {
  if (list && !setting.list) throw new Refusal(key, "must be one value, not a list");
  const value = setting.schema.safeParse(text);
  if (value.success) return value.data;
  throw new Refusal(key, [...new Set(value.error.issues.map((issue) => issue.message))].join("; "));
}

/** Keys that nobody knows, each with the one that was meant. */
function unknown({ env, unknownFlags = [], file }: ConfigSources): ConfigProblem[] {
  const variables = [CONFIG_ENV, ...names.map(envName)];
  const strangers = Object.entries(env)
    .filter(([key, value]) => key.startsWith("VOICEBOT_") && value !== undefined && !variables.includes(key))
    .map(([key]) => refuse(key, key, variables));
  const parents = new Set(names.map((name) => name.split(".").slice(0, -1).join(".")));
  const lost = [...(file?.values ?? [])]
    .filter(([path]) => !names.includes(path))
    .map(([path, { key }]) => {
      const inside = names.filter((name) => name.startsWith(`${path}.`));
      if (inside.length === 0) return refuse(key, path, names);
      return { key, problem: "is no setting but holds some", hint: `They are: ${inside.join(", ")}.` };
    });
  const hollow = [...(file?.sections ?? [])]
    .filter(([path]) => !names.includes(path) && !parents.has(path) && !holds(file, path))
    .map(([path, { key }]) => refuse(key, path, [...names, ...parents]));
  return [
    ...unknownFlags.map((flag) => refuse(flag, flag, ["--config", ...flagNames])),
    ...strangers,
    ...lost,
    ...hollow,
  ];
}

/** Whether a section has values, which are told themselves. */
function holds(file: ConfigFile | null | undefined, path: string): boolean {
  return [...(file?.values.keys() ?? [])].some((name) => name.startsWith(`${path}.`));
}

function refuse(key: string, typed: string, known: readonly string[]): ConfigProblem {
  const meant = nearest(typed, known);
  const hint = meant === null ? `Known are: ${known.join(", ")}.` : `Did you mean ${meant}?`;
  return { key, problem: "is not a setting", hint };
}

/** What no value shows on its own. */
function contradictions(config: Partial<Config>): ConfigProblem[] {
  const { iceServers = [], iceTurnSecret, accessToken, userId, password } = config;
  const key = (setting: Setting<unknown>): string => envName(setting.name);
  const problems: ConfigProblem[] = [];
  if (accessToken === null && userId === null) {
    problems.push({
      key: key(SETTINGS.accessToken),
      problem: "is not set",
      hint: `${describe(SETTINGS.accessToken)} Or set ${key(SETTINGS.userId)} and ${key(SETTINGS.password)}, and the bot logs in by itself.`,
    });
  }
  if (typeof accessToken === "string" && (typeof userId === "string" || typeof password === "string")) {
    problems.push({
      key: key(SETTINGS.accessToken),
      problem: "is set, and so is who logs in",
      hint: `Leave out either the token, or ${key(SETTINGS.userId)} and ${key(SETTINGS.password)}.`,
    });
  }
  if (typeof password === "string" && userId === null && accessToken === null) {
    problems.push({ key: key(SETTINGS.userId), problem: "is not set", hint: "The password is its." });
  }
  if (
    iceTurnSecret === null &&
    iceServers.some(({ uri, username }) => uri.startsWith("turn") && username === undefined)
  ) {
    problems.push({
      key: key(SETTINGS.iceServers),
      problem: "has a TURN server without user and password",
      hint: `Write turn:user:password@host, or set ${key(SETTINGS.iceTurnSecret)}.`,
    });
  }
  return problems;
}

function describe({ meaning, unit, example, secret }: Setting<unknown>): string {
  return `${meaning} Form: ${unit}${secret ? "" : `, e.g. ${example}`}.`;
}
