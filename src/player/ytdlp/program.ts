import { constants } from "node:fs";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import { silentLog, type Log } from "../../base/log.ts";
import type { Sentence } from "../../base/messages/catalogue.ts";
import { runYtdlp, type RunResult } from "./process.ts";

/** As configured: a path, `off`, or null for the one on PATH. */
export type YtdlpSetting = string | null;

export interface YtdlpProgram {
  path: string;
  version: string;
  /** Days since that version was made; null when its name does not say. */
  ageDays: number | null;
}

/** Sites change all the time: an older one is the first suspect when something does not work. */
export const OLD_DAYS = 60;
const LOOK_AGAIN_MS = 3_600_000;
const ASK_MS = 20_000;
const DAY_MS = 86_400_000;

/** Finds yt-dlp, and how old it is; looks again once an hour, so that an update needs no restart. */
export class YtdlpFinder {
  readonly #setting: YtdlpSetting;
  readonly #clock: Clock;
  readonly #log: Log;
  #found: { program: Promise<YtdlpProgram>; atMs: number } | null = null;

  constructor(setting: YtdlpSetting, clock: Clock, log: Log = silentLog) {
    this.#setting = setting;
    this.#clock = clock;
    this.#log = log;
  }

  get isOff(): boolean {
    return this.#setting === "off";
  }

  /** @throws BotError `ytdlp_missing`: it is switched off, not there, or does not run; asked again the next time */
  async find(): Promise<YtdlpProgram> {
    if (this.isOff) throw missing("it is switched off", { key: "ytdlp.off" });
    const nowMs = this.#clock.now();
    if (this.#found === null || nowMs - this.#found.atMs >= LOOK_AGAIN_MS)
      this.#found = { program: this.#look(), atMs: nowMs };
    const current = this.#found;
    try {
      return await current.program;
    } catch (error) {
      if (this.#found === current) this.#found = null;
      throw error;
    }
  }

  async #look(): Promise<YtdlpProgram> {
    const path = await this.#path();
    const { ok, output, complaint } = await this.#ask(path);
    const version = output.trim();
    if (!ok || !/^[\w.+-]{1,64}$/.test(version)) {
      throw missing(`${path} is no yt-dlp that runs: ${complaint.slice(-200)}`, { key: "ytdlp.missing" });
    }
    const age = ageDays(version, this.#clock.wall());
    this.#log[age !== null && age >= OLD_DAYS ? "warn" : "info"]("ytdlp_found", {
      path,
      version,
      ageDays: age,
    });
    return { path, version, ageDays: age };
  }

  /** Its version, asked in a home of its own: into that of everybody others may put what Python runs. */
  async #ask(path: string): Promise<RunResult> {
    const home = await mkdtemp(join(tmpdir(), "voicebot-ytdlp-")).catch(() => null);
    try {
      return await runYtdlp({
        ...{
          program: path,
          args: ["--ignore-config", "--version"],
          directory: home ?? tmpdir(),
          proxy: null,
        },
        ...{ timeoutMs: ASK_MS, maxOutputBytes: 1_000, signal: new AbortController().signal },
        clock: this.#clock,
      });
    } finally {
      if (home !== null) await rm(home, { recursive: true, force: true });
    }
  }

  async #path(): Promise<string> {
    const folders = (process.env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
    const candidates =
      this.#setting === null ? folders.map((folder) => join(folder, "yt-dlp")) : [this.#setting];
    for (const path of candidates) {
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return path;
    }
    throw missing("there is none", { key: "ytdlp.missing" });
  }
}

/** Its versions are days: `2026.10.26`, `2026.10.26.232842`. */
export function ageDays(version: string, nowMs: number): number | null {
  const match = /^(\d{4})\.(\d{1,2})\.(\d{1,2})(\.|$)/.exec(version);
  const madeMs = match ? Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) : NaN;
  return Number.isFinite(madeMs) ? Math.max(0, Math.floor((nowMs - madeMs) / DAY_MS)) : null;
}

const missing = (detail: string, say: Sentence): BotError =>
  new BotError("ytdlp_missing", `no yt-dlp: ${detail}`, { say });
