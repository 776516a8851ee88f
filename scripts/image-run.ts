/**
 * Runs an unpacked image in the foreground, as `docker run` would; needs root. Its VOICEBOT_… variables go to the bot, and
 * SIGTERM and SIGINT to the container's first process.
 *
 *   node scripts/image-run.ts OPTIONS      OPTIONS: JSON of `ContainerOptions`
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { runArgs, type ContainerOptions } from "./image/container.ts";

const options = JSON.parse(process.argv[2] ?? "") as ContainerOptions;
const env = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[0].startsWith("VOICEBOT_")),
);
const container = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...runArgs(options, env)], {
  stdio: ["ignore", "inherit", "inherit"],
  env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
});
container.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
container.on("exit", (code) => {
  process.exitCode = code ?? 137;
});
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    const pid = container.pid;
    const first = pid === undefined ? NaN : Number(childrenText(pid).split(" ")[0]);
    if (first > 0) process.kill(first, signal);
  });
}

function childrenText(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  } catch {
    return ""; // It has just ended.
  }
}
