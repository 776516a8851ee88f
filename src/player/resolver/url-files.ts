import { readFile } from "node:fs/promises";
import { withTimeout } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { BoundedMap } from "../../base/collections.ts";
import { BotError, toBotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Asker, FetchLimits } from "../../fetch/limits.ts";
import { urlForLog } from "../../fetch/url.ts";
import type { MediaPlane } from "../../media/plane.ts";
import { playlistText } from "../playlist/text.ts";
import type { Bring, FileCache } from "./cache.ts";

/** What is at an address: sound in a local file, sound that goes on (with the name of the station), or text. */
export type Looked =
  | { kind: "file"; path: string }
  | { kind: "stream"; name: string | null }
  | { kind: "text"; text: string; url: string; contentType: string | null };

export interface UrlFilesDeps {
  files: FileCache;
  plane: Pick<MediaPlane, "request">;
  limits: FetchLimits;
  clock: Clock;
  log: Log;
}

/** What is at an address may change: after so long it is fetched anew for whoever asks for it anew. */
const FRESH_MS = 12 * 3_600_000;
/** Lists and stations are no files; who has just looked need not look again to play. */
const REMEMBERED = 4;
const REMEMBERED_MS = 60_000;

/** What the network has, by its addresses. The media child brings it; sound stays in the cache. */
export class UrlFiles {
  readonly #deps: UrlFilesDeps;
  readonly #others = new BoundedMap<string, { looked: Looked; atMs: number }>(REMEMBERED);

  constructor(deps: UrlFilesDeps) {
    this.#deps = deps;
  }

  /**
   * Looks at what is there, for `patienceMs` at most; what takes longer goes on and is there for who asks again.
   * @throws BotError as `fetch.file` of the media plane, `rate_limited`, `timeout`, `cancelled`
   */
  async look(
    url: string,
    { asker, patienceMs, signal }: { asker: Asker; patienceMs: number; signal: AbortSignal },
  ): Promise<Looked> {
    const { files, clock } = this.#deps;
    const seen = this.#others.get(url);
    if (seen && clock.now() - seen.atMs < REMEMBERED_MS) return seen.looked;
    const { current, former } = keysOf(url, clock);
    // What waits in a queue is played as it was when it was found.
    const key =
      asker.sender === null && !(await files.has(current)) && (await files.has(former)) ? former : current;
    const bring: Bring = (options) => this.#bring(url, asker, options);
    const path = files.file(key, bring, signal);
    try {
      return { kind: "file", path: await withTimeout(clock, patienceMs, "the download", path) };
    } catch (error) {
      if (error instanceof NoFile) {
        this.#others.set(url, { looked: error.looked, atMs: clock.now() });
        return error.looked;
      }
      const { code, say } = toBotError(error);
      if (code !== "timeout" || say.key !== "error.internal") throw error;
      throw new BotError("timeout", "it goes on", {
        retryable: true,
        say: { key: "fetch.takes_long", params: { host: new URL(url).host } },
        cause: error,
      });
    }
  }

  /** Whether its sound is here, as what waits in a queue is played. */
  async has(url: string): Promise<boolean> {
    const { files, clock } = this.#deps;
    const { current, former } = keysOf(url, clock);
    return (await files.has(current)) || (await files.has(former));
  }

  async #bring(url: string, asker: Asker, { path, maxBytes, signal }: Parameters<Bring>[0]): Promise<void> {
    const { plane, limits, clock, log } = this.#deps;
    limits.take(asker, clock.now());
    const leave = await limits.enter(asker, signal);
    const startMs = clock.now();
    try {
      const result = await plane.request({ kind: "fetch.file", url, path, maxBytes }, signal);
      limits.spend(asker, result.bytes, clock.now());
      const { what, bytes, name, contentType } = result;
      log.info("url_fetched", { url: urlForLog(url), what, bytes, ms: Math.round(clock.now() - startMs) });
      if (what === "stream") throw new NoFile({ kind: "stream", name });
      if (what === "text") {
        const text = playlistText(await readFile(path)) ?? "";
        throw new NoFile({ kind: "text", text, url: result.url, contentType });
      }
    } catch (error) {
      if (!(error instanceof NoFile)) {
        const { code, message } = toBotError(error);
        log.info("url_failed", { url: urlForLog(url), code, reason: message.slice(0, 200) });
      }
      throw error;
    } finally {
      leave();
    }
  }
}

/** What the cache calls it now, and what it called it before. */
function keysOf(url: string, clock: Clock): { current: string; former: string } {
  const age = Math.floor(clock.wall() / FRESH_MS);
  return { current: `url ${age} ${url}`, former: `url ${age - 1} ${url}` };
}

/** Something is there, and it is nothing to keep. */
class NoFile extends Error {
  readonly looked: Looked;

  constructor(looked: Looked) {
    super(looked.kind);
    this.looked = looked;
  }
}
