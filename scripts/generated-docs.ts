// Documentation that the tables of the code print: `npm run docs` writes it, test/unit/generated-docs.test.ts compares it.
import { exampleYaml, referenceMarkdown } from "../src/config/reference.ts";
import { EXIT, EXIT_MEANINGS } from "../src/program/exit-codes.ts";
import { commandTable } from "./command-docs.ts";
import { roomSettingsTable } from "./room-settings-docs.ts";
import { soundTree } from "./sound-tree.ts";

export interface GeneratedFile {
  /** From the root of the project. */
  readonly path: string;
  readonly text: string;
}

/** @param read gives the present text of a file, of which the parts between its markers are replaced */
export function generatedFiles(read: (path: string) => string): GeneratedFile[] {
  const configuration = "docs/CONFIGURATION.md";
  const parts = { settings: referenceMarkdown(), "exit codes": exitCodes() };
  const commands = { commands: commandTable() };
  const usage = { ...commands, "room settings": roomSettingsTable() };
  return [
    { path: "config/example.yaml", text: exampleYaml() },
    { path: configuration, text: replaceParts(read(configuration), parts) },
    { path: "README.md", text: replaceParts(read("README.md"), { ...commands, sound: soundTree() }) },
    { path: "docs/USAGE.md", text: replaceParts(read("docs/USAGE.md"), usage) },
  ];
}

/** Replaces what stands between `<!-- NAME: made by npm run docs -->` and `<!-- NAME: end -->`. */
function replaceParts(text: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((result, [name, part]) => {
    const begin = `<!-- ${name}: made by npm run docs -->\n`;
    const end = `<!-- ${name}: end -->`;
    const from = result.indexOf(begin);
    const to = result.indexOf(end, from);
    if (from === -1 || to === -1) throw new Error(`the markers of "${name}" are missing`);
    return `${result.slice(0, from + begin.length)}\n${part}\n\n${result.slice(to)}`;
  }, text);
}

function exitCodes(): string {
  const rows = Object.entries(EXIT_MEANINGS).map(([key, meaning]) => [
    String(EXIT[key as keyof typeof EXIT]),
    meaning,
  ]);
  const width = Math.max(...rows.map(([, meaning = ""]) => meaning.length));
  return [
    `| code | ${"meaning".padEnd(width)} |`,
    `| ---- | ${"-".repeat(width)} |`,
    ...rows.map(([code = "", meaning = ""]) => `| ${code.padEnd(4)} | ${meaning.padEnd(width)} |`),
  ].join("\n");
}
