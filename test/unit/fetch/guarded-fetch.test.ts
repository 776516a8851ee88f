import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "@jest/globals";
import { BotError } from "../../../src/base/errors.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import {
  GuardedFetch,
  type Fetched,
  type GuardedFetchOptions,
  type OpenOptions,
} from "../../../src/fetch/guarded-fetch.ts";
import { serveWeb, TEST_CERTIFICATE, type Handler, type Web } from "../../support/web.ts";

const webs: Web[] = [];
const owner = new AbortController();

afterEach(async () => {
  await Promise.all(webs.splice(0).map((web) => web.close()));
});

const bounds: OpenOptions = {
  signal: owner.signal,
  maxBytes: 1_000_000,
  idleMs: 2_000,
  totalMs: 10_000,
  minBytesPerSecond: 100,
};

async function serve(handler: Handler, options: { tls?: boolean } = {}): Promise<Web> {
  const web = await serveWeb(handler, options);
  webs.push(web);
  return web;
}

function guard(options: Partial<GuardedFetchOptions> = {}): GuardedFetch {
  const policy = { allowHttp: true, allow: ["127.0.0.1"] };
  return new GuardedFetch({ policy, clock: systemClock, ...options });
}

async function bytesOf({ body }: Fetched): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The error of opening and reading it to its end. */
async function refusal(url: string, some: Partial<OpenOptions> = {}, by = guard()): Promise<string> {
  try {
    await bytesOf(await by.open(url, { ...bounds, ...some }));
    return "taken";
  } catch (error) {
    expect(error).toBeInstanceOf(BotError);
    const { code, say } = error as BotError;
    return `${code} ${say.key}`;
  }
}

/** Nothing of a fetch that was given up stays open. */
async function allClosed(web: Web): Promise<void> {
  for (let i = 0; i < 200 && web.open() > 0; i++) await new Promise((done) => setTimeout(done, 10));
  expect(web.open()).toBe(0);
}

test("brings a file and what is said of it", async () => {
  const web = await serve((_, response) => {
    response.setHeader("content-type", "Audio/MPEG; charset=utf-8");
    response.end("some bytes");
  });
  const fetched = await guard().open(web.url("/a.mp3?key=1#part"), bounds);
  expect(fetched).toMatchObject({ status: 200, contentType: "audio/mpeg", lengthBytes: 10 });
  expect(fetched.url).toBe(web.url("/a.mp3?key=1"));
  expect((await bytesOf(fetched)).toString()).toBe("some bytes");
  await allClosed(web);
});

test("by TLS the host's name counts, at the address that was checked", async () => {
  const web = await serve((_, response) => response.end("safe"), { tls: true });
  const resolve = async (): Promise<{ address: string; family: number }[]> => [
    { address: "127.0.0.1", family: 4 },
  ];
  const good = guard({ resolve, ca: TEST_CERTIFICATE });
  const fetched = await good.open(`https://files.example.test:${web.port}/`, bounds);
  expect((await bytesOf(fetched)).toString()).toBe("safe");
  const wrong = "fetch_failed fetch.certificate";
  expect(await refusal(`https://other.example.test:${web.port}/`, {}, good)).toBe(wrong);
  expect(await refusal(`https://files.example.test:${web.port}/`, {}, guard({ resolve }))).toBe(wrong);
});

test("own networks are refused unless they are allowed", async () => {
  const web = await serve((_, response) => response.end("secret"));
  const strict = guard({ policy: { allowHttp: true, allow: [] } });
  for (const host of ["127.0.0.1", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
    expect(await refusal(`http://${host}:${web.port}/`, {}, strict)).toBe("fetch_refused fetch.own_network");
  expect(web.reachedAt).toEqual([]);
  const byName = guard({ policy: { allowHttp: true, allow: ["localhost"] } });
  expect(await refusal(`http://localhost:${web.port}/`, {}, byName)).toBe("taken");
  expect(await refusal(`http://127.0.0.1:${web.port}/`, {}, byName)).toBe("fetch_refused fetch.own_network");
});

test.each([
  "http://169.254.169.254/latest/meta-data/",
  "http://[fd00:ec2::254]/latest/",
  "http://127.0.0.2:80/",
  "http://[::ffff:169.254.169.254]/",
  "http://user:secret@127.0.0.1/",
  "ftp://127.0.0.1/",
  "http://127.0.0.1:22/",
])("a redirect to %s is refused", async (location) => {
  const web = await serve((_, response) => response.writeHead(302, { location }).end());
  expect(await refusal(web.url("/"))).toMatch(/^fetch_refused /);
  expect(web.asked).toEqual(["/"]);
  await allClosed(web);
});

test("a redirect away from https is refused", async () => {
  const web = await serve((_, response) => response.writeHead(301, { location: "http://a.test/" }).end(), {
    tls: true,
  });
  const resolve = async (): Promise<{ address: string; family: number }[]> => [
    { address: "127.0.0.1", family: 4 },
  ];
  const policy = { allowHttp: false, allow: ["127.0.0.1"] };
  const strict = guard({ policy, resolve, ca: TEST_CERTIFICATE });
  expect(await refusal(`https://files.example.test:${web.port}/`, {}, strict)).toBe(
    "fetch_refused fetch.http",
  );
});

test("five redirects are followed, a sixth and a loop are not", async () => {
  const web = await serve((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end("there");
    else response.writeHead(307, { location: Number.isNaN(left) ? "/loop" : `/${left - 1}` }).end();
  });
  const fetched = await guard().open(web.url("/5"), bounds);
  expect(fetched.url).toBe(web.url("/0"));
  expect((await bytesOf(fetched)).toString()).toBe("there");
  expect(await refusal(web.url("/6"))).toBe("fetch_refused fetch.redirects");
  web.asked.length = 0;
  expect(await refusal(web.url("/loop"))).toBe("fetch_refused fetch.redirects");
  expect(web.asked).toHaveLength(6);
  await allClosed(web);
});

test("a name that answers otherwise the second time is asked once, and again at a redirect", async () => {
  const web = await serve((request, response) => {
    if (request.url === "/again")
      response.writeHead(302, { location: `http://rebind.test:${web.port}/` }).end();
    else response.end("public");
  });
  const answers = ["127.0.0.3", "127.0.0.2"];
  const names: string[] = [];
  const rebinding = guard({
    policy: { allowHttp: true, allow: ["127.0.0.3"] },
    resolve: async (name) => {
      names.push(name);
      return [{ address: answers[names.length - 1] ?? "127.0.0.2", family: 4 }];
    },
  });
  expect(await refusal(`http://rebind.test:${web.port}/`, {}, rebinding)).toBe("taken");
  expect(names).toEqual(["rebind.test"]);
  expect(web.reachedAt).toEqual(["127.0.0.3"]);

  names.length = 0;
  expect(await refusal(`http://rebind.test:${web.port}/again`, {}, rebinding)).toBe(
    "fetch_refused fetch.own_network",
  );
  expect(names).toEqual(["rebind.test", "rebind.test"]);
  expect(web.reachedAt).toEqual(["127.0.0.3", "127.0.0.3"]);
});

test("of several addresses the private ones are left out", async () => {
  const web = await serve((_, response) => response.end("public"));
  const mixed = guard({
    policy: { allowHttp: true, allow: ["127.0.0.3"] },
    resolve: async () => [
      { address: "127.0.0.2", family: 4 },
      { address: "::1", family: 6 },
      { address: "127.0.0.3", family: 4 },
    ],
  });
  expect(await refusal(`http://mixed.test:${web.port}/`, {}, mixed)).toBe("taken");
  expect(web.reachedAt).toEqual(["127.0.0.3"]);
});

test("ten gigabytes that are announced are not begun, those that are not end at the bound", async () => {
  let sent = 0;
  const zeros = Buffer.alloc(65_536);
  const web = await serve((request, response) => {
    if (request.url === "/claimed") response.setHeader("content-length", 10e9);
    const pour = (): void => {
      while (!response.destroyed && response.write(zeros)) sent += zeros.length;
      sent += zeros.length;
      if (!response.destroyed) response.once("drain", pour);
    };
    pour();
  });
  expect(await refusal(web.url("/claimed"))).toBe("media_too_large fetch.too_large");
  await allClosed(web);
  sent = 0;
  expect(await refusal(web.url("/"))).toBe("media_too_large fetch.too_large");
  await allClosed(web);
  // What the system buffers on its way, besides.
  expect(sent).toBeLessThan(20e6);
});

test("a drip without an end is too slow", async () => {
  const web = await serve((_, response) => {
    const timer = setInterval(() => response.write("."), 20);
    response.on("close", () => clearInterval(timer));
  });
  expect(await refusal(web.url("/"), { idleMs: 300 })).toBe("timeout fetch.slow");
  await allClosed(web);
});

test("what takes for ever ends at its time", async () => {
  const web = await serve((_, response) => {
    const timer = setInterval(() => response.write(Buffer.alloc(500)), 10);
    response.on("close", () => clearInterval(timer));
  });
  expect(await refusal(web.url("/"), { totalMs: 300 })).toBe("timeout fetch.slow");
  await allClosed(web);
});

test.each([
  ["says nothing", (): void => undefined],
  ["drips headers", drip],
  ["stops in the middle", stop],
])("a server that %s is given up", async (_, handler) => {
  const web = await serve(handler);
  expect(await refusal(web.url("/"), { idleMs: 150 })).toBe("timeout fetch.slow");
  await allClosed(web);
});

function drip(_: unknown, { socket }: Parameters<Handler>[1]): void {
  socket?.write("HTTP/1.1 200 OK\r\n");
  const timer = setInterval(() => socket?.write("x-a: 1\r\n"), 20);
  socket?.on("close", () => clearInterval(timer));
}

function stop(_: unknown, response: Parameters<Handler>[1]): void {
  response.setHeader("content-length", 100);
  response.write("half");
}

test("a resolver that never answers is given up", async () => {
  const never = guard({ resolve: () => new Promise(() => undefined) });
  expect(await refusal("http://never.test/", { idleMs: 100 }, never)).toBe("timeout fetch.slow");
});

test("a name that is not there is said", async () => {
  const nobody = guard({
    resolve: () => Promise.reject(Object.assign(new Error("not found"), { code: "ENOTFOUND" })),
  });
  expect(await refusal("http://nobody.test/", {}, nobody)).toBe("fetch_failed fetch.no_host");
});

test("less than was announced is a failure, more is cut off", async () => {
  const web = await serve((request, response) => {
    response.socket?.end(`HTTP/1.1 200 OK\r\ncontent-length: ${request.url?.slice(1)}\r\n\r\n0123456789`);
  });
  expect(await refusal(web.url("/20"))).toBe("fetch_failed fetch.broken_off");
  expect((await bytesOf(await guard().open(web.url("/5"), bounds))).toString()).toBe("01234");
  expect(await refusal(web.url("/-5"))).toBe("fetch_failed fetch.no_http");
});

test("a reset is a failure, in the middle and before", async () => {
  const web = await serve((request, response) => {
    if (request.url === "/middle") response.write("begin", () => response.socket?.resetAndDestroy());
    else response.socket?.resetAndDestroy();
  });
  expect(await refusal(web.url("/middle"))).toBe("fetch_failed fetch.broken_off");
  expect(await refusal(web.url("/before"))).toBe("fetch_failed fetch.broken_off");
});

test("what is no HTTP, and where nobody listens", async () => {
  const web = await serve((_, response) => response.socket?.end("220 mail.example.org ESMTP\r\n"));
  expect(await refusal(web.url("/"))).toBe("fetch_failed fetch.no_http");
  await web.close();
  expect(await refusal(web.url("/"))).toBe("fetch_failed fetch.unreachable");
});

test("a part is taken where it was asked for, and nowhere else", async () => {
  const web = await serve((_, response) => response.writeHead(206).end("part"));
  expect(await refusal(web.url("/"))).toBe("fetch_failed fetch.status");
  expect(await refusal(web.url("/"), { headers: { Range: "bytes=0-3" } })).toBe("taken");
});

test("a station of old says ICY where others say HTTP", async () => {
  const web = await serve((request, response) => {
    const status = request.url === "/refused" ? "ICY 401 Service Unavailable" : "ICY 200 OK";
    response.socket?.end(`${status}\r\nicy-name: North\r\ncontent-type: audio/mpeg\r\n\r\nICY 200 sound`);
  });
  const fetched = await guard().open(web.url("/"), bounds);
  expect(fetched).toMatchObject({ status: 200, lengthBytes: null, headers: { "icy-name": "North" } });
  expect((await bytesOf(fetched)).toString()).toBe("ICY 200 sound");
  expect(await refusal(web.url("/refused"))).toBe("fetch_failed fetch.status");
});

test.each([204, 304, 401, 404, 500, 418])("an answer of %d is none", async (status) => {
  const web = await serve((_, response) => response.writeHead(status).end());
  expect(await refusal(web.url("/"))).toBe("fetch_failed fetch.status");
  await allClosed(web);
});

test("nothing is unpacked, so that no bomb goes off", async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const web = await serve((request, response) => {
    expect(request.headers["accept-encoding"]).toBe("identity");
    response.setHeader("content-encoding", "gzip");
    response.end(bomb);
  });
  expect(await refusal(web.url("/"))).toBe("fetch_failed fetch.packed");
  await allClosed(web);
});

test("no cookies, no authorization, no referrer go along, also over redirects", async () => {
  const names: string[][] = [];
  const web = await serve((request, response) => {
    names.push(Object.keys(request.headers).sort());
    if (request.url === "/")
      response.writeHead(302, { location: "/next", "set-cookie": "a=b; Path=/" }).end();
    else response.end();
  });
  await bytesOf(await guard().open(web.url("/"), bounds));
  const usual = ["accept", "accept-encoding", "connection", "host", "user-agent"];
  expect(names).toEqual([usual, usual]);
});

test("its owner ends it at any time", async () => {
  const web = await serve((request, response) => {
    if (request.url === "/body") response.write("begin");
  });
  const before = new AbortController();
  const opening = refusal(web.url("/"), { signal: before.signal });
  setTimeout(() => before.abort(), 50);
  expect(await opening).toMatch(/^cancelled /);
  expect(await refusal(web.url("/"), { signal: before.signal })).toMatch(/^cancelled /);

  const during = new AbortController();
  const reading = refusal(web.url("/body"), { signal: during.signal });
  setTimeout(() => during.abort(), 50);
  expect(await reading).toMatch(/^cancelled /);
  await allClosed(web);
});

test("closed without being read it leaves nothing", async () => {
  const web = await serve((_, response) => {
    response.write("begin");
  });
  const fetched = await guard().open(web.url("/"), bounds);
  fetched.close();
  fetched.close();
  await allClosed(web);
});

test("a reader may be slow where a server may not", async () => {
  const web = await serve((_, response) => response.end(Buffer.alloc(300_000, 1)));
  const fetched = await guard().open(web.url("/"), {
    ...bounds,
    ...{ idleMs: 100, totalMs: null, minBytesPerSecond: 1e6 },
  });
  let bytes = 0;
  for await (const piece of fetched.body) {
    if (bytes === 0) await new Promise((done) => setTimeout(done, 400));
    bytes += piece.length;
  }
  expect(bytes).toBe(300_000);
});
