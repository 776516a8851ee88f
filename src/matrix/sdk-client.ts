// The only file that imports matrix-bot-sdk, and of it only the HTTP client that all of its calls go through: it builds a
// request and checks the answer. Its other parts (sync loop, trackers, uploads) are not fit for a bot that may lose
// nothing, and importing the package as a whole costs 22 MB more (its `MatrixClient.doRequest` adds but the token).
import { AsyncLocalStorage } from "node:async_hooks";
import { callbackify } from "node:util";
import type { doHttpRequest } from "matrix-bot-sdk/lib/http.js";
import { BotError, toBotError } from "../base/errors.ts";
import { HomeserverError, type Homeserver, type HttpMethod, type RequestOptions } from "./homeserver.ts";
import { transport, type Bounds, type TransportRequest, type TransportResponse } from "./transport.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

/** The SDK's request function takes no signal: what bounds a call reaches our transport by the call's context. */
const bounds = new AsyncLocalStorage<Bounds>();

/** A homeserver by the SDK's HTTP client, with our transport under it. @param accessToken null: for what needs no account */
export async function openHomeserver(baseUrl: string, accessToken: string | null): Promise<Homeserver> {
  sdk ??= load();
  const send = await sdk;
  return {
    baseUrl,
    async request(method: HttpMethod, path: string, options: RequestOptions = {}): Promise<unknown> {
      const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const headers: Record<string, string> =
        accessToken === null ? {} : { Authorization: `Bearer ${accessToken}` };
      const query = options.query ?? null;
      const body = options.body ?? null;
      try {
        // The raw answer, because the other way round the SDK parses every body twice.
        const answer = (await bounds.run({ timeoutMs, signal: options.signal }, () =>
          send(baseUrl, method, path, query, body, headers, timeoutMs, true),
        )) as TransportResponse;
        return answer.body;
      } catch (error) {
        throw decodeError(error);
      }
    },
  };
}

let sdk: Promise<typeof doHttpRequest> | null = null;

async function load(): Promise<typeof doHttpRequest> {
  // A dependency warns at load about a deprecated API of Node; operators can do nothing with that.
  const before = process.noDeprecation;
  process.noDeprecation = true;
  try {
    const [{ doHttpRequest }, { setRequestFn }, { LogService }] = await Promise.all([
      import("matrix-bot-sdk/lib/http.js"),
      import("matrix-bot-sdk/lib/request.js"),
      import("matrix-bot-sdk/lib/logging/LogService.js"),
    ]);
    const silent = (): void => {};
    // It would print requests and errors to standard output.
    LogService.setLogger({ trace: silent, debug: silent, info: silent, warn: silent, error: silent });
    setRequestFn(requestFn);
    return doHttpRequest;
  } finally {
    process.noDeprecation = before ?? false;
  }
}

const requestFn = callbackify((request: TransportRequest) =>
  transport(request, bounds.getStore() ?? { timeoutMs: DEFAULT_TIMEOUT_MS }),
);

/** The SDK throws BotErrors of our transport as they are, its MatrixError, or the bare response. */
function decodeError(error: unknown): BotError {
  if (error instanceof BotError) return error;
  const { statusCode, errcode, error: text, retryAfterMs } = (error ?? {}) as Record<string, unknown>;
  if (typeof statusCode !== "number") return toBotError(error);
  return new HomeserverError(
    statusCode,
    typeof errcode === "string" ? errcode : "",
    typeof text === "string" ? text : "no Matrix error in the answer",
    typeof retryAfterMs === "number" && Number.isFinite(retryAfterMs) ? retryAfterMs : null,
  );
}
