import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Clock } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import { boundedBody } from "./body.ts";
import { Ending } from "./ending.ts";
import { answered, networkError, tooLargeToFetch, tooSlow } from "./failures.ts";
import { headerText } from "./header-text.ts";
import { allowedAddresses, pinnedTo, type Resolve } from "./pinned.ts";
import { takeIcy } from "./icy-status.ts";
import { hostOf, parseFetchUrl, refused, type FetchPolicy } from "./url.ts";

export interface GuardedFetchOptions {
  policy: FetchPolicy;
  clock: Clock;
  /** All addresses of a name; default: the system's resolver. */
  resolve?: Resolve;
  /** Certificates that are trusted instead of the well-known ones, in PEM. */
  ca?: string;
}

export interface OpenOptions {
  /** Ends it at any time, also while the body is read. */
  signal: AbortSignal;
  /** What the body may have; null for one without an end (a stream), which its reader bounds. */
  maxBytes: number | null;
  /** For the headers of each answer, and between any two pieces of the body, while somebody waits for them. */
  idleMs: number;
  /** For everything, the body included; null: no such bound. */
  totalMs: number | null;
  /** Of the body, averaged over each `idleMs` that somebody waited: what drips more slowly is given up. */
  minBytesPerSecond: number;
  headers?: Readonly<Record<string, string>>;
}

export interface Fetched {
  /** After redirects. */
  url: string;
  /** 200, or 206 where `headers` asked for a range. */
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** As the server claims it, without parameters, in lower case. */
  contentType: string | null;
  /** As the server claims it; the body has exactly as many or fails. Null when it does not say. */
  lengthBytes: number | null;
  /** Read it to its end, or call `close`. @throws BotError `fetch_failed`, `media_too_large`, `timeout`, `cancelled` */
  body: AsyncIterable<Uint8Array>;
  /** Ends the connection. Idempotent. */
  close(): void;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * The one way to bytes of the network on behalf of people. Each name is looked up once, its addresses are checked, and
 * the connection goes to one of those; so at every redirect. Nothing is unpacked, no cookies are kept, no proxy is used.
 */
export class GuardedFetch {
  readonly #options: GuardedFetchOptions;

  constructor(options: GuardedFetchOptions) {
    this.#options = options;
  }

  /**
   * @param url a claim of somebody in a room; checked here
   * @throws BotError `fetch_refused` (where it leads), `fetch_failed` (what came of it), `media_too_large`, `timeout`,
   * `cancelled`; each with a sentence
   */
  async open(url: string, options: OpenOptions): Promise<Fetched> {
    const { policy, clock } = this.#options;
    let at = parseFetchUrl(url, policy);
    const ending = new Ending(clock, options.signal, options.totalMs, () =>
      tooSlow(`took over ${options.totalMs} ms`, hostOf(at)),
    );
    try {
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
        const host = hostOf(at);
        const late = (): BotError => tooSlow(`no answer within ${options.idleMs} ms`, host);
        const response = await ending.within(options.idleMs, late, this.#request(at, options, ending));
        const { location: written } = response.headers;
        if (!REDIRECTS.has(response.statusCode ?? 0) || written === undefined)
          return take(at, response, options, ending, clock);
        response.destroy();
        const location = headerText(written);
        if (!URL.canParse(location, at)) throw refused("redirect to no URL", { key: "fetch.bad_url" });
        at = parseFetchUrl(new URL(location, at).href, policy);
      }
      const params = { host: hostOf(at) };
      throw refused(`over ${MAX_REDIRECTS} redirects`, { key: "fetch.redirects", params });
    } catch (error) {
      const told = ending.error ?? networkError(error, hostOf(at));
      ending.close();
      throw told;
    }
  }

  async #request(url: URL, { headers }: OpenOptions, ending: Ending): Promise<IncomingMessage> {
    const host = hostOf(url);
    const { ca, policy, resolve } = this.#options;
    const addresses = await allowedAddresses(host, policy, resolve);
    if (ending.error) throw ending.error;
    const common = {
      ...{ host, path: url.pathname + url.search, lookup: pinnedTo(addresses), signal: ending.signal },
      port: url.port || (url.protocol === "https:" ? 443 : 80),
      headers: { "user-agent": "matrix-voice-bot", accept: "*/*", "accept-encoding": "identity", ...headers },
      // Of our own for each: kept connections, and proxies that the environment may name, are the global one's.
      maxHeaderSize: 16_384,
    };
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === "https:"
          ? httpsRequest({ ...common, agent: new HttpsAgent(), ...(ca === undefined ? {} : { ca }) })
          : httpRequest({ ...common, agent: new HttpAgent() });
      request.once("response", (response) => {
        // Whoever reads it hears of its errors; nobody may.
        response.on("error", () => undefined);
        // A body that says nothing of its length ends with its connection, but not with one that was reset.
        request.on("error", (error) => {
          if (!response.complete) response.destroy(error);
        });
        resolve(response);
      });
      request.on("error", reject);
      request.once("socket", takeIcy);
      request.on("upgrade", ({ statusCode = 101 }, socket) => {
        socket.destroy();
        reject(answered(statusCode, host));
      });
      request.end();
    });
  }
}

function take(
  url: URL,
  response: IncomingMessage,
  options: OpenOptions,
  ending: Ending,
  clock: Clock,
): Fetched {
  const host = hostOf(url);
  const status = response.statusCode ?? 0;
  // A part that nobody asked for is no file.
  const isPart =
    status === 206 && Object.keys(options.headers ?? {}).some((name) => name.toLowerCase() === "range");
  if (status !== 200 && !isPart) throw answered(status, host);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers))
    headers[name] = Array.isArray(value) ? value.join(", ") : (value ?? "");
  const encoding = (headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding !== "identity" && encoding !== "") {
    // Asked for it as it is: what comes packed all the same may grow to anything.
    throw new BotError("fetch_failed", `${host} answered in an encoding`, {
      say: { key: "fetch.packed", params: { host } },
    });
  }
  const claimed = headers["content-length"] ?? "";
  const lengthBytes = /^\d{1,15}$/.test(claimed) ? Number(claimed) : null;
  if (options.maxBytes !== null && lengthBytes !== null && lengthBytes > options.maxBytes)
    throw tooLargeToFetch(options.maxBytes);
  const contentType = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  return {
    ...{ url: url.href, status, headers, lengthBytes },
    contentType: contentType === "" ? null : contentType,
    body: boundedBody(response, { ...options, host, ending, clock }),
    close: () => ending.close(),
  };
}
