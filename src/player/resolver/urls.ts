import type { Clock } from "../../base/clock.ts";
import { BotError, toBotError } from "../../base/errors.ts";
import { oneLine } from "../../base/messages/catalogue.ts";
import { inSlices } from "../../base/slices.ts";
import type { Asker } from "../../fetch/limits.ts";
import { allowedAddresses } from "../../fetch/pinned.ts";
import { hostOf, isAddress, looksLikeUrl, parseFetchUrl, type FetchPolicy } from "../../fetch/url.ts";
import type { TrackSource } from "../../media/plane.ts";
import { formatOfName, isPlaylistName, type PlaylistFormat } from "../playlist/item.ts";
import { formatOfText, formatOfType, isHls, parsePlaylist } from "../playlist/playlist.ts";
import type { PlaylistText } from "../playlist/reader.ts";
import type { StoredSource } from "../queue.ts";
import { isAudioName } from "./confine.ts";
import { NOBODY, type Ask, type Found, type FoundMany, type Resolver } from "./resolver.ts";
import type { Looked, UrlFiles } from "./url-files.ts";

export interface UrlsDeps {
  files: Pick<UrlFiles, "look" | "has">;
  policy: FetchPolicy;
  clock: Clock;
  /** What can be queued of a playlist's text. */
  playlist: (playlist: PlaylistText, signal: AbortSignal) => Promise<FoundMany>;
  /** Who knows what to do with web pages, and with those who do not answer programs; asked after this one. */
  pages?: {
    /** Not switched off: it answers for pages, and be it how it comes to be there. */
    readonly isWanted: boolean;
    /** It is there. */
    isThere(): Promise<boolean>;
    open(source: StoredSource, signal: AbortSignal, asker: Asker): Promise<TrackSource>;
  };
}

/** For whoever asked waits for an answer. */
const ASK_PATIENCE_MS = 100_000;
/** For what is on: silence is not waited out for longer. */
const OPEN_PATIENCE_MS = 60_000;
/** What servers answer to those whom they take for programs. */
const SHUT = new Set([401, 403, 405, 406, 429, 503]);

/** Addresses of the web: audio files, stations, lists of them. */
export class Urls implements Resolver {
  readonly kind = "url";
  readonly #deps: UrlsDeps;

  constructor(deps: UrlsDeps) {
    this.#deps = deps;
  }

  async resolve(ask: Ask, signal: AbortSignal, asker: Asker = NOBODY): Promise<Found | FoundMany | null> {
    if (ask.kind !== "words" || !looksLikeUrl(ask.text.trim())) return null;
    const { policy } = this.#deps;
    const parsed = parseFetchUrl(ask.text.trim(), policy);
    const { href: url, pathname } = parsed;
    // What needs no lookup is refused here and now; names are, when they are fetched from.
    if (isAddress(hostOf(parsed))) await allowedAddresses(hostOf(parsed), policy);
    // Of a list nothing is fetched but lists: the rest is looked at when its turn comes.
    if (ask.within && !isPlaylistName(pathname)) return file(url);
    const { files, pages } = this.#deps;
    const looked = await files
      .look(url, { asker, patienceMs: ASK_PATIENCE_MS, signal })
      .catch(async (error: unknown) => {
        if (isShut(error) && (await pages?.isThere())) return null;
        throw error;
      });
    if (looked === null) return null;
    if (looked.kind === "file") return file(url);
    if (looked.kind === "stream") return stream(url, "icy", looked.name);
    if (isHls(looked.text)) return stream(url, "hls", null);
    const format = formatOf(looked);
    if (format !== null) {
      const { text, url: from } = looked;
      const within = ask.within ?? null;
      const playlist = { text, name: titleOf(url), format, from: { url: from }, within, asker };
      return this.#deps.playlist(playlist, signal);
    }
    if (isPage(looked.text) && pages?.isWanted) return null;
    throw noSound(looked.text);
  }

  async open(source: StoredSource, signal: AbortSignal, asker: Asker = NOBODY): Promise<TrackSource> {
    if (source.kind !== "url") throw new BotError("internal", "no address");
    // What was allowed when it was queued may not be any more.
    const { href: url } = parseFetchUrl(source.url, this.#deps.policy);
    const options = { asker, patienceMs: OPEN_PATIENCE_MS, signal };
    const looked = await this.#deps.files.look(url, options);
    const sound = soundOf(url, looked);
    if (sound) return sound;
    // A list of a playlist, most likely one station in a list of its own.
    const first = await this.#firstOf(looked);
    if (first !== null) {
      const { href } = parseFetchUrl(first, this.#deps.policy);
      const inner = soundOf(href, await this.#deps.files.look(href, options));
      if (inner) return inner;
    }
    const text = looked.kind === "text" ? looked.text : "";
    const { pages } = this.#deps;
    // Of a playlist: nobody has looked at it before.
    if (isPage(text) && pages?.isWanted) return pages.open({ kind: "ytdlp", url }, signal, asker);
    throw noSound(text);
  }

  async isHere(source: StoredSource): Promise<boolean> {
    if (source.kind !== "url") return false;
    return this.#deps.files.has(parseFetchUrl(source.url, this.#deps.policy).href);
  }

  async #firstOf(looked: Looked): Promise<string | null> {
    if (looked.kind !== "text") return null;
    const format = formatOf(looked);
    if (format === null) return null;
    const steps = parsePlaylist(looked.text, { format, baseUrl: looked.url });
    return (await inSlices(this.#deps.clock, steps)).items[0]?.url ?? null;
  }
}

function isShut(error: unknown): boolean {
  const { key, params } = toBotError(error).say;
  return key === "fetch.status" && SHUT.has(Number(params?.["status"]));
}

function soundOf(url: string, looked: Looked): TrackSource | null {
  if (looked.kind === "file") return { path: looked.path };
  if (looked.kind === "stream") return { stream: { url, kind: "icy" } };
  return isHls(looked.text) ? { stream: { url, kind: "hls" } } : null;
}

/** What a text is a list by: what it begins with, else what it is said to be. Null for none. */
function formatOf({ text, url, contentType }: Extract<Looked, { kind: "text" }>): PlaylistFormat | null {
  const marked = formatOfText(text);
  if (marked !== null || isPage(text)) return marked;
  return formatOfType(contentType ?? "") ?? formatOfName(new URL(url).pathname);
}

function isPage(text: string): boolean {
  const start = text.slice(0, 4096).trimStart();
  return start.startsWith("<") && /<(!doctype html|html|head|body)[\s>]/i.test(start);
}

function noSound(text: string): BotError {
  const key = isPage(text) ? "fetch.page" : "fetch.not_audio";
  return new BotError("media_unsupported", "an address without sound", { say: { key } });
}

const file = (url: string): Found => ({
  source: { kind: "url", url },
  title: titleOf(url),
  durationMs: null,
});

function stream(url: string, format: "icy" | "hls", name: string | null): Found {
  const title = oneLine(name ?? "") || new URL(url).hostname;
  return { source: { kind: "stream", url, format }, title, durationMs: null, isDescribed: true };
}

/** The last part of its path, as a name; the host where there is none. */
function titleOf(url: string): string {
  const { pathname, hostname } = new URL(url);
  const last = pathname.split("/").findLast((part) => part !== "") ?? "";
  const name = oneLine(decoded(last).slice(0, 300));
  const isFile = isAudioName(name) || isPlaylistName(name);
  return (isFile ? name.slice(0, name.lastIndexOf(".")) : name).trim() || hostname;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
