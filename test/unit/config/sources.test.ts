// Where settings come from: which source wins, and what each may look like.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { loadConfig, type ConfigSources, type LoadedConfig } from "../../../src/config/config.ts";
import { envName, flagName, GROUPS, secretFileName, type Setting } from "../../../src/config/setting.ts";
import { SETTINGS } from "../../../src/config/settings.ts";
import { readYaml } from "../../../src/config/yaml-file.ts";

const all: readonly Setting<unknown>[] = Object.values(SETTINGS);
const least = { VOICEBOT_HOMESERVER_URL: "https://matrix.example.org", VOICEBOT_ACCESS_TOKEN: "token" };

interface Given {
  env?: Record<string, string>;
  flags?: Record<string, string>;
  yaml?: string;
  unknownFlags?: string[];
}

function load({ env = {}, flags = {}, yaml, unknownFlags = [] }: Given): LoadedConfig {
  const sources: ConfigSources = {
    env: { ...least, ...env },
    flags: new Map(Object.entries(flags)),
    unknownFlags,
    file: yaml === undefined ? null : readYaml(yaml, "bot.yaml"),
  };
  return loadConfig(sources);
}

function problemsOf(given: Given): string[] {
  const loaded = load(given);
  if (loaded.ok) throw new Error("was accepted");
  return loaded.problems.map(({ key, problem, hint }) => `${key}: ${problem} | ${hint}`);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "voicebot-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test("every setting has an example that its schema takes, a group, and names that nobody else has", () => {
  for (const { schema, example, group, name } of all) {
    expect([name, schema.safeParse(example).success]).toEqual([name, true]);
    expect(GROUPS[group]).toBeTruthy();
  }
  const names = all.flatMap(({ name, secret }) => (secret ? [name, secretFileName(name)] : [name]));
  expect(new Set(names.map(envName)).size).toBe(names.length);
  expect(new Set(names.map(flagName)).size).toBe(names.length);
});

test("a flag wins over the environment, that over the file, that over the default", () => {
  const yaml = "data_dir: /file\nmedia_dir: /file\nlog:\n  level: warn";
  const env = { VOICEBOT_DATA_DIR: "/env", VOICEBOT_MEDIA_DIR: "/env" };
  const flags = { "--data-dir": "/flag" };
  expect(load({ env, flags, yaml })).toMatchObject({
    config: { dataDir: "/flag", mediaDir: "/env", logLevel: "warn", commandPrefix: "!" },
  });
  // Empty is not set.
  expect(load({ env: { VOICEBOT_LOG_LEVEL: "" }, flags: { "--log-level": "" }, yaml })).toMatchObject({
    config: { logLevel: "warn" },
  });
});

test("numbers, booleans and lists are taken as a person writes them in YAML", () => {
  const yaml = `
device_name: 007
ice:
  allow_private: true
  ports: 50000
  announce:
    - 203.0.113.7
    - 2001:db8::7
  servers: [stun:stun.example.org, "turn:ada:p%2Cw@turn.example.org"]
invites:
  allow: "*:example.org, @ada:other.org"
log: # nothing set
  level:
`;
  expect(load({ yaml })).toMatchObject({
    config: {
      deviceName: "007",
      iceAllowPrivate: "true",
      icePorts: [50_000, 50_000],
      iceAnnounce: ["203.0.113.7", "2001:db8::7"],
      iceServers: [
        { uri: "stun:stun.example.org" },
        { uri: "turn:turn.example.org", username: "ada", password: "p,w" },
      ],
      invitesAllow: ["*:example.org", "@ada:other.org"],
      logLevel: "info",
    },
  });
});

test("all mistakes of all sources are told at once, each where it was made", () => {
  const yaml = "ice:\n  prots: 5\n  ports: 5\nlog: debug\nhome_server:\n  url: x\nicee:\n";
  expect(
    problemsOf({
      env: { VOICEBOT_LOG_LEVEL: "loud", VOICEBOT_DATADIR: "/x", VOICEBOT_ACCESS_TOKEN_FLIE: "/x" },
      flags: { "--ice-allow-private": "yes" },
      unknownFlags: ["--ice-port"],
      yaml,
    }),
  ).toEqual([
    expect.stringContaining("--ice-allow-private: must be auto, true or false"),
    expect.stringContaining("ice.ports (bot.yaml, line 3): must be ports"),
    expect.stringContaining("VOICEBOT_LOG_LEVEL: must be debug"),
    "--ice-port: is not a setting | Did you mean --ice-ports?",
    "VOICEBOT_DATADIR: is not a setting | Did you mean VOICEBOT_DATA_DIR?",
    "VOICEBOT_ACCESS_TOKEN_FLIE: is not a setting | Did you mean VOICEBOT_ACCESS_TOKEN_FILE?",
    "ice.prots (bot.yaml, line 2): is not a setting | Did you mean ice.ports?",
    "log (bot.yaml, line 4): is no setting but holds some | They are: log.level, log.format.",
    "home_server.url (bot.yaml, line 6): is not a setting | Did you mean homeserver.url?",
    "icee (bot.yaml, line 7): is not a setting | Did you mean ice?",
  ]);
});

test("one value may not be a list", () => {
  expect(problemsOf({ yaml: "data_dir: [a, b]" })).toEqual([
    expect.stringContaining("data_dir (bot.yaml, line 1): must be one value, not a list"),
  ]);
});

test.each([
  ["a: 1\na: 2\n", "twice"],
  ["data_dir: &a x\nmedia_dir: *a\n", "alias"],
  ["data_dir: !env HOME\n", "tag"],
  ["ice:\n\tports: 5\n", "tab"],
  ['data_dir: "a\n', "not valid YAML"],
  ["data_dir: a\n---\ndata_dir: b\n", "second document"],
  ["[".repeat(50_000), "nested too deeply"],
  ["- a\n- b\n", "no keys"],
  ["just words\n", "no keys"],
  ["a: {b: {c: {d: {e: 1}}}}\n", "no setting here"],
  [`ice:\n  announce: [${"1.2.3.4, ".repeat(200)}]\n`, "too long"],
  ["ice:\n  announce: [[1.2.3.4]]\n", "more than words"],
  ["? [a, b]\n: c\n", "no setting here"],
  ["x".repeat(70_000), "characters"],
])("YAML that is no configuration is refused in words: %#", (yaml, word) => {
  const problems = problemsOf({ yaml });
  expect(problems.join("\n")).toContain(word);
  expect(problems.length).toBeLessThan(10);
});

test("an empty file, or one of comments, sets nothing", () => {
  for (const yaml of ["", "# nothing\n", "---\n", "null\n", "ice:\nlog: {}\n"]) {
    expect([yaml, load({ yaml })]).toEqual([yaml, load({})]);
  }
});

test("whatever stands in a file, the answer is a configuration or problems", () => {
  const keys = fc.constantFrom(
    "ice",
    "ports",
    "access_token",
    "data_dir",
    "log",
    "level",
    "<<",
    "&a",
    "*a",
    "!!x",
  );
  const piece = fc.oneof(
    keys,
    fc.constantFrom(": ", "\n", "\n  ", "- ", "[", "]", "{", "}", '"', "#", "|", "? "),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const loaded = load({ yaml: pieces.join("") });
      return loaded.ok || loaded.problems.length > 0;
    }),
    { numRuns: 300 },
  );
});

test("config/example.yaml has every key, and each works when its comment sign goes", () => {
  const text = readFileSync(new URL("../../../config/example.yaml", import.meta.url), "utf8");
  expect(loadConfig({ env: {}, file: readYaml(text, "example.yaml") })).toMatchObject({
    problems: [{ key: "VOICEBOT_ACCESS_TOKEN", problem: "is not set" }],
  });
  const live = text.replaceAll(/^( *)# (?=[a-z_]+: \S+$|[a-z_]+: [["])/gm, "$1");
  const read = readYaml(live, "example.yaml");
  expect([...read.values.keys()].toSorted()).toEqual(all.map(({ name }) => name).toSorted());
  for (const setting of all) {
    expect(setting.schema.parse(read.values.get(setting.name)?.text ?? "")).toEqual(
      setting.schema.parse(setting.example),
    );
    const [section = "", key = section] = setting.name.split(".");
    const from = section === key ? 0 : Math.max(0, text.search(new RegExp(`^${section}:$`, "m")));
    const comment = text.slice(from, text.indexOf(`${key}: `, from));
    expect(comment).toContain(`Form: ${setting.unit.slice(0, 20)}`);
  }
});

test("a secret may be a file, whose last newline is cut", () => {
  for (const content of ["syt_kept\n", "syt_kept\r\n", "syt_kept"]) {
    const path = file("token", content);
    const env = { VOICEBOT_ACCESS_TOKEN: "", VOICEBOT_ACCESS_TOKEN_FILE: path };
    expect(load({ env })).toMatchObject({ config: { accessToken: "syt_kept" } });
    expect(load({ env: { VOICEBOT_ACCESS_TOKEN: "" }, yaml: `access_token_file: ${path}` })).toMatchObject({
      config: { accessToken: "syt_kept" },
    });
  }
  // Flags win here as well, in either form.
  expect(
    load({ flags: { "--access-token-file": file("token", "of the flag".replaceAll(" ", "_")) } }),
  ).toMatchObject({
    config: { accessToken: "of_the_flag" },
  });
});

test("a secret's file that cannot be used is told by its key, and nothing of any secret with it", () => {
  const tell = (path: string): string =>
    problemsOf({ env: { VOICEBOT_ICE_TURN_SECRET_FILE: path } }).join("\n");
  expect(tell(join(folder, "absent"))).toContain(
    "VOICEBOT_ICE_TURN_SECRET_FILE: names a file that cannot be read (there is none)",
  );
  expect(tell(folder)).toContain("it is a folder");
  expect(tell(file("empty", "\n"))).toContain("names an empty file");
  expect(tell(file("big", "x".repeat(70_000)))).toContain("over 65536 bytes");
  const wrong = tell(file("wrong", "hush hush\nhush"));
  expect(wrong).toContain("VOICEBOT_ICE_TURN_SECRET_FILE: must be one word");
  expect(wrong).not.toContain("hush");
  const both = problemsOf({
    env: { VOICEBOT_ICE_TURN_SECRET: "hush", VOICEBOT_ICE_TURN_SECRET_FILE: file("secret", "hush") },
  }).join("\n");
  expect(both).toContain("VOICEBOT_ICE_TURN_SECRET_FILE: and VOICEBOT_ICE_TURN_SECRET are both set");
  expect(both).not.toContain("hush");
  expect(problemsOf({ yaml: "access_token: hush: hush\nice: [hush" }).join("\n")).not.toContain("hush");
});

test.each<[Record<string, string>, string | null]>([
  [{ VOICEBOT_ACCESS_TOKEN: "token" }, null],
  [{ VOICEBOT_USER_ID: "@bot:example.org", VOICEBOT_PASSWORD: "two words" }, null],
  [{ VOICEBOT_USER_ID: "@bot:example.org" }, null],
  [{}, "VOICEBOT_ACCESS_TOKEN: is not set"],
  [{ VOICEBOT_PASSWORD: "pw" }, "VOICEBOT_USER_ID: is not set"],
  [{ VOICEBOT_ACCESS_TOKEN: "token", VOICEBOT_PASSWORD: "pw" }, "and so is who logs in"],
  [{ VOICEBOT_ACCESS_TOKEN: "token", VOICEBOT_USER_ID: "@bot:example.org" }, "and so is who logs in"],
  [{ VOICEBOT_USER_ID: "bot" }, "VOICEBOT_USER_ID: must be a full user id"],
])("an account is a token, or who logs in: %j", (env, problem) => {
  const given: Given = { env: { VOICEBOT_ACCESS_TOKEN: "", ...env } };
  if (problem === null) expect(load(given).ok).toBe(true);
  else expect(problemsOf(given).join("\n")).toContain(problem);
});
