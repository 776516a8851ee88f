import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import path from "node:path";
import { BotError } from "../../base/errors.ts";

/**
 * The ffmpeg to use: the configured path, else the one of the package ffmpeg-static when it is installed, else the one
 * on PATH.
 * @throws BotError `ffmpeg_missing`
 */
export async function findFfmpeg(configured: string | null): Promise<string> {
  if (configured !== null) {
    if (await executable(configured)) return configured;
    throw ffmpegMissing(`${configured} is not a program that can be run`);
  }
  const bundled = await bundledFfmpeg();
  if (bundled !== null && (await executable(bundled))) return bundled;
  for (const folder of (process.env["PATH"] ?? "").split(path.delimiter)) {
    const candidate = path.join(folder, "ffmpeg");
    if (path.isAbsolute(candidate) && (await executable(candidate))) return candidate;
  }
  throw ffmpegMissing("install the package `ffmpeg`, or name the program in the configuration");
}

/** How long the program may take to say what it can do. */
const ASK_MS = 5_000;

/** Whether this ffmpeg was built with a filter. One that does not answer has none. */
export function hasFilter(program: string, name: string): Promise<boolean> {
  const args = ["-hide_banner", "-nostdin", "-loglevel", "error", "-h", `filter=${name}`];
  return new Promise((resolve) => {
    execFile(program, args, { timeout: ASK_MS, killSignal: "SIGKILL" }, (error, stdout) =>
      resolve(error === null && stdout.startsWith(`Filter ${name}`)),
    );
  });
}

async function executable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function bundledFfmpeg(): Promise<string | null> {
  // The package is optional: its install step fetches a binary, which cannot be relied upon.
  const name: string = "ffmpeg-static";
  try {
    const module = (await import(name)) as { default?: unknown };
    return typeof module.default === "string" ? module.default : null;
  } catch {
    return null;
  }
}

/** The error of an ffmpeg that could not be found or started. */
function ffmpegMissing(detail: string): BotError {
  return new BotError("ffmpeg_missing", `no usable ffmpeg: ${detail}`, {
    say: { key: "error.ffmpeg_missing" },
  });
}
