import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Clock, Timer } from "../../base/clock.ts";
import { BotError, messageOf } from "../../base/errors.ts";
import { stepBack } from "../../base/step-back.ts";

export interface RunOptions {
  program: string;
  args: readonly string[];
  /** The folder that it works in. */
  directory: string;
  /** Where it fetches through; null: it fetches nothing. Secret, and so in no argument. */
  proxy: string | null;
  timeoutMs: number;
  /** Of standard output; more ends it. */
  maxOutputBytes: number;
  signal: AbortSignal;
  clock: Clock;
}

export interface RunResult {
  ok: boolean;
  output: string;
  /** The end of what it complained. */
  complaint: string;
}

const MAX_COMPLAINT = 8_192;
/** Who complains more has gone wild. */
const MAX_COMPLAINTS_BYTES = 1e6;
const KILL_AFTER_MS = 1_000;

/**
 * Runs yt-dlp once: without a shell, in a process group of its own that is ended as a whole, with an environment that has
 * nothing of ours in it, and at a low priority.
 * @throws BotError `timeout`, `cancelled`, `media_too_large` (its output, its complaints), `ytdlp_missing`
 */
export function runYtdlp(options: RunOptions): Promise<RunResult> {
  const { program, args, directory, proxy, timeoutMs, maxOutputBytes, signal, clock } = options;
  if (signal.aborted) return Promise.reject(new BotError("cancelled", "cancelled"));
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: directory,
      env: environment(directory, proxy),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    let complaint = "";
    let complaints = 0;
    let verdict: BotError | null = null;
    let kill: Timer | null = null;
    const signalGroup = (name: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // It has ended, and whatever it had started.
      }
    };
    const end = (why: BotError): void => {
      if (verdict) return;
      verdict = why;
      signalGroup("SIGTERM");
      kill = clock.timer(KILL_AFTER_MS, () => {
        signalGroup("SIGKILL");
        // Whoever has left the group may hold the pipes: nobody waits for it.
        child.stdout.destroy();
        child.stderr.destroy();
      });
    };
    const late = clock.timer(timeoutMs, () => end(tooLate(timeoutMs)));
    const onAbort = (): void => end(new BotError("cancelled", "cancelled"));
    signal.addEventListener("abort", onAbort, { once: true });
    const settled = (): void => {
      late.cancel();
      kill?.cancel();
      signal.removeEventListener("abort", onAbort);
      // What it may have started ends with it.
      signalGroup("SIGKILL");
    };
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxOutputBytes) chunks.push(chunk);
      else end(tooMuch());
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaints += chunk.length;
      if (complaints > MAX_COMPLAINTS_BYTES) return end(tooMuch());
      complaint = (complaint + chunk.toString("utf8")).slice(-MAX_COMPLAINT);
    });
    child.once("error", (error) => {
      settled();
      reject(
        new BotError("ytdlp_missing", `yt-dlp cannot be started: ${messageOf(error)}`, {
          say: { key: "ytdlp.missing" },
          cause: error,
        }),
      );
    });
    child.once("close", (code) => {
      settled();
      if (verdict) reject(verdict);
      else resolve({ ok: code === 0, output: Buffer.concat(chunks).toString("utf8"), complaint });
    });
    // Music that plays comes first.
    stepBack(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  });
}

/** Certificates that this machine trusts besides the usual ones; everything else of ours is none of its business. */
const PASSED_ON = ["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"];

function environment(directory: string, proxy: string | null): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passed),
    ...{ HOME: directory, TMPDIR: directory, XDG_CONFIG_HOME: directory, XDG_CACHE_HOME: directory },
    ...{ LANG: "C.UTF-8", PYTHONIOENCODING: "utf-8", PYTHONDONTWRITEBYTECODE: "1", YTDLP_NO_PLUGINS: "1" },
    // Nothing of what anybody has put into its home, if that could be.
    PYTHONNOUSERSITE: "1",
    ...(proxy !== null && { http_proxy: proxy, https_proxy: proxy, all_proxy: proxy }),
  };
}

const tooMuch = (): BotError =>
  new BotError("media_too_large", "yt-dlp says too much", { say: { key: "ytdlp.no_answer" } });

export function tooLate(timeoutMs: number): BotError {
  const seconds = Math.round(timeoutMs / 1000);
  return new BotError("timeout", `yt-dlp took over ${seconds} s`, {
    retryable: true,
    say: { key: "ytdlp.late", params: { seconds } },
  });
}
