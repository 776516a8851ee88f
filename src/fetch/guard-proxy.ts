import { randomBytes, timingSafeEqual } from "node:crypto";
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { toBotError, type BotError } from "../base/errors.ts";
import { networkError, tooLargeToFetch } from "./failures.ts";
import { allowedAddresses, pinnedTo, type Resolve } from "./pinned.ts";
import { hostOf, parseFetchUrl, type FetchPolicy } from "./url.ts";

export interface GuardProxyOptions {
  policy: FetchPolicy;
  /** Of everything that comes through it. */
  maxBytes: number;
  /** A connection on which nothing comes for so long is closed. */
  idleMs: number;
  clock: Clock;
  resolve?: Resolve;
}

const MAX_CONNECTIONS = 32;
const USER = "voicebot";
/** Between two neighbours; not for whom it goes through to (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set(
  "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split(
    " ",
  ),
);

/**
 * A proxy on loopback for a program of somebody else's that fetches: it gets where the guard lets it, and no further. Each
 * has a password of its own, and ends with whoever opened it.
 */
export class GuardProxy {
  readonly #options: GuardProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #secret = randomBytes(24).toString("hex");
  #port = 0;
  #bytes = 0;
  #refusal: BotError | null = null;

  private constructor(options: GuardProxyOptions) {
    this.#options = options;
    this.#server = createServer({ maxHeaderSize: 32_768, keepAlive: false, requestTimeout: 0 });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("connection", (socket) => this.#own(socket));
    this.#server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#tunnel(request, socket, head);
    });
    this.#server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.#forward(request, response);
    });
    this.#server.on("upgrade", (_: IncomingMessage, socket: Duplex) => socket.destroy());
    this.#server.on("clientError", (_, socket) => socket.destroy());
  }

  static async open(options: GuardProxyOptions): Promise<GuardProxy> {
    const proxy = new GuardProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", resolve);
    });
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  /** Where it is, with its password: secret. */
  get url(): string {
    return `http://${USER}:${this.#secret}@127.0.0.1:${this.#port}`;
  }

  /** So many came through it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first thing that was not let through, `fetch_refused` or `media_too_large`; what merely failed is not it. */
  get refusal(): BotError | null {
    return this.#refusal;
  }

  /** Ends all connections. Idempotent. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    this.#own(client);
    if (!this.#isOurs(request)) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    try {
      const target = await this.#connect(new URL(`https://${request.url ?? ""}`).href);
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.write(head);
      this.#join(client, target);
    } catch (error) {
      client.end(`HTTP/1.1 ${this.#statusOf(error)} Refused\r\nContent-Length: 0\r\n\r\n`);
    }
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    if (!this.#isOurs(request)) {
      response.writeHead(407).end();
      return;
    }
    try {
      const url = parseFetchUrl(request.url ?? "", this.#options.policy);
      const host = hostOf(url);
      const addresses = await this.#addresses(host);
      const onward = httpRequest({
        ...{ host, lookup: pinnedTo(addresses), agent: new Agent(), method: request.method },
        ...{ port: url.port || 80, path: url.pathname + url.search, maxHeaderSize: 32_768 },
        headers: { ...onwardHeaders(request.headers), host: url.host, connection: "close" },
      });
      onward.setTimeout(this.#options.idleMs, () => onward.destroy());
      onward.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
      response.on("close", () => onward.destroy());
      onward.on("upgrade", (_, socket) => socket.destroy());
      onward.on("response", (answer) => {
        response.writeHead(answer.statusCode ?? 502, onwardHeaders(answer.headers));
        answer.on("data", (chunk: Buffer) => this.#count(chunk));
        answer.on("error", () => response.destroy());
        answer.pipe(response);
      });
      request.pipe(onward);
    } catch (error) {
      response.writeHead(this.#statusOf(error)).end();
    }
  }

  /** A connection to where a URL leads, over TCP alone: what is said in it is between its ends. */
  async #connect(text: string): Promise<Socket> {
    const url = parseFetchUrl(text, this.#options.policy);
    const host = hostOf(url);
    const addresses = await this.#addresses(host);
    const socket = connect({
      ...{ host, port: Number(url.port || 443), lookup: pinnedTo(addresses), autoSelectFamily: true },
    });
    this.#own(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error) => reject(networkError(error, host)));
      socket.once("close", () => reject(networkError(new Error("closed"), host)));
    });
    return socket;
  }

  async #addresses(host: string): ReturnType<Resolve> {
    const { policy, resolve } = this.#options;
    try {
      return await allowedAddresses(host, policy, resolve);
    } catch (error) {
      throw networkError(error, host);
    }
  }

  #statusOf(error: unknown): 403 | 502 {
    const told = toBotError(error);
    if (told.code !== "fetch_refused") return 502;
    this.#refusal ??= told;
    return 403;
  }

  #isOurs({ headers }: IncomingMessage): boolean {
    const wanted = Buffer.from(`Basic ${Buffer.from(`${USER}:${this.#secret}`).toString("base64")}`);
    const given = Buffer.from(headers["proxy-authorization"] ?? "");
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #count({ length }: Uint8Array): void {
    this.#bytes += length;
    if (this.#bytes <= this.#options.maxBytes) return;
    this.#refusal ??= tooLargeToFetch(this.#options.maxBytes);
    this.close();
  }

  #own(socket: Duplex): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  /** Joins both: what comes of one goes to the other, and either that goes, or nothing on both, takes the other with it. */
  #join(client: Duplex, target: Duplex): void {
    const { clock, idleMs } = this.#options;
    const end = (): void => {
      timer.cancel();
      client.destroy();
      target.destroy();
    };
    let timer = clock.timer(idleMs, end);
    const heard = (): void => {
      timer.cancel();
      timer = clock.timer(idleMs, end);
    };
    target.on("data", (chunk: Buffer) => {
      heard();
      this.#count(chunk);
    });
    client.on("data", heard);
    for (const socket of [client, target]) socket.on("close", end);
    target.pipe(client).pipe(target);
    if (client.destroyed || target.destroyed) end();
  }
}

function onwardHeaders(headers: IncomingMessage["headers"]): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !HOP_BY_HOP.has(name)) kept[name] = value;
  return kept;
}
