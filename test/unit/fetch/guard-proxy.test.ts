import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { systemClock } from "../../../src/base/system-clock.ts";
import { GuardProxy } from "../../../src/fetch/guard-proxy.ts";
import { serveWeb, TEST_CERTIFICATE, type Web } from "../../support/web.ts";

let web: Web;
let proxy: GuardProxy;
beforeEach(async () => {
  web = await serveWeb((request, response) => {
    if (request.url === "/away") response.writeHead(302, { location: "http://169.254.169.254/latest" }).end();
    else response.end("x".repeat(Number(request.url?.slice(1)) || 5));
  });
  proxy = await openProxy();
});
afterEach(async () => {
  proxy.close();
  await web.close();
});

const openProxy = (
  more: { maxBytes?: number; idleMs?: number; allow?: string[]; allowHttp?: boolean } = {},
) =>
  GuardProxy.open({
    policy: { allowHttp: more.allowHttp ?? true, allow: more.allow ?? ["127.0.0.1"] },
    ...{ maxBytes: more.maxBytes ?? 1e6, idleMs: more.idleMs ?? 5_000, clock: systemClock },
    resolve: (host) =>
      Promise.resolve([{ address: host === "files.example.test" ? "127.0.0.1" : "10.0.0.1", family: 4 }]),
  });

const authorization = (at: GuardProxy): string => {
  const { username, password } = new URL(at.url);
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
};

function get(url: string, at = proxy, auth = authorization(at)): Promise<{ status: number; body: string }> {
  const { port } = new URL(at.url);
  const headers = { host: new URL(url).host, "proxy-authorization": auth };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path: url, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on("error", reject);
    request.end();
  });
}

/** The answer to a CONNECT, with the socket that it made. */
function tunnel(target: string, at = proxy): Promise<{ line: string; socket: Socket }> {
  const socket = connect(Number(new URL(at.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: ${authorization(at)}\r\n\r\n`,
  );
  return new Promise((resolve) => {
    socket.once("data", (chunk: Buffer) =>
      resolve({ line: chunk.toString().split("\r\n")[0] ?? "", socket }),
    );
    socket.once("close", () => resolve({ line: "closed", socket }));
  });
}

test("what the guard lets through comes through, and redirects are the program's to follow, through it again", async () => {
  expect(await get(web.url("/12"))).toEqual({ status: 200, body: "x".repeat(12) });
  expect(await get(web.url("/away"))).toMatchObject({ status: 302 });
  expect(await get("http://169.254.169.254/latest")).toMatchObject({ status: 403 });
  expect(proxy.refusal).toMatchObject({ code: "fetch_refused", say: { key: "fetch.own_network" } });
});

test.each([
  ["another address of this machine", () => `http://127.0.0.2:${web.port}/`],
  ["this machine by IPv6", () => `http://[::1]:${web.port}/`],
  ["a name of the own network", () => "http://intranet.example.test/"],
  ["the port of another service", () => "http://127.0.0.1:25/"],
  ["the proxy itself, under another address", () => `http://127.0.0.3:${new URL(proxy.url).port}/`],
])("%s is refused", async (_, url) => {
  expect(await get(url())).toMatchObject({ status: 403 });
  expect(web.asked).toEqual([]);
  expect((await tunnel(new URL(url()).host)).line).toMatch(/^HTTP\/1.1 403/);
});

test("http is refused where it is not allowed", async () => {
  const strict = await openProxy({ allowHttp: false });
  expect(await get(web.url("/1"), strict)).toMatchObject({ status: 403 });
  expect(strict.refusal).toMatchObject({ say: { key: "fetch.http" } });
  strict.close();
});

test("who does not know its password gets nowhere", async () => {
  for (const auth of ["", "Basic dm9pY2Vib3Q6", `${authorization(proxy)}x`])
    expect(await get(web.url("/1"), proxy, auth)).toMatchObject({ status: 407 });
  expect(web.asked).toEqual([]);
  expect(proxy.refusal).toBeNull();
});

test("a tunnel is for what two say to one another, and ends with either of them", async () => {
  const secure = await serveWeb((_, response) => response.end("secret"), { tls: true });
  const { line, socket } = await tunnel(`files.example.test:${secure.port}`);
  expect(line).toBe("HTTP/1.1 200 Connection established");
  const tls = connectTls({ socket, servername: "files.example.test", ca: TEST_CERTIFICATE });
  tls.write("GET / HTTP/1.1\r\nHost: files.example.test\r\nConnection: close\r\n\r\n");
  let body = "";
  for await (const chunk of tls as AsyncIterable<Buffer>) body += chunk.toString();
  expect(body).toContain("secret");
  const second = await tunnel(`files.example.test:${secure.port}`);
  const closed = new Promise((resolve) => second.socket.once("close", resolve));
  proxy.close();
  await closed;
  await secure.close();
});

test("it stops at its bound, however many requests that takes, and says so", async () => {
  const small = await openProxy({ maxBytes: 10_000 });
  expect(await get(web.url("/6000"), small)).toMatchObject({ status: 200 });
  await expect(get(web.url("/6000"), small)).rejects.toMatchObject({ code: "ECONNRESET" });
  expect(small.refusal).toMatchObject({ code: "media_too_large" });
  await expect(get(web.url("/1"), small)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("a tunnel on which nothing is said is closed", async () => {
  const quick = await openProxy({ idleMs: 50 });
  const silent = await serveWeb(() => undefined);
  const { line, socket } = await tunnel(`127.0.0.1:${silent.port}`, quick);
  expect(line).toMatch(/200/);
  await new Promise((resolve) => socket.once("close", resolve));
  quick.close();
  await silent.close();
});
