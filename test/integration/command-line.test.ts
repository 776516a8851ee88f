// The program as it is typed: help, version, exit codes, and errors in one line.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProc, type ProcExit } from "../support/proc.ts";

const root = new URL("../../", import.meta.url).pathname;

async function type(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProcExit & { output: string }> {
  const proc = await startProc({
    command: process.execPath,
    args: [join(root, "src/cli.ts"), ...args],
    env: { NODE_OPTIONS: undefined, ...env },
  });
  return { ...(await proc.exited), output: proc.output };
}

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "voicebot-cli-"));
});
afterAll(() => rm(dir, { recursive: true }));

test("help names commands, examples, exit codes and where more is; a command's help its settings", async () => {
  const [help, runHelp, version] = await Promise.all([
    type(["--help"]),
    type(["run", "--help"]),
    type(["--version"]),
  ]);
  expect(help).toMatchObject({ code: 0 });
  for (const word of [
    "Commands:",
    "Examples:",
    "Exit codes:",
    "78  the configuration",
    "docs/CONFIGURATION.md",
  ]) {
    expect(help.output).toContain(word);
  }
  expect(runHelp).toMatchObject({ code: 0 });
  for (const word of [
    "Homeserver and account:",
    "--ice-ports <value>",
    "--password-file <file>",
    "default: ./data",
  ]) {
    expect(runHelp.output).toContain(word);
  }
  expect(runHelp.output).not.toMatch(/--(password|access-token|ice-turn-secret) </);
  expect(version).toMatchObject({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\s*$/) });
});

test("a command line that is not understood ends with 64, and says what was meant", async () => {
  const [command, words] = await Promise.all([type(["rum"]), type(["run", "now"])]);
  expect(command).toMatchObject({ code: 64, output: expect.stringContaining("Did you mean run?") });
  expect(words).toMatchObject({ code: 64, output: expect.stringContaining("too many arguments: now") });
});

test("mistakes in flags, environment and file are told together, one line each, with 78", async () => {
  const file = join(dir, "bot.yaml");
  await writeFile(file, "homeserver:\n  url: matrix.example.org\nmedai_dir: /srv\n");
  const { code, output } = await type(["run", "--config", file, "--log-level", "loud", "--datadir", "x"], {
    VOICEBOT_ICE_PORT: "5",
  });
  expect(code).toBe(78);
  const lines = output.trim().split("\n");
  expect(lines).toEqual([
    expect.stringContaining(`homeserver.url (${file}, line 2): must be a URL`),
    expect.stringContaining("--log-level: must be debug"),
    "--datadir: is not a setting (Did you mean --data-dir?)",
    "VOICEBOT_ICE_PORT: is not a setting (Did you mean VOICEBOT_ICE_PORTS?)",
    `medai_dir (${file}, line 3): is not a setting (Did you mean media_dir?)`,
    expect.stringContaining("VOICEBOT_ACCESS_TOKEN: is not set"),
  ]);
  const absent = await type(["run"], { VOICEBOT_CONFIG: join(dir, "absent.yaml") });
  expect(absent).toMatchObject({ code: 78, output: expect.stringContaining("VOICEBOT_CONFIG must name") });
});

test("an error is one line, and with --debug all of it", async () => {
  // The data folder is there, and something in it is not what it should be.
  const data = join(dir, "data");
  const args = ["run", "--homeserver-url", "http://127.0.0.1:9", "--data-dir", data, "--log-level", "error"];
  await mkdir(join(data, "running.lock"), { recursive: true });
  const env = { VOICEBOT_ACCESS_TOKEN: "token" };
  const [short, long] = await Promise.all([type(args, env), type(["--debug", ...args], env)]);
  expect(short).toMatchObject({ code: 1, output: expect.stringMatching(/^matrix-voice-bot: [^\n]+\n?$/) });
  expect(long).toMatchObject({ code: 1, output: expect.stringContaining("    at ") });
});
