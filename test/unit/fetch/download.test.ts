import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { BotError } from "../../../src/base/errors.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { download, type Downloaded, type DownloadOptions } from "../../../src/fetch/download.ts";
import { GuardedFetch } from "../../../src/fetch/guarded-fetch.ts";
import { serveWeb, type Handler, type Web } from "../../support/web.ts";

const FLAC = Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(100_000, 7)]);
const guard = new GuardedFetch({ policy: { allowHttp: true, allow: ["127.0.0.1"] }, clock: systemClock });
const { signal } = new AbortController();

let directory: string;
let web: Web;
let handler: Handler;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-fetch-"));
  web = await serveWeb((request, response) => handler(request, response));
});
afterEach(async () => {
  await web.close();
  await rm(directory, { recursive: true, force: true });
});

const bring = (path: string, options: Partial<DownloadOptions> = {}): Promise<Downloaded> =>
  download(guard, web.url(path), {
    ...{ path: join(directory, "file"), maxBytes: 1e6, signal, clock: systemClock, ...options },
  });

async function refusal(path: string, options: Partial<DownloadOptions> = {}): Promise<string> {
  const error = await bring(path, options).then(
    () => new BotError("internal", "taken"),
    (thrown: unknown) => thrown as BotError,
  );
  expect(error).toBeInstanceOf(BotError);
  // Nothing is left of what was not wanted.
  expect(await readdir(directory)).toEqual([]);
  return `${error.code} ${error.say.key}`;
}

test("a file is kept, for its owner alone", async () => {
  handler = (_, response) => response.setHeader("content-type", "text/html").end(FLAC);
  expect(await bring("/x;%20rm%20-rf%20.html")).toMatchObject({ what: "audio", bytes: FLAC.length });
  const path = join(directory, "file");
  expect((await readFile(path)).equals(FLAC)).toBe(true);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("a page that calls itself audio is text, and a picture is nothing", async () => {
  handler = (request, response) => {
    response.setHeader("content-type", "audio/mpeg");
    response.end(
      request.url === "/page" ? "<!doctype html><title>x</title>" : Buffer.from("89504e470d0a1a0a00", "hex"),
    );
  };
  expect(await bring("/page")).toMatchObject({ what: "text", contentType: "audio/mpeg" });
  await rm(join(directory, "file"));
  expect(await refusal("/picture.mp3")).toBe("media_unsupported fetch.not_audio");
});

test("what is packed, empty or zeros is refused early", async () => {
  let sent = 0;
  handler = (request, response) => {
    if (request.url === "/gzip") response.end(gzipSync(FLAC));
    else if (request.url === "/empty") response.end();
    else {
      const pour = (): void => {
        if (response.destroyed) return;
        sent += 65_536;
        response.write(Buffer.alloc(65_536), pour);
      };
      pour();
    }
  };
  expect(await refusal("/gzip")).toBe("media_unsupported fetch.not_audio");
  expect(await refusal("/empty")).toBe("media_unreadable fetch.empty");
  expect(await refusal("/zeros", { maxBytes: 10e9 })).toBe("media_unsupported fetch.not_audio");
  expect(sent).toBeLessThan(20e6);
});

test("sound beyond the bound is refused, also when it is not announced", async () => {
  handler = (_, response) => {
    response.write("fLaC");
    response.end(Buffer.alloc(200_000, 7));
  };
  expect(await refusal("/", { maxBytes: 100_000 })).toBe("media_too_large fetch.too_large");
});

test("text without an end is no list", async () => {
  handler = (_, response) => response.end("#EXTM3U\n".repeat(200_000));
  expect(await refusal("/", { maxBytes: 10e6 })).toBe("media_unsupported fetch.not_audio");
});

test("what breaks off or stalls leaves nothing", async () => {
  handler = (request, response) => {
    response.setHeader("content-length", FLAC.length + 1);
    response.write(FLAC, () => request.url === "/reset" && response.socket?.resetAndDestroy());
  };
  expect(await refusal("/reset")).toBe("fetch_failed fetch.broken_off");
  expect(await refusal("/stall", { bounds: { idleMs: 150 } })).toBe("timeout fetch.slow");
});

test("a station is told by its headers, and by never ending", async () => {
  handler = (request, response) => {
    if (request.url === "/station") response.setHeader("icy-name", "Radio North");
    response.write(FLAC);
    const timer = setInterval(() => response.write(FLAC), 50);
    response.on("close", () => clearInterval(timer));
  };
  expect(await bring("/station")).toMatchObject({ what: "stream", name: "Radio North", bytes: 0 });
  expect(await bring("/endless", { maxBytes: 100e6, bounds: { endlessMs: 200 } })).toMatchObject({
    what: "stream",
  });
  expect(await readdir(directory)).toEqual([]);
});

test("it takes in no more a second than it may", async () => {
  handler = (_, response) => response.end(FLAC);
  const startMs = systemClock.now();
  await bring("/", { bounds: { maxBytesPerSecond: 250_000 } });
  expect(systemClock.now() - startMs).toBeGreaterThan(200);
});

test("its owner ends it, and a file that is there is not touched", async () => {
  handler = (_, response) => response.write(FLAC);
  const owner = new AbortController();
  const ended = refusal("/", { signal: owner.signal });
  setTimeout(() => owner.abort(), 50);
  expect(await ended).toMatch(/^cancelled /);

  handler = (_, response) => response.end(FLAC);
  await bring("/");
  await expect(bring("/")).rejects.toMatchObject({ code: "internal" });
  expect(await readFile(join(directory, "file"))).toHaveLength(FLAC.length);
});
