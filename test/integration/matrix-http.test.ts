// The HTTP under the Matrix session, against servers that misbehave as proxies and homeservers do.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/system-clock.ts";
import type { Homeserver } from "../../src/matrix/homeserver.ts";
import { MediaClient } from "../../src/matrix/media-client.ts";
import { openHomeserver } from "../../src/matrix/sdk-client.ts";
import { rejection } from "../support/rejection.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

let handler: Handler = () => {};
const requests: { method: string; url: string; headers: IncomingMessage["headers"]; body: Buffer }[] = [];
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    requests.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
    handler(request, response, body);
  });
});
let baseUrl: string;
let homeserver: Homeserver;
let dir: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  homeserver = await openHomeserver(baseUrl, "syt_token");
  dir = await mkdtemp(join(tmpdir(), "voicebot-http-"));
});
beforeEach(() => {
  requests.length = 0;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true });
});

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Handler {
  return (_request, response) => {
    response.writeHead(status, headers);
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

describe("a request", () => {
  test("carries token, query and JSON, and gives the decoded answer", async () => {
    handler = answer(200, { a: [1] });
    const options = { query: { since: "s 1&x", full_state: true }, body: { k: "ü" } };
    expect(await homeserver.request("PUT", "/_matrix/x", options)).toEqual({ a: [1] });
    expect(requests).toMatchObject([
      {
        method: "PUT",
        url: "/_matrix/x?since=s+1%26x&full_state=true",
        headers: { authorization: "Bearer syt_token", "content-type": "application/json" },
      },
    ]);
    expect(requests[0]?.body.toString()).toBe('{"k":"ü"}');
  });

  test.each<[string, Handler, object]>([
    [
      "a Matrix error",
      answer(403, { errcode: "M_FORBIDDEN", error: "no" }),
      { code: "forbidden", status: 403, errcode: "M_FORBIDDEN", retryable: false },
    ],
    [
      "a limit in the body",
      answer(429, { errcode: "M_LIMIT_EXCEEDED", error: "slow", retry_after_ms: 1234 }),
      { code: "rate_limited", retryAfterMs: 1234, retryable: true },
    ],
    [
      "a limit in the header only",
      answer(429, "slow down", { "retry-after": "3" }),
      { code: "rate_limited", retryAfterMs: 3000 },
    ],
    [
      "a limit that only a date names",
      answer(429, "slow down", { "retry-after": new Date(Date.now() + 3_600_000).toUTCString() }),
      { code: "rate_limited", retryAfterMs: expect.closeTo(3_600_000, -5) },
    ],
    ["a limit that names nonsense", answer(429, "", { "retry-after": "soon" }), { retryAfterMs: null }],
    ["a proxy's error page", answer(502, "<html>"), { code: "homeserver", status: 502, retryable: true }],
    ["null", answer(500, "null"), { code: "homeserver", status: 500 }],
    [
      "a connection that breaks",
      (_request, response) => response.destroy(),
      { code: "homeserver", retryable: true },
    ],
  ])("%s", async (_, how, error) => {
    handler = how;
    expect(await rejection(homeserver.request("GET", "/_matrix/x"))).toMatchObject(error);
  });

  test("an error page without an end is not read to its end", async () => {
    handler = (_request, response) => {
      response.writeHead(503);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, "x"))) continue;
      };
      response.on("drain", more).on("error", () => {});
      more();
    };
    const error = await rejection(homeserver.request("GET", "/_matrix/x", { timeoutMs: 5000 }));
    expect(error).toMatchObject({ code: "homeserver", status: 503, retryable: true });
  });

  test("a redirect is not followed: the token goes nowhere else", async () => {
    handler = answer(307, "", { location: `${baseUrl}/elsewhere` });
    expect(await rejection(homeserver.request("GET", "/_matrix/x"))).toMatchObject({ status: 307 });
    expect(requests).toHaveLength(1);
  });

  test("an abort ends it at once, a time-out in time; both close the connection", async () => {
    const closed: Promise<void>[] = [];
    handler = (request) => {
      closed.push(new Promise((resolve) => request.socket.once("close", () => resolve())));
      controller.abort();
    };
    const controller = new AbortController();
    const { signal } = controller;
    expect(await rejection(homeserver.request("GET", "/_matrix/x", { signal }))).toMatchObject({
      code: "cancelled",
    });
    expect(await rejection(homeserver.request("GET", "/_matrix/x", { signal }))).toMatchObject({
      code: "cancelled",
    });
    expect(await rejection(homeserver.request("GET", "/_matrix/x", { timeoutMs: 30 }))).toMatchObject({
      code: "timeout",
      retryable: true,
    });
    await Promise.all(closed);
    expect(closed).toHaveLength(2);
  });

  test("nobody there", async () => {
    const nowhere = await openHomeserver("http://127.0.0.1:1", "syt_token");
    const error = await rejection(nowhere.request("GET", "/_matrix/x"));
    expect(error).toMatchObject({ code: "homeserver", retryable: true });
    expect(JSON.stringify(error)).not.toContain("syt_token");
  });
});

describe("media", () => {
  const media = (): MediaClient =>
    new MediaClient({
      homeserver,
      accessToken: "syt_token",
      clock: systemClock,
      signal: new AbortController().signal,
    });

  test("an upload says its length, and goes again as a whole after a server error", async () => {
    const path = join(dir, "up.bin");
    const bytes = Buffer.alloc(300_000, 9);
    await writeFile(path, bytes);
    let failures = 1;
    handler = (request, response, body) => {
      if (request.method !== "POST")
        return answer(404, { errcode: "M_UNRECOGNIZED" })(request, response, body);
      if (failures-- > 0) return answer(502, "bad gateway")(request, response, body);
      return answer(200, { content_uri: "mxc://a/b" })(request, response, body);
    };
    const options = { mimeType: "audio/ogg", fileName: "x.ogg" };
    expect(await media().uploadFile(path, options)).toBe("mxc://a/b");
    const uploads = requests.filter(({ method }) => method === "POST");
    expect(uploads).toHaveLength(2);
    for (const { headers, body } of uploads) {
      expect(headers).toMatchObject({ "content-length": "300000", "content-type": "audio/ogg" });
      expect(headers).not.toHaveProperty("transfer-encoding");
      expect(body.equals(bytes)).toBe(true);
    }
  });

  test("what the server calls too large is not sent again", async () => {
    const path = join(dir, "large.bin");
    await writeFile(path, "x".repeat(2_000_000));
    handler = (request, response, body) =>
      request.method === "POST"
        ? answer(413, "<html>too large")(request, response, body)
        : answer(200, {})(request, response, body);
    const options = { mimeType: "audio/ogg", fileName: "x.ogg" };
    expect(await rejection(media().uploadFile(path, options))).toMatchObject({ code: "media_too_large" });
    expect(requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  test("a file that is not there", async () => {
    const options = { mimeType: "audio/ogg", fileName: "x.ogg" };
    const failure = await rejection(media().uploadFile(join(dir, "nothing"), options));
    expect(failure).toMatchObject({ code: "not_found" });
  });

  test("a download falls back to the way of older homeservers", async () => {
    handler = (request, response, body) =>
      (request.url ?? "").includes("/client/v1/")
        ? answer(404, { errcode: "M_UNRECOGNIZED", error: "?" })(request, response, body)
        : answer(200, "bytes", { "content-type": "audio/ogg" })(request, response, body);
    const path = join(dir, "old.bin");
    const got = await media().download("mxc://a/b", path, { maxBytes: 100 });
    expect(got).toEqual({ bytes: 5, contentType: "audio/ogg" });
    expect(await readFile(path, "utf8")).toBe("bytes");
    expect(requests.map(({ url }) => url)).toEqual([
      "/_matrix/client/v1/media/download/a/b",
      "/_matrix/media/v3/download/a/b",
    ]);
  });

  test.each<[string, Handler, object]>([
    [
      "an endless body",
      (_request, response) => {
        const pour = (): void => void (response.write(Buffer.alloc(10_000)) ? setImmediate(pour) : null);
        response.on("drain", pour);
        pour();
      },
      { code: "media_too_large" },
    ],
    [
      "a body that breaks off",
      (_request, response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write("half", () => response.destroy());
      },
      { code: "homeserver", retryable: true },
    ],
    ["a redirect", answer(308, "", { location: "http://169.254.169.254/" }), { status: 308 }],
  ])("%s leaves no file", async (_, how, error) => {
    handler = how;
    const folder = await mkdtemp(join(dir, "f-"));
    const failure = rejection(media().download("mxc://a/b", join(folder, "x"), { maxBytes: 100_000 }));
    expect(await failure).toMatchObject(error);
    expect(await readdir(folder)).toEqual([]);
  });
});
