import { nearest } from "../base/nearest.ts";
import { SETTINGS, type Config, type Setting } from "./settings.ts";

export { deviceNameFrom } from "./settings.ts";
export type { AllowPrivate, Config } from "./settings.ts";

/** `key` as the operator wrote or should write it; `problem` completes a sentence about it; `hint` what to do. */
export interface ConfigProblem {
  key: string;
  problem: string;
  hint: string;
}

export type LoadedConfig = { ok: true; config: Config } | { ok: false; problems: ConfigProblem[] };

/**
 * Reads the configuration from environment variables. Empty is the same as not set. Reports every wrong key at once,
 * and VOICEBOT_ keys that do not exist; the values of secrets are in none of the texts.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const config: Partial<Record<keyof Config, unknown>> = {};
  for (const key of Object.keys(SETTINGS) as (keyof Config)[]) {
    const setting: Setting<unknown> = SETTINGS[key];
    const text = env[setting.env];
    if (text === undefined || text === "") {
      if (setting.fallback === undefined) {
        problems.push({ key: setting.env, problem: "is not set", hint: describe(setting) });
      }
      config[key] = setting.fallback;
      continue;
    }
    const value = setting.schema.safeParse(text);
    if (value.success) config[key] = value.data;
    else {
      const problem = [...new Set(value.error.issues.map((issue) => issue.message))].join("; ");
      problems.push({ key: setting.env, problem, hint: describe(setting) });
    }
  }
  const known = Object.values(SETTINGS).map((setting) => setting.env);
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith("VOICEBOT_") || value === undefined || known.includes(name)) continue;
    const meant = nearest(name, known);
    problems.push({
      key: name,
      problem: "is not a setting",
      hint: meant === null ? `Known are: ${known.join(", ")}.` : `Did you mean ${meant}?`,
    });
  }
  problems.push(...contradictions(config as Partial<Config>));
  // Every key was either set from its schema, or is among the problems.
  return problems.length === 0 ? { ok: true, config: config as Config } : { ok: false, problems };
}

/** What no value shows on its own. */
function contradictions({ iceServers = [], iceTurnSecret }: Partial<Config>): ConfigProblem[] {
  const open = iceServers.some(({ uri, username }) => uri.startsWith("turn") && username === undefined);
  if (!open || iceTurnSecret !== null) return [];
  return [
    {
      key: SETTINGS.iceServers.env,
      problem: "has a TURN server without user and password",
      hint: `Write turn:user:password@host, or set ${SETTINGS.iceTurnSecret.env}.`,
    },
  ];
}

function describe(setting: Setting<unknown>): string {
  return `${setting.meaning} Form: ${setting.unit}.`;
}
