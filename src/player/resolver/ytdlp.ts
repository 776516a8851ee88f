import { withTimeout } from "../../base/async.ts";
import { BotError, toBotError } from "../../base/errors.ts";
import { clockTime } from "../../base/duration.ts";
import { oneLine } from "../../base/messages/catalogue.ts";
import type { Asker } from "../../fetch/limits.ts";
import { looksLikeUrl, parseFetchUrl } from "../../fetch/url.ts";
import type { TrackSource } from "../../media/plane.ts";
import type { StoredSource } from "../queue.ts";
import type { Answer } from "../ytdlp/answer.ts";
import { lookArguments, searchArguments } from "../ytdlp/arguments.ts";
import { tooLate } from "../ytdlp/process.ts";
import { YtdlpRunner, type YtdlpRunnerDeps } from "../ytdlp/runner.ts";
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

export interface YtdlpDeps extends YtdlpRunnerDeps {
  /** Where `!search` looks besides, as yt-dlp calls it (`ytsearch`); null: nowhere. */
  service: string | null;
  files: Pick<FileCache, "file" | "has">;
}

type YtdlpSource = Extract<StoredSource, { kind: "ytdlp" }>;

const LOOK_MS = 60_000;
const SEARCH_MS = 20_000;
/** How long who asks for one track waits for its sound, to be told when there is none; after that it goes on. */
const BEGIN_MS = 20_000;
/** For what is on: silence is not waited out for longer. */
const OPEN_PATIENCE_MS = 60_000;
const MAX_DURATION_MS = 12 * 3_600_000;
const SERVICES: Readonly<Record<string, string>> = { ytsearch: "YouTube", scsearch: "SoundCloud" };

/** Pages of music and video sites, by the program yt-dlp where it is installed. */
export class Ytdlp implements Resolver {
  readonly kind = "ytdlp";
  readonly #deps: YtdlpDeps;
  readonly #runner: YtdlpRunner;
  readonly #closing = new AbortController();

  constructor(deps: YtdlpDeps) {
    this.#deps = deps;
    this.#runner = new YtdlpRunner(deps);
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

  /** As `YtdlpRunner.clear`. */
  clear(): Promise<void> {
    return this.#runner.clear();
  }

  /** Ends what runs. Idempotent. */
  close(): void {
    this.#closing.abort();
  }

  async resolve(ask: Ask, signal: AbortSignal, asker: Asker = NOBODY): Promise<Found | FoundMany | null> {
    if (ask.kind !== "words" || !looksLikeUrl(ask.text.trim())) return null;
    const url = parseFetchUrl(ask.text.trim(), this.#deps.policy).href;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const answered = await this.#runner.ask(lookArguments(url), {
      ...{ url, timeoutMs: LOOK_MS, asker, signal: either },
    });
    if (answered.kind === "one") return this.#begun(this.#foundOf(answered.answer), asker);
    const { title, left } = answered;
    const items: YtdlpFound[] = [];
    const refused: Refused[] = [];
    for (const answer of answered.answers) {
      try {
        items.push(this.#foundOf(answer));
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
    if (items.length === 1 && refused.length === 0 && left === 0) return this.#begun(first, asker);
    return { title, items, refused, left };
  }

  async search(text: string, limit: number): Promise<{ choices: Choice[]; more: boolean }> {
    const { service, finder, clock } = this.#deps;
    const words = oneLine(text).slice(0, 200);
    if (service === null || finder.isOff || limit <= 0 || words === "") return { choices: [], more: false };
    // Who waits for a turn waits no longer than who has one.
    const enough = new AbortController();
    const timer = clock.timer(SEARCH_MS, () => enough.abort());
    const answered = await this.#runner
      .ask(searchArguments(service, words, limit), {
        ...{ url: `https://${service}.invalid/`, timeoutMs: SEARCH_MS, asker: NOBODY },
        signal: AbortSignal.any([enough.signal, this.#closing.signal]),
      })
      .catch((error: unknown) => {
        // Who has none of it looks in the media folder alone.
        if (toBotError(error).code === "ytdlp_missing") return null;
        throw enough.signal.aborted ? tooLate(SEARCH_MS) : error;
      })
      .finally(() => timer.cancel());
    if (answered?.kind !== "many") return { choices: [], more: false };
    const name = SERVICES[service] ?? service;
    const choices = answered.answers
      .filter((answer) => whyNot(answer) === null)
      .slice(0, limit)
      .map((answer) => ({ label: `${labelOf(answer)} – ${name}`, found: this.#foundOf(answer) }));
    return { choices, more: false };
  }

  async open(source: StoredSource, signal: AbortSignal, asker: Asker = NOBODY): Promise<TrackSource> {
    if (source.kind !== "ytdlp") throw new BotError("internal", "not of yt-dlp");
    // What was allowed when it was queued may not be any more.
    parseFetchUrl(source.url, this.#deps.policy);
    const either = AbortSignal.any([signal, this.#closing.signal]);
    return { path: await this.#within(OPEN_PATIENCE_MS, source, this.#file(source, asker, either)) };
  }

  async isHere(source: StoredSource): Promise<boolean> {
    return source.kind === "ytdlp" && this.#deps.files.has(keyOf(source));
  }

  /** @throws BotError `media_unsupported` */
  #foundOf(answer: Answer): YtdlpFound {
    // Pages tell old addresses of theirs, which nobody may go to without TLS; the same is there with it.
    const url = this.#deps.policy.allowHttp ? answer.url : answer.url.replace(/^http:/i, "https:");
    return playable({ ...answer, url });
  }

  /** Begins to bring it, and is the answer when it is there, or takes its time. @throws BotError when it fails */
  async #begun(found: YtdlpFound, asker: Asker): Promise<Found> {
    const { source } = found;
    try {
      await this.#within(BEGIN_MS, source, this.#file(source, asker, this.#closing.signal));
    } catch (error) {
      if (toBotError(error).say.key !== "fetch.takes_long") throw error;
    }
    return found;
  }

  #file(source: YtdlpSource, asker: Asker, signal: AbortSignal): Promise<string> {
    const bring: Bring = (how) => this.#runner.bring(source, { ...how, asker });
    return this.#deps.files.file(keyOf(source), bring, signal);
  }

  /** What is not there in time goes on, and is there for who asks again. */
  async #within(ms: number, { url }: YtdlpSource, file: Promise<string>): Promise<string> {
    try {
      return await withTimeout(this.#deps.clock, ms, "the download", file);
    } catch (error) {
      const { code, say } = toBotError(error);
      if (code !== "timeout" || say.key !== "error.internal") throw error;
      throw new BotError("timeout", "it goes on", {
        retryable: true,
        say: { key: "fetch.takes_long", params: { host: new URL(url).host } },
        cause: error,
      });
    }
  }
}

const keyOf = ({ url, item }: YtdlpSource): string => JSON.stringify(["ytdlp", url, item ?? null]);

type YtdlpFound = Found & { source: YtdlpSource };

function whyNot({ title, durationMs, isLive }: Answer): BotError | null {
  if (isLive) {
    const say = { key: "ytdlp.live", params: { title } } as const;
    return new BotError("media_unsupported", "a live stream", { say });
  }
  if (durationMs === null || durationMs <= MAX_DURATION_MS) return null;
  const params = { title, hours: MAX_DURATION_MS / 3_600_000 };
  return new BotError("media_unsupported", "too long", { say: { key: "ytdlp.too_long", params } });
}

/** @throws BotError `media_unsupported` */
function playable(answer: Answer): YtdlpFound {
  const refusal = whyNot(answer);
  if (refusal) throw refusal;
  const { url, item, title, artist, durationMs, picture } = answer;
  const source: YtdlpSource = { kind: "ytdlp", url, ...(item !== undefined && { item }) };
  // Looking into the file would mean to bring it now.
  const described = { isDescribed: durationMs !== null, ...(picture !== undefined && { picture }) };
  return { source, title, artist, durationMs, ...described };
}

function labelOf({ title, artist, durationMs }: Answer): string {
  const name = oneLine(artist === null ? title : `${artist} – ${title}`).slice(0, 150);
  return durationMs === null ? name : `${name} (${clockTime(durationMs)})`;
}
