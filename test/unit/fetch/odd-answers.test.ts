import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { sleep } from "../../../src/base/async.ts";
import { toBotError } from "../../../src/base/errors.ts";
import { systemClock as clock } from "../../../src/base/system-clock.ts";
import { download, type Downloaded } from "../../../src/fetch/download.ts";
import { GuardedFetch } from "../../../src/fetch/guarded-fetch.ts";

/** Servers that write their answers by hand, byte by byte. */

const { signal } = new AbortController();
const SOUND = Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(20_000)]);
let directory: string;
let server: Server;
let answer: (socket: Socket, path: string) => unknown;
const sockets = new Set<Socket>();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-odd-"));
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", (data) => answer(socket, data.toString("latin1").split(" ")[1] ?? ""));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((done) => server.close(done));
  await rm(directory, { recursive: true });
});

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

function bring(name = "a"): Promise<Downloaded> {
  const policy = { allowHttp: true, allow: ["127.0.0.1"] };
  return download(new GuardedFetch({ policy, clock }), url(), {
    ...{ path: join(directory, name), maxBytes: 1e6, signal, clock },
    bounds: { idleMs: 400, totalMs: 3_000, minBytesPerSecond: 100, endlessMs: 1_000 },
  });
}

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "taken",
    (error: unknown) => toBotError(error).say.key,
  );

test("sound of no said length whose connection is reset is not taken for whole", async () => {
  answer = async (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    socket.write(SOUND);
    await sleep(clock, 100, signal);
    socket.resetAndDestroy();
  };
  expect(await reasonOf(bring())).toBe("fetch.broken_off");
  expect(await readdir(directory)).toEqual([]);
  answer = (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    socket.end(SOUND);
  };
  expect(await bring()).toMatchObject({ what: "audio", bytes: SOUND.length });
});

test("a station of old is known wherever its answer is cut, and its name is read as it was written", async () => {
  answer = async (socket) => {
    for (const piece of ["IC", "Y", " 200 OK\r\nicy-name: Nörd\r\n\r\n", "sound"]) {
      socket.write(piece);
      await sleep(clock, 30, signal);
    }
  };
  expect(await bring()).toMatchObject({ what: "stream", name: "Nörd" });
  answer = (socket) => socket.write(Buffer.from("ICY 200 OK\r\nicy-name: N\xf6rd\r\n\r\n", "latin1"));
  expect(await bring()).toMatchObject({ what: "stream", name: "Nörd" });
});

test("a redirect to an address with letters of its own, written as they are, is followed", async () => {
  answer = (socket, path) =>
    path === "/"
      ? socket.end("HTTP/1.1 302 Found\r\nlocation: /ü.flac\r\n\r\n")
      : socket.end(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), SOUND]));
  expect((await bring()).url).toBe(`${url()}%C3%BC.flac`);
});

test("whoever wants to speak something else is refused at once", async () => {
  answer = (socket) => socket.write("HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
  expect(await reasonOf(bring())).toBe("fetch.status");
});

const HOSTILE: Record<string, readonly [reason: string, hostile: (socket: Socket) => unknown]> = {
  "information without end": [
    "fetch.slow",
    (socket) => pour(socket, "HTTP/1.1 100 Continue\r\n\r\n".repeat(20)),
  ],
  "a megabyte of header": [
    "fetch.no_http",
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(1e6)}\r\n\r\n`),
  ],
  "a chunk's extension without end": [
    "fetch.no_http",
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;");
      return pour(socket, "a".repeat(10_000));
    },
  ],
};

async function pour(socket: Socket, text: string): Promise<void> {
  for (; !socket.destroyed; await sleep(clock, 5, signal)) socket.write(text);
}

test.each(Object.entries(HOSTILE))("%s ends", async (_, [reason, hostile]) => {
  answer = hostile;
  expect(await reasonOf(bring())).toBe(reason);
});

test("five hundred bad answers leave no connection and no file", async () => {
  const all = [
    ...Object.values(HOSTILE)
      .slice(1)
      .map(([, hostile]) => hostile),
    (socket: Socket) => socket.resetAndDestroy(),
    (socket: Socket) => socket.end("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n\r\n"),
    (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\nfLaC"),
  ];
  let count = 0;
  answer = (socket) => all[count++ % all.length]?.(socket);
  for (let round = 0; round < 10; round++) {
    const names = Array.from({ length: 50 }, (_, i) => `${round} ${i}`);
    const reasons = await Promise.all(names.map((name) => reasonOf(bring(name))));
    expect(reasons).not.toContain("taken");
  }
  for (let i = 0; i < 100 && sockets.size > 0; i++) await sleep(clock, 10, signal);
  expect([sockets.size, await readdir(directory)]).toEqual([0, []]);
});
