// The only file that imports matrix-bot-sdk: it costs about 50 MB, and everything it does beyond building and checking a
// request (its sync loop, its trackers, its uploads) is not fit for a bot that may lose nothing.
import { AsyncLocalStorage } from "node:async_hooks";
import { callbackify } from "node:util";
import type * as Sdk from "matrix-bot-sdk";
import { BotError, toBotError } from "../base/errors.ts";
import { HomeserverError, type Homeserver, type HttpMethod, type RequestOptions } from "./homeserver.ts";
import { transport, type Bounds, type TransportRequest, type TransportResponse } from "./transport.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

/** The SDK's request function takes no signal: what bounds a call reaches our transport by the call's context. */
const bounds = new AsyncLocalStorage<Bounds>();

/** A homeserver by the SDK's client, with our transport under it. */
export async function openHomeserver(baseUrl: string, accessToken: string): Promise<Homeserver> {
  const client = await createClient(baseUrl, accessToken);
  return {
    baseUrl,
    async request(method: HttpMethod, path: string, options: RequestOptions = {}): Promise<unknown> {
      const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      try {
        // The raw answer, because the other way round the SDK parses every body twice.
        const answer = (await bounds.run({ timeoutMs, signal: options.signal }, () =>
          client.doRequest(method, path, options.query ?? null, options.body ?? null, timeoutMs, true),
        )) as TransportResponse;
        return answer.body;
      } catch (error) {
        throw decodeError(error);
      }
    },
  };
}

let sdk: Promise<typeof Sdk> | null = null;

async function createClient(baseUrl: string, accessToken: string): Promise<Sdk.MatrixClient> {
  sdk ??= importQuietly();
  const { MatrixClient, LogService, setRequestFn } = await sdk;
  const silent = (): void => {};
  // It would print requests and errors to standard output.
  LogService.setLogger({ trace: silent, debug: silent, info: silent, warn: silent, error: silent });
  setRequestFn(requestFn);
  return new MatrixClient(baseUrl, accessToken);
}

/** A dependency of the SDK's warns at load about a deprecated API of Node; operators can do nothing with that. */
async function importQuietly(): Promise<typeof Sdk> {
  const before = process.noDeprecation;
  process.noDeprecation = true;
  try {
    return await import("matrix-bot-sdk");
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
