import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { withTimeout } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { BotError, messageOf } from "../base/errors.ts";

export interface Answer {
  status: number;
  type: string;
  body: string;
}

export interface ListenerOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  /** By path, without the query. */
  pages: Readonly<Record<string, () => Answer | Promise<Answer>>>;
  clock: Clock;
}

export const TEXT = "text/plain; charset=utf-8";
const ANSWER_MS = 5_000;
/** From the first byte of a request to its end. */
const REQUEST_MS = 5_000;
const MAX_CONNECTIONS = 32;
const MAX_HEADER_BYTES = 8_192;

/**
 * An HTTP server for programs on the operator's side: a few pages, GET and HEAD, nothing is ever read of a body. Bounded
 * in time, connections and size, since it may stand open to a network.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: REQUEST_MS,
        requestTimeout: REQUEST_MS,
        keepAliveTimeout: REQUEST_MS,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.maxRequestsPerSocket = 1_000;
  }

  /** @returns where it listens @throws BotError `internal` when it cannot: the address is taken, or not ours */
  async open(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause) =>
        reject(
          new BotError("internal", `VOICEBOT_HEALTH_LISTEN: cannot listen there: ${cause.message}`, {
            cause,
          }),
        ),
      );
      this.#server.listen({ host, port }, resolve);
    });
    const address = this.#server.address();
    return { host, port: typeof address === "object" && address ? address.port : port };
  }

  /** Bounded: whoever still waits for an answer gets none. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    // What has a body ends the connection: then it need not be read.
    const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
    const allowed = method === "GET" || method === "HEAD";
    const page = Object.hasOwn(this.#options.pages, path(url)) ? this.#options.pages[path(url)] : undefined;
    let answer: Answer;
    if (!allowed) answer = { status: 405, type: TEXT, body: "only GET and HEAD\n" };
    else if (!page) {
      const known = Object.keys(this.#options.pages).join(" ");
      answer = { status: 404, type: TEXT, body: `there is ${known}\n` };
    } else answer = await this.#make(page);
    const body = Buffer.from(answer.body, "utf8");
    response.writeHead(answer.status, {
      "content-type": answer.type,
      "content-length": body.length,
      "cache-control": "no-store",
      ...(allowed ? {} : { allow: "GET, HEAD" }),
      ...(hasBody || !allowed ? { connection: "close" } : {}),
    });
    response.end(method === "HEAD" ? undefined : body);
  }

  async #make(page: () => Answer | Promise<Answer>): Promise<Answer> {
    try {
      const made = Promise.resolve().then(page);
      return await withTimeout(this.#options.clock, ANSWER_MS, "the answer", made);
    } catch (error) {
      return { status: 500, type: TEXT, body: `${messageOf(error)}\n` };
    }
  }
}

function path(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}
