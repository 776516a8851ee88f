// What the table of settings says in other forms: help of the command line, config/example.yaml, docs/CONFIGURATION.md.
import { GROUPS, envName, flagName, secretFileName, type Setting } from "./setting.ts";
import { SETTINGS } from "./settings.ts";

const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);
const groups = Object.entries(GROUPS).map(([group, heading]) => ({
  heading,
  settings: settings.filter((setting) => setting.group === group),
}));

export interface FlagHelp {
  /** With its dashes. */
  flag: string;
  placeholder: string;
  text: string;
  heading: string;
}

/** The flag of every setting, in the order of the groups. Secrets have one for the file that holds them only. */
export function flagsHelp(): FlagHelp[] {
  return groups.flatMap(({ heading, settings }) =>
    settings.map((setting) => {
      const { name, secret, meaning } = setting;
      const flag = flagName(secret ? secretFileName(name) : name);
      return secret
        ? { flag, placeholder: "file", text: `File that holds ${envName(name)}: ${meaning}`, heading }
        : { flag, placeholder: "value", text: `${meaning} (${unitAndDefault(setting)})`, heading };
    }),
  );
}

function unitAndDefault({ unit, fallbackText }: Setting<unknown>): string {
  return `${unit}; default: ${fallbackText}`;
}

/** config/example.yaml: every key with what it means, its unit and its default; what must be set is set. */
export function exampleYaml(): string {
  const lines = [
    "# Settings of matrix-voice-bot. Made from its table of settings (npm run docs): every key there is.",
    "# Start it with: matrix-voice-bot run --config config.yaml",
    "#",
    "# Each key can also be an environment variable (ice.ports is VOICEBOT_ICE_PORTS) or a flag (--ice-ports). A flag wins",
    "# over the environment, that over this file. Secrets can stand in a file of their own: access_token_file: /path.",
  ];
  let section = "";
  for (const { heading, settings } of groups) {
    lines.push("", `# --- ${heading} ---`);
    for (const setting of settings) {
      const [first = "", second] = setting.name.split(".");
      const indent = second === undefined ? "" : "  ";
      if (second !== undefined && section !== first) lines.push("", `${first}:`);
      else lines.push("");
      section = second === undefined ? "" : first;
      lines.push(...wrap(setting.meaning, `${indent}# `));
      lines.push(...wrap(`Form: ${setting.unit}. Default: ${setting.fallbackText}.`, `${indent}# `));
      const value = `${second ?? first}: ${yamlValue(setting)}`;
      lines.push(`${indent}${setting.fallback === undefined ? "" : "# "}${value}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function yamlValue({ example, list }: Setting<unknown>): string {
  if (list) return `[${example.split(",").map(quote).join(", ")}]`;
  return quote(example);
}

/** What YAML would take for something else than text gets quotes. */
function quote(text: string): string {
  return /^[A-Za-z0-9/.][\w/.:-]*$/.test(text) && !text.endsWith(":") ? text : JSON.stringify(text);
}

function wrap(text: string, prefix: string): string[] {
  const lines = [prefix];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last.length + word.length > 110 && last !== prefix) lines.push(prefix + word);
    else lines[lines.length - 1] = last === prefix ? prefix + word : `${last} ${word}`;
  }
  return lines;
}

/** The tables of docs/CONFIGURATION.md, one for each group. */
export function referenceMarkdown(): string {
  return groups
    .map(({ heading, settings }) => [`### ${heading}`, "", ...table(settings)].join("\n"))
    .join("\n\n");
}

function table(rows: readonly Setting<unknown>[]): string[] {
  const cells = rows.map(({ name, secret, meaning, unit, example, fallbackText }) => [
    [name, envName(name), flagName(secret ? secretFileName(name) : name)].map(code).join("<br>"),
    escape(`${meaning} Form: ${unit}, e.g. `) + code(example),
    escape(fallbackText),
  ]);
  const header = ["key, variable, flag", "meaning and form", "default"];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (parts: readonly string[]): string =>
    `| ${parts.map((part, column) => part.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)];
}

const code = (text: string): string => `\`${text}\``;
const escape = (text: string): string => text.replaceAll(/[|<*_~]/g, "\\$&");
