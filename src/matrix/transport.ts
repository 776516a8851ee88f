import { BotError, messageOf } from "../base/errors.ts";

/** What bounds one request. */
export interface Bounds {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface TransportResponse {
  statusCode: number;
  headers: Readonly<Record<string, string>>;
  /** Decoded JSON, or the text when it is none. */
  body: unknown;
}

export interface TransportRequest {
  uri: string;
  method: string;
  qs?: Readonly<Record<string, unknown>> | null;
  headers: Readonly<Record<string, string>>;
  body?: string | undefined;
}

/** A first sync of an account in many big rooms is some 10 MB; beyond this something is wrong. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** Of an error, which may be some gateway's page, more is not looked at. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * One HTTP request by fetch, bounded in time and size, that an abort ends at once. Redirects are refused: the access
 * token goes to the configured homeserver and nowhere else.
 * @throws BotError `cancelled`, `timeout`, `homeserver` (not reachable; retryable)
 */
export async function transport(request: TransportRequest, bounds: Bounds): Promise<TransportResponse> {
  return boundedBy(bounds, async (signal) => {
    const response = await fetch(withQuery(request.uri, request.qs), {
      method: request.method,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: "manual",
      signal,
    });
    const text = response.ok
      ? await readBounded(response, MAX_ANSWER_BYTES)
      : (await readStart(response, MAX_ERROR_BYTES)).text;
    return {
      statusCode: response.status,
      headers: Object.fromEntries(response.headers),
      body: withRetryAfter(response, parse(text)),
    };
  });
}

/**
 * Runs `work` with a signal that the time-out or the caller's signal aborts, and says which of the two it was.
 * @param work may call `alive` to start the time-out anew
 */
export async function boundedBy<T>(
  bounds: Bounds,
  work: (signal: AbortSignal, alive: () => void) => Promise<T>,
): Promise<T> {
  // Not AbortSignal.any: the caller's signal lives as long as the process, and what follows it must not add up.
  const controller = new AbortController();
  const onAbort = (): void => {
    const reason: unknown = bounds.signal?.reason;
    controller.abort(reason instanceof BotError ? reason : new BotError("cancelled", "cancelled"));
  };
  if (bounds.signal?.aborted) onAbort();
  bounds.signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => {
    const what = `the homeserver took over ${bounds.timeoutMs} ms`;
    controller.abort(new BotError("timeout", what, { retryable: true }));
  }, bounds.timeoutMs);
  try {
    return await work(controller.signal, () => timer.refresh());
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    if (error instanceof BotError) throw error;
    throw unreachable(error);
  } finally {
    clearTimeout(timer);
    bounds.signal?.removeEventListener("abort", onAbort);
  }
}

function unreachable(error: unknown): BotError {
  // fetch says "fetch failed"; what failed is in the cause.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return new BotError("homeserver", `homeserver not reachable: ${messageOf(cause)}`, {
    retryable: true,
    say: { key: "error.homeserver", params: { reason: "not reachable" } },
    cause: error,
  });
}

/** The body as text. @throws BotError `homeserver` when it is longer than `limit` bytes */
export async function readBounded(response: Response, limit: number): Promise<string> {
  const { text, whole } = await readStart(response, limit);
  if (!whole) throw new BotError("homeserver", `answer of over ${limit} bytes`);
  return text;
}

/** The body as text; of one that is longer than `limit` bytes the first `limit`, and a little more. */
async function readStart(response: Response, limit: number): Promise<{ text: string; whole: boolean }> {
  if (response.body === null) return { text: "", whole: true };
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    bytes += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    // Leaving the loop ends the answer.
    if (bytes > limit) return { text, whole: false };
  }
  return { text: text + decoder.decode(), whole: true };
}

function parse(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text);
    // The SDK's error check fails on null.
    return body ?? "";
  } catch {
    return text.slice(0, 1000);
  }
}

/** Brings the `Retry-After` header (seconds or a date, RFC 9110 section 10.2.3) to where Matrix says it in the body, if only the header has it. */
function withRetryAfter(response: Response, body: unknown): unknown {
  if (response.status !== 429) return body;
  const header = response.headers.get("retry-after") ?? "";
  const delayMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  const known = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  if (typeof known["retry_after_ms"] === "number") return body;
  return {
    errcode: "M_LIMIT_EXCEEDED",
    error: "Too many requests",
    ...known,
    ...(Number.isFinite(delayMs) ? { retry_after_ms: delayMs } : {}),
  };
}

function withQuery(uri: string, query: Readonly<Record<string, unknown>> | null | undefined): string {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
  if (entries.length === 0) return uri;
  return `${uri}?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)])).toString()}`;
}
