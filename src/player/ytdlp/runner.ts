import { lstat, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BotError, toBotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { GuardProxy } from "../../fetch/guard-proxy.ts";
import type { Asker, FetchLimits } from "../../fetch/limits.ts";
import { urlForLog, type FetchPolicy } from "../../fetch/url.ts";
import { MAX_ITEMS } from "../playlist/item.ts";
import { decodeAnswer, type Answered } from "./answer.ts";
import { DOWNLOADED, downloadArguments, runtimeArguments } from "./arguments.ts";
import { failureOf } from "./failure.ts";
import { runYtdlp, type RunResult } from "./process.ts";
import type { YtdlpFinder } from "./program.ts";
import { Slots } from "./slots.ts";

export interface YtdlpRunnerDeps {
  finder: YtdlpFinder;
  /** Each run has a fresh folder in it; emptied at the start. */
  workDirectory: string;
  policy: FetchPolicy;
  limits: FetchLimits;
  clock: Clock;
  log: Log;
}

interface Errand {
  url: string;
  timeoutMs: number;
  /** Of all that it fetches. */
  maxBytes: number;
  asker: Asker;
  slots: Slots;
  /** Of whom no other is to run at the same time; null: nobody. */
  of: string | null;
  signal: AbortSignal;
}

/** Who waits for an answer does not wait for somebody's download. */
const LOOKS_AT_ONCE = 2;
const DOWNLOADS_AT_ONCE = 2;
const DOWNLOAD_MS = 600_000;
const IDLE_MS = 30_000;
/** Of 501 entries, or of a video with all its formats and languages; more takes too long to read. */
const MAX_OUTPUT_BYTES = 5e6;
/** Pages and scripts, besides the sound. */
const LOOK_BYTES = 50e6;

/** Runs yt-dlp, a few at a time, each in a folder and with a proxy of its own, both gone afterwards. */
export class YtdlpRunner {
  readonly #deps: YtdlpRunnerDeps;
  readonly #looks = new Slots(LOOKS_AT_ONCE);
  readonly #downloads = new Slots(DOWNLOADS_AT_ONCE);
  #cleared: Promise<void> | null = null;

  constructor(deps: YtdlpRunnerDeps) {
    this.#deps = deps;
  }

  /** Removes what a run before this one has left; done anyway before anything else. @throws errors of the file system */
  clear(): Promise<void> {
    this.#cleared ??= rm(this.#deps.workDirectory, { recursive: true, force: true });
    return this.#cleared;
  }

  /**
   * What it answers to `args` (of arguments.ts), which are about `url`.
   * @throws BotError `ytdlp_missing`, `rate_limited`, `timeout`, `cancelled`, and what became of it
   */
  ask(
    args: string[],
    { url, timeoutMs, asker, signal }: Pick<Errand, "url" | "timeoutMs" | "asker" | "signal">,
  ): Promise<Answered> {
    const { limits, clock } = this.#deps;
    limits.take(asker, clock.now());
    const bounds = { timeoutMs, maxBytes: LOOK_BYTES, slots: this.#looks, of: asker.sender };
    const errand = { url, asker, signal, ...bounds };
    return this.#run(args, errand, ({ output }) => Promise.resolve(decodeAnswer(output, url, MAX_ITEMS)));
  }

  /** Brings the sound of a source into the new file `path`. @throws BotError as `ask`, `media_unsupported` */
  async bring(
    source: { url: string; item?: number | undefined },
    { path, maxBytes, asker, signal }: { path: string; maxBytes: number; asker: Asker; signal: AbortSignal },
  ): Promise<void> {
    const errand = {
      ...{ url: source.url, timeoutMs: DOWNLOAD_MS, maxBytes: maxBytes + LOOK_BYTES, asker },
      ...{ slots: this.#downloads, of: null, signal },
    };
    await this.#run(downloadArguments(source, { maxBytes }), errand, async (_, directory) => {
      const brought = join(directory, DOWNLOADED);
      const info = await lstat(brought).catch(() => null);
      if (!info?.isFile()) {
        const limit = Math.round(maxBytes / 1e6);
        throw new BotError("media_unsupported", "yt-dlp brought no file", {
          say: { key: "ytdlp.no_file", params: { limit } },
        });
      }
      await rename(brought, path);
    });
  }

  async #run<T>(
    args: string[],
    { url, timeoutMs, maxBytes, asker, slots, of, signal }: Errand,
    take: (result: RunResult, directory: string) => Promise<T>,
  ): Promise<T> {
    const { finder, policy, clock, log, limits, workDirectory } = this.#deps;
    const program = await finder.find();
    const leave = await slots.enter(signal, of);
    let directory: string | null = null;
    let proxy: GuardProxy | null = null;
    const startMs = clock.now();
    try {
      await this.clear();
      await mkdir(workDirectory, { recursive: true, mode: 0o700 });
      directory = await mkdtemp(join(workDirectory, "run-"));
      proxy = await GuardProxy.open({ policy, maxBytes, idleMs: IDLE_MS, clock });
      const result = await runYtdlp({
        ...{ program: program.path, directory, proxy: proxy.url, timeoutMs, signal, clock },
        args: [...runtimeArguments(program.version, process.execPath), ...args],
        maxOutputBytes: MAX_OUTPUT_BYTES,
      });
      const { host } = new URL(url);
      if (!result.ok) throw failureOf(result.complaint, { host, program, refusal: proxy.refusal });
      const taken = await take(result, directory);
      const ms = Math.round(clock.now() - startMs);
      log.info("ytdlp_ran", { url: urlForLog(url), bytes: proxy.bytes, ms });
      return taken;
    } catch (error) {
      const { code, message } = toBotError(error);
      const reason = message.slice(0, 300);
      log.info("ytdlp_failed", { url: urlForLog(url), code, reason, version: program.version });
      throw error;
    } finally {
      limits.spend(asker, proxy?.bytes ?? 0, clock.now());
      proxy?.close();
      if (directory !== null) await rm(directory, { recursive: true, force: true });
      leave();
    }
  }
}
