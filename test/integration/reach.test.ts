// What stands where the homeserver should be, told in words: the answers of proxies, wrong ports and wrong names.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { silentLog, type Log } from "../../src/base/log.ts";
import { reachHomeserver, waitForHomeserver } from "../../src/matrix/reach.ts";
import { FakeClock } from "../fakes/clock.ts";
import { rejection } from "../support/rejection.ts";

type Answer = (path: string, response: ServerResponse) => void;

let answer: Answer = () => {};
let server: Server;
let baseUrl: string;

beforeAll(async () => {
  server = createServer((request, response) => answer(request.url ?? "", response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json = (response: ServerResponse, status: number, body: unknown): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
const versions: Answer = (_, response) => json(response, 200, { versions: ["v1.11"] });

test.each<[string, Answer, object]>([
  ["a homeserver", versions, { kind: "there", versions: ["v1.11"] }],
  ["a proxy without it", (_, r) => json(r, 502, {}), { kind: "away", reason: "answers HTTP 502" }],
  ["a limiter", (_, r) => json(r, 429, {}), { kind: "away", reason: "answers HTTP 429" }],
  [
    "a web page",
    (_, r) => void r.writeHead(404, { "content-type": "text/html" }).end("<!doctype html>"),
    { kind: "wrong", reason: expect.stringContaining("with a web page (HTTP 404)") },
  ],
  [
    "a redirect",
    (_, r) => void r.writeHead(301, { location: "https://www.example.org/" }).end(),
    { kind: "wrong", reason: expect.stringContaining('with a redirect to "https://www.example.org/"') },
  ],
  [
    "another API",
    (_, r) => json(r, 200, { hello: 1 }),
    { kind: "wrong", hint: expect.stringContaining("Check VOICEBOT_HOMESERVER_URL") },
  ],
  [
    "the server's name instead of its API",
    (path, r) =>
      path.startsWith("/.well-known")
        ? json(r, 200, { "m.homeserver": { base_url: "https://matrix.example.org/" } })
        : json(r, 404, {}),
    {
      kind: "wrong",
      hint: "Set VOICEBOT_HOMESERVER_URL to https://matrix.example.org, as its well-known file says.",
    },
  ],
  [
    "a closed connection",
    (_, r) => void r.destroy(),
    { kind: "away", reason: expect.stringContaining("does not answer") },
  ],
])("%s", async (_, given, expected) => {
  answer = given;
  expect(await reachHomeserver(baseUrl)).toMatchObject(expected);
});

test("nothing at all and the wrong scheme are told apart", async () => {
  answer = versions;
  const https = baseUrl.replace("http:", "https:");
  expect(await reachHomeserver(https)).toMatchObject({
    kind: "away",
    hint: expect.stringContaining("http or https"),
  });
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  expect(await reachHomeserver(`http://127.0.0.1:${port}`)).toMatchObject({
    kind: "away",
    hint: expect.stringContaining("host and port"),
  });
});

test("it waits longer and longer, says so once a minute, says a new reason at once, and ends by the signal", async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (_, { reason, awayMs } = {}) => void lines.push(`${String(awayMs)} ${String(reason).slice(-3)}`),
  };
  const stop = new AbortController();
  let asked = 0;
  answer = (_, response) => json(response, ++asked <= 12 ? 503 : 502, {});
  const ended = rejection(waitForHomeserver(baseUrl, { clock, log, signal: stop.signal, random: () => 0.5 }));
  const delays: number[] = [];
  const sleeping = async (): Promise<void> => {
    while (clock.pending === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  for (await sleeping(); delays.length < 12; await sleeping()) {
    const fromMs = clock.now();
    while (clock.pending > 0) clock.tick(500);
    delays.push(clock.now() - fromMs);
  }
  stop.abort();
  expect(await ended).toMatchObject({ code: "cancelled" });
  expect(delays).toEqual([1000, 2000, 4000, 8000, ...Array.from({ length: 8 }, () => 15_000)]);
  expect(lines).toEqual(["0 503", "60000 503", "120000 503", "135000 502"]);
});
