import { lstat, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BotError, toBotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { clockTime } from "../../base/duration.ts";
import { oneLine } from "../../base/messages/catalogue.ts";
import { GuardProxy } from "../../fetch/guard-proxy.ts";
import type { Asker, FetchLimits } from "../../fetch/limits.ts";
import { looksLikeUrl, parseFetchUrl, urlForLog, type FetchPolicy } from "../../fetch/url.ts";
import type { TrackSource } from "../../media/plane.ts";
import { MAX_ITEMS } from "../playlist/item.ts";
import type { StoredSource } from "../queue.ts";
import { decodeAnswer, type Answer, type Answered } from "../ytdlp/answer.ts";
import { DOWNLOADED, downloadArguments, lookArguments, searchArguments } from "../ytdlp/arguments.ts";
import { failureOf } from "../ytdlp/failure.ts";
import { runYtdlp, tooLate, type RunResult } from "../ytdlp/process.ts";
import type { YtdlpFinder, YtdlpProgram } from "../ytdlp/program.ts";
import { Slots } from "../ytdlp/slots.ts";
import type { Bring, FileCache } from "./cache.ts";
import {
  NOBODY,
  type Ask,
  type Choice,
  type Found,
  type FoundMany,
  type Refused,
  type Resolver,
} from "./resolver.ts";

export interface YtdlpDeps {
  finder: YtdlpFinder;
  /** Where `!search` looks besides, as yt-dlp calls it (`ytsearch`); null: nowhere. */
  service: string | null;
  files: Pick<FileCache, "file">;
  /** Each run has a fresh folder in it; emptied at the start. */
  workDirectory: string;
  policy: FetchPolicy;
  limits: FetchLimits;
  clock: Clock;
  log: Log;
}

type YtdlpSource = Extract<StoredSource, { kind: "ytdlp" }>;

const AT_ONCE = 2;
const LOOK_MS = 60_000;
const SEARCH_MS = 20_000;
const DOWNLOAD_MS = 600_000;
const IDLE_MS = 30_000;
const MAX_OUTPUT_BYTES = 20e6;
/** Pages and scripts, besides the sound. */
const LOOK_BYTES = 50e6;
const MAX_DURATION_MS = 12 * 3_600_000;
const SERVICES: Readonly<Record<string, string>> = { ytsearch: "YouTube", scsearch: "SoundCloud" };

/** Pages of music and video sites, by the program yt-dlp where it is installed. */
export class Ytdlp implements Resolver {
  readonly kind = "ytdlp";
  readonly #deps: YtdlpDeps;
  readonly #slots = new Slots(AT_ONCE);
  #cleared: Promise<void> | null = null;

  constructor(deps: YtdlpDeps) {
    this.#deps = deps;
  }

  get isWanted(): boolean {
    return !this.#deps.finder.isOff;
  }

  isThere(): Promise<boolean> {
    return this.#deps.finder.find().then(
      () => true,
      () => false,
    );
  }

  async resolve(ask: Ask, signal: AbortSignal, asker: Asker = NOBODY): Promise<Found | FoundMany | null> {
    if (ask.kind !== "words" || !looksLikeUrl(ask.text.trim())) return null;
    const url = parseFetchUrl(ask.text.trim(), this.#deps.policy).href;
    const answered = await this.#ask(lookArguments(url), url, { timeoutMs: LOOK_MS, asker, signal });
    if (answered.kind === "one") return playable(answered.answer);
    const { title, left } = answered;
    const items: Found[] = [];
    const refused: Refused[] = [];
    for (const answer of answered.answers) {
      try {
        items.push(playable(answer));
      } catch (error) {
        refused.push({ name: answer.title, why: toBotError(error).say });
      }
    }
    const [first] = items;
    if (!first) {
      throw new BotError("not_found", "a list with nothing in it", {
        say: { key: "playlist.empty", params: { title } },
      });
    }
    if (items.length === 1 && refused.length === 0 && left === 0) return first;
    return { title, items, refused, left };
  }

  async search(text: string, limit: number): Promise<{ choices: Choice[]; more: boolean }> {
    const { service, finder, clock } = this.#deps;
    const words = oneLine(text).slice(0, 200);
    if (service === null || finder.isOff || limit <= 0 || words === "") return { choices: [], more: false };
    // Who waits for a turn waits no longer than who has one.
    const enough = new AbortController();
    const timer = clock.timer(SEARCH_MS, () => enough.abort());
    const options = { timeoutMs: SEARCH_MS, asker: NOBODY, signal: enough.signal };
    const args = searchArguments(service, words, limit);
    const answered = await this.#ask(args, `https://${service}.invalid/`, options)
      .catch((error: unknown) => {
        // Who has none of it looks in the media folder alone.
        if (toBotError(error).code === "ytdlp_missing") return null;
        throw enough.signal.aborted ? tooLate(SEARCH_MS) : error;
      })
      .finally(() => timer.cancel());
    if (answered?.kind !== "many") return { choices: [], more: false };
    const name = SERVICES[service] ?? service;
    const choices = answered.answers
      .filter(({ isLive }) => !isLive)
      .slice(0, limit)
      .map((answer) => ({ label: `${labelOf(answer)} – ${name}`, found: playable(answer) }));
    return { choices, more: false };
  }

  async open(source: StoredSource, signal: AbortSignal, asker: Asker = NOBODY): Promise<TrackSource> {
    if (source.kind !== "ytdlp") throw new BotError("internal", "not of yt-dlp");
    // What was allowed when it was queued may not be any more.
    parseFetchUrl(source.url, this.#deps.policy);
    const key = JSON.stringify(["ytdlp", source.url, source.item ?? null]);
    return {
      path: await this.#deps.files.file(key, (options) => this.#bring(source, asker, options), signal),
    };
  }

  async #ask(
    args: string[],
    url: string,
    { timeoutMs, asker, signal }: { timeoutMs: number; asker: Asker; signal: AbortSignal },
  ): Promise<Answered> {
    const program = await this.#deps.finder.find();
    return this.#run(program, args, { url, timeoutMs, maxBytes: LOOK_BYTES, asker, signal }, ({ output }) =>
      Promise.resolve(decodeAnswer(output, url, MAX_ITEMS)),
    );
  }

  async #bring(
    source: YtdlpSource,
    asker: Asker,
    { path, maxBytes, signal }: Parameters<Bring>[0],
  ): Promise<void> {
    const program = await this.#deps.finder.find();
    const options = {
      url: source.url,
      timeoutMs: DOWNLOAD_MS,
      maxBytes: maxBytes + LOOK_BYTES,
      asker,
      signal,
    };
    await this.#run(program, downloadArguments(source, { maxBytes }), options, async (_, directory) => {
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

  /** One run in a folder and with a proxy of its own, both gone afterwards. */
  async #run<T>(
    program: YtdlpProgram,
    args: string[],
    options: { url: string; timeoutMs: number; maxBytes: number; asker: Asker; signal: AbortSignal },
    take: (result: RunResult, directory: string) => Promise<T>,
  ): Promise<T> {
    const { policy, clock, log, limits, workDirectory } = this.#deps;
    const { url, timeoutMs, maxBytes, asker, signal } = options;
    limits.take(asker, clock.now());
    const leave = await this.#slots.enter(signal);
    let directory: string | null = null;
    let proxy: GuardProxy | null = null;
    const startMs = clock.now();
    try {
      this.#cleared ??= rm(workDirectory, { recursive: true, force: true });
      await this.#cleared;
      await mkdir(workDirectory, { recursive: true, mode: 0o700 });
      directory = await mkdtemp(join(workDirectory, "run-"));
      proxy = await GuardProxy.open({ policy, maxBytes, idleMs: IDLE_MS, clock });
      const result = await runYtdlp({
        ...{ program: program.path, args, directory, proxy: proxy.url, timeoutMs, signal, clock },
        maxOutputBytes: MAX_OUTPUT_BYTES,
      });
      limits.spend(asker, proxy.bytes, clock.now());
      const { host } = new URL(url);
      if (!result.ok) throw failureOf(result.complaint, { host, program, refusal: proxy.refusal });
      const taken = await take(result, directory);
      log.info("ytdlp_ran", {
        url: urlForLog(url),
        bytes: proxy.bytes,
        ms: Math.round(clock.now() - startMs),
      });
      return taken;
    } catch (error) {
      const { code, message } = toBotError(error);
      log.info("ytdlp_failed", {
        url: urlForLog(url),
        code,
        reason: message.slice(0, 300),
        version: program.version,
      });
      throw error;
    } finally {
      proxy?.close();
      if (directory !== null) await rm(directory, { recursive: true, force: true });
      leave();
    }
  }
}

/** @throws BotError `media_unsupported` */
function playable({ url, item, title, artist, durationMs, isLive }: Answer): Found {
  if (isLive) {
    throw new BotError("media_unsupported", "a live stream", {
      say: { key: "ytdlp.live", params: { title } },
    });
  }
  if (durationMs !== null && durationMs > MAX_DURATION_MS) {
    const params = { title, hours: MAX_DURATION_MS / 3_600_000 };
    throw new BotError("media_unsupported", "too long", { say: { key: "ytdlp.too_long", params } });
  }
  const source: YtdlpSource = { kind: "ytdlp", url, ...(item !== undefined && { item }) };
  // Looking into the file would mean to bring it now.
  return { source, title, artist, durationMs, isDescribed: durationMs !== null };
}

function labelOf({ title, artist, durationMs }: Answer): string {
  const name = oneLine(artist === null ? title : `${artist} – ${title}`).slice(0, 150);
  return durationMs === null ? name : `${name} (${clockTime(durationMs)})`;
}
