// What stands between a bot and its homeserver in real life: a proxy that passes on, and that a test lets misbehave.
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";

/** What becomes of one request. */
export type Outcome =
  | "pass"
  /** The homeserver's answer breaks off in the middle. */
  | "truncate"
  /** The homeserver has the request, and its answer never comes. */
  | "hang"
  /** The homeserver's answer comes so much later. */
  | { readonly delayMs: number }
  /** Somebody else answers. */
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> };

export interface GatewayRequest {
  readonly atMs: number;
  readonly method: string;
  /** Without the query, decoded. */
  readonly path: string;
}

export const LIMITED = (retryAfterMs?: unknown): Outcome => ({
  status: 429,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    errcode: "M_LIMIT_EXCEEDED",
    error: "Too Many Requests",
    ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }),
  }),
});

export const PAGE = (status: number): Outcome => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>nginx</body></html>`,
});

/** Listens on loopback; times are the wall clock's. */
export class Gateway {
  /** Decides for each request. */
  trouble: (request: GatewayRequest) => Outcome = () => "pass";
  readonly requests: GatewayRequest[] = [];
  readonly #server: Server;
  readonly #upstream: URL;

  private constructor(upstream: string) {
    this.#upstream = new URL(upstream);
    this.#server = createServer((incoming, response) => {
      this.#handle(incoming, response).catch(() => response.destroy());
    });
  }

  static async start(upstream: string): Promise<Gateway> {
    const gateway = new Gateway(upstream);
    await new Promise<void>((resolve, reject) => {
      gateway.#server.once("error", reject);
      gateway.#server.listen(0, "127.0.0.1", resolve);
    });
    return gateway;
  }

  get baseUrl(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the gateway has no port");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Requests within a time of the past, by the end of their path. */
  count(sinceMs: number, path = /./): number {
    return this.requests.filter((request) => request.atMs >= sinceMs && path.test(request.path)).length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent((incoming.url ?? "/").split("?")[0] ?? "/");
    const entry = { atMs: Date.now(), method: incoming.method ?? "GET", path };
    this.requests.push(entry);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const outcome = this.trouble(entry);
    if (typeof outcome === "object" && "status" in outcome) {
      response.writeHead(outcome.status, { ...outcome.headers });
      response.end(outcome.body);
      return;
    }
    const answer = await this.#forward(incoming, Buffer.concat(chunks), response);
    if (outcome === "hang") return;
    if (typeof outcome === "object") await new Promise((resolve) => setTimeout(resolve, outcome.delayMs));
    if (outcome !== "truncate") {
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
      return;
    }
    response.writeHead(answer.status, { ...answer.headers, "content-length": String(answer.body.length) });
    response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)), () => response.destroy());
  }

  /** When the bot gives up, so does the request to the homeserver. */
  #forward(
    incoming: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<{ status: number; headers: Record<string, string | string[]>; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const headers = { ...incoming.headers, host: this.#upstream.host };
      const { hostname, port } = this.#upstream;
      const { method, url } = incoming;
      const outgoing = httpRequest({ hostname, port, method, path: url, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => parts.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const kept = Object.entries(answer.headers).filter(
            ([name, value]) => value !== undefined && !["transfer-encoding", "connection"].includes(name),
          ) as [string, string | string[]][];
          const status = answer.statusCode ?? 500;
          resolve({ status, headers: Object.fromEntries(kept), body: Buffer.concat(parts) });
        });
      });
      outgoing.on("error", reject);
      response.on("close", () => outgoing.destroy());
      outgoing.end(body);
    });
  }
}
