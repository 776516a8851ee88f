import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Socket } from "node:net";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Web {
  port: number;
  /** `path` on this server, by http (https where it has a certificate) and its address. */
  url(path: string): string;
  /** Paths that were asked for. */
  asked: string[];
  /** Our own addresses of the connections that came. */
  reachedAt: string[];
  /** Connections that are open. */
  open(): number;
  close(): Promise<void>;
}

const file = (name: string): string =>
  readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), "utf8");
/** A certificate for `files.example.test` alone, signed by itself. */
export const TEST_CERTIFICATE = file("cert");

/** A web server on all addresses of loopback, which may behave as badly as its handler wants. */
export async function serveWeb(handler: Handler, { tls = false } = {}): Promise<Web> {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const reachedAt: string[] = [];
  const listener: Handler = (request, response) => {
    asked.push(request.url ?? "");
    response.on("error", () => undefined);
    handler(request, response);
  };
  const server = tls
    ? createTlsServer({ key: file("key"), cert: TEST_CERTIFICATE }, listener)
    : createServer(listener);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    reachedAt.push(socket.localAddress ?? "");
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((done) => server.listen(0, "0.0.0.0", done));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ port, asked, reachedAt },
    url: (path) => `${tls ? "https" : "http"}://127.0.0.1:${port}${path}`,
    open: () => sockets.size,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
