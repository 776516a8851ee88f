import { BotError, type BotErrorOptions, type ErrorCode } from "../base/errors.ts";

export type HttpMethod = "GET" | "POST" | "PUT" | "DELETE";

export interface RequestOptions {
  query?: Readonly<Record<string, string | number | boolean>>;
  /** Sent as JSON. */
  body?: object;
  /** From start to the last byte of the answer. Default 30 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** JSON calls to the client-server API. Nothing is retried here: the callers know what a repetition means. */
export interface Homeserver {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /**
   * @param path starts with `/_matrix/`, its parts encoded
   * @returns the decoded JSON body, unchecked
   * @throws HomeserverError for answers that are not 2xx, BotError `cancelled`, `timeout` or `homeserver`
   * (not reachable, retryable) otherwise
   */
  request(method: HttpMethod, path: string, options?: RequestOptions): Promise<unknown>;
}

/** The homeserver answered with an error. */
export class HomeserverError extends BotError {
  readonly status: number;
  /** `M_…`, or `""` when the answer was not a Matrix error (a proxy in between). */
  readonly errcode: string;
  /** How long the homeserver asks us to wait; null when it does not say. */
  readonly retryAfterMs: number | null;

  constructor(status: number, errcode: string, text: string, retryAfterMs: number | null, cause?: unknown) {
    const reason = errcode === "" ? `HTTP ${status}` : errcode;
    const options: BotErrorOptions = {
      retryable: status === 429 || status >= 500 || isGateway(status, errcode),
      say: { key: "error.homeserver", params: { reason } },
      cause,
    };
    super(codeOf(status, errcode), `${reason} (${status}): ${text.slice(0, 200)}`, options);
    this.status = status;
    this.errcode = errcode;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Not an error of Matrix, which has a code always, but of something in between: a proxy that guards, or a page of its own
 * while the homeserver starts. It says nothing about what we may.
 */
function isGateway(status: number, errcode: string): boolean {
  return errcode === "" && status !== 413;
}

function codeOf(status: number, errcode: string): ErrorCode {
  if (status === 429 || errcode === "M_LIMIT_EXCEEDED") return "rate_limited";
  if (isGateway(status, errcode)) return "homeserver";
  if (status === 401 || status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 413 || errcode === "M_TOO_LARGE") return "media_too_large";
  return "homeserver";
}

/** Whether the access token itself is refused: nothing will ever work with it. */
export function isTokenRejected(error: unknown): boolean {
  return error instanceof HomeserverError && ["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"].includes(error.errcode);
}

/** Delay before attempt `attempt` (1 = the first repetition): doubles from `baseMs` to `maxMs`, ± 25 % by `random`. */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, random: () => number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 20));
  return full * (0.75 + random() * 0.5);
}

/** What a 429 may make us wait for before we ask again: whoever is not heard of for 20 s is not in the channel any more. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * How long to wait after `error`: what a 429 asks for, if that is neither less than the back-off nor over a minute; else the
 * back-off.
 */
export function retryDelayMs(error: unknown, backoff: number): number {
  if (error instanceof HomeserverError && error.status === 429) {
    return Math.min(Math.max(error.retryAfterMs ?? 5000, backoff, 50), MAX_RETRY_AFTER_MS);
  }
  return backoff;
}

/** Encodes the parts of an API path. */
export function apiPath(strings: TemplateStringsArray, ...parts: string[]): string {
  return strings.reduce((path, text, i) => path + encodeURIComponent(parts[i - 1] ?? "") + text);
}
