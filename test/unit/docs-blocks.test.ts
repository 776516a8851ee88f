// Every code block of the documents is run by a test, or says why it cannot be; what people are shown to write in a room is
// what the bot understands.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseCommand } from "../../src/commands/parser.ts";
import { COMMANDS, findCommand } from "../../src/commands/table.ts";
import { LOG_EVENTS } from "../../src/base/log.ts";
import { loadConfig } from "../../src/config/config.ts";
import { readYaml } from "../../src/config/yaml-file.ts";
import { blocksOf, pages, readPage, type Block } from "../support/doc-blocks.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const all = pages().flatMap(blocksOf);
const shell = all.filter(({ language }) => /^(sh|bash|shell|console)$/.test(language));
const where = ({ file, line }: Block): string => `${file}:${line}`;

test("every block says its language", () => {
  expect(all.length).toBeGreaterThan(20);
  expect(all.filter(({ language }) => language === "").map(where)).toEqual([]);
});

test("every shell block is run by a test that there is, or says why not", () => {
  const verdicts = shell.map((block) => {
    const [, suite] = /^run=([a-z-]+?)(?:-started|-stopped)?$/.exec(block.mark) ?? [];
    const [, reason = ""] = /^not-run="([^"]{4,})"$/.exec(block.mark) ?? [];
    if (suite !== undefined) return existsSync(join(ROOT, `test/long/${suite}.test.ts`));
    return reason !== "";
  });
  expect(shell.filter((_, index) => verdicts[index] !== true).map(where)).toEqual([]);
  expect(shell.filter(({ mark }) => mark.startsWith("run=")).length).toBeGreaterThan(8);
});

test("what is run stands in a page that its test reads", () => {
  for (const block of shell) {
    const [, suite] = /^run=([a-z-]+?)(?:-started|-stopped)?$/.exec(block.mark) ?? [];
    if (suite === undefined) continue;
    const test = readFileSync(join(ROOT, `test/long/${suite}.test.ts`), "utf8");
    expect([where(block), test.includes(`"${block.file}"`)]).toEqual([where(block), true]);
  }
});

test("the package that is installed is the one that npm pack makes of this version", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const named = pages().flatMap((file) => [...readPage(file).matchAll(/[\w-]+-\d+\.\d+\.\d+\.tgz/g)]);
  expect(new Set(named.map(([name]) => name))).toEqual(new Set([`matrix-voice-bot-${version}.tgz`]));
});

test("no command of the program hides in a block of another language", () => {
  const hidden = all.filter(
    (block) => !shell.includes(block) && /^(docker|npm|apt-get|curl|sudo) /m.test(block.text),
  );
  expect(hidden.map(where)).toEqual([]);
});

// Those of docs/PROTOCOL.md have a test of their own (test/unit/channel).
test.each(all.filter(({ language, file }) => language === "json" && file !== "docs/PROTOCOL.md"))(
  "$file:$line is JSON",
  ({ text }) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  },
);

const settingsFiles = [
  ...all.filter(({ language }) => language === "yaml"),
  ...shell.flatMap((block) =>
    [...block.text.matchAll(/\.yaml <<'END'\n([^]*?)\nEND$/gm)].map(([, text = ""]) => ({ ...block, text })),
  ),
];

test.each(settingsFiles)("$file:$line has keys that there are, with values that can be used", ({ text }) => {
  const loaded = loadConfig({ env: {}, file: readYaml(text, "example") });
  const problems = loaded.ok ? [] : loaded.problems;
  // Other settings are in other blocks, and the files of secrets are not here.
  const own = problems.filter(
    ({ problem }) => !problem.startsWith("is not set") && !/ENOENT|no such file|cannot be read/.test(problem),
  );
  expect(own).toEqual([]);
});

test("the log events that docs/OPERATING.md explains are events that there are", () => {
  const section =
    readPage("docs/OPERATING.md")
      .split(/^## /m)
      .find((part) => part.startsWith("Logs")) ?? "";
  const events = [...section.matchAll(/^\| (`.*?) +\| /gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name),
  );
  expect(events.length).toBeGreaterThan(10);
  expect(events.filter((name) => !(LOG_EVENTS as readonly string[]).includes(name))).toEqual([]);
});

describe("docs/USAGE.md", () => {
  const examples = blocksOf("docs/USAGE.md")
    .flatMap(({ text }) => text.split("\n"))
    .filter((line) => line.startsWith("!"))
    // Two blanks and more part what is written from what it does.
    .map((line) => line.split(/ {2,}/)[0] ?? "");
  const named = examples.map((body) => {
    const addressing = { prefix: "!", ownUserId: "@bot:example.org", ownNames: ["Bot"] };
    return parseCommand({ msgtype: "m.text", body }, addressing)?.name ?? body;
  });

  test("each example is a command that there is", () => {
    expect(named.filter((name) => findCommand(name) === null)).toEqual([]);
  });

  test("each command has an example, and each short form is told", () => {
    const shown = new Set(named.map((name) => findCommand(name)?.name));
    expect(COMMANDS.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
    const text = readPage("docs/USAGE.md");
    const prose = text.slice(text.indexOf("<!-- commands: end -->"));
    const forms = COMMANDS.flatMap(({ aliases }) => aliases);
    expect(forms.filter((form) => !new RegExp(`!${form}\\b`).test(prose))).toEqual([]);
  });
});

test("commands in running text are commands that there are", () => {
  const said = pages().flatMap((file) =>
    [...readPage(file).matchAll(/`!([a-z]{2,})\b/g)].map(([, name = ""]) => [file, name] as const),
  );
  expect(said.length).toBeGreaterThan(10);
  expect(said.filter(([, name]) => findCommand(name) === null)).toEqual([]);
});

test("settings in the documents are settings that there are", () => {
  const known = readPage("docs/CONFIGURATION.md");
  const scripts = readdirSync(join(ROOT, "deploy")).map((name) =>
    readFileSync(join(ROOT, "deploy", name), "utf8"),
  );
  const settings = new Set(
    [...(known + scripts.join("\n")).matchAll(/VOICEBOT_[A-Z_]+[A-Z]/g)].map(([name]) => name),
  );
  const used = pages().flatMap((file) =>
    [...readPage(file).matchAll(/VOICEBOT_[A-Z_]+[A-Z]/g)].map(([name]) => [file, name] as const),
  );
  const unknown = used.filter(([, name]) => !settings.has(name) && !settings.has(name.replace(/_FILE$/, "")));
  expect(unknown).toEqual([]);
});
