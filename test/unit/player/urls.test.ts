import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import type { LogFields } from "../../../src/base/log.ts";
import { BotError } from "../../../src/base/errors.ts";
import { render } from "../../../src/base/messages/catalogue.ts";
import { FetchLimits } from "../../../src/fetch/limits.ts";
import type { PlaylistText } from "../../../src/player/playlist/reader.ts";
import { Within } from "../../../src/player/playlist/within.ts";
import { FileCache } from "../../../src/player/resolver/cache.ts";
import { Sources, type Ask, type Found, type FoundMany } from "../../../src/player/resolver/resolver.ts";
import { UrlFiles } from "../../../src/player/resolver/url-files.ts";
import { Urls } from "../../../src/player/resolver/urls.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakePlane, type FakePage } from "../../fakes/plane.ts";

const { signal } = new AbortController();
let directory: string;
let clock: FakeClock;
let plane: FakePlane;
let web: (url: string) => FakePage;
let lists: PlaylistText[];
let lines: LogFields[];
let sources: Sources;
let pagesGoOn: boolean;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-urls-"));
  clock = new FakeClock();
  web = () => ({ what: "audio", text: "sound" });
  plane = new FakePlane({ clock, webOf: (url) => web(url) });
  [lists, lines, pagesGoOn] = [[], [], false];
  const log = { ...silentLog, info: (_: unknown, fields?: LogFields) => void lines.push(fields ?? {}) };
  const files = new FileCache({ directory, maxFileBytes: 1000, maxBytes: 5000, clock });
  const urls = new Urls({
    files: new UrlFiles({ files, plane, limits: new FetchLimits(), clock, log }),
    policy: { allowHttp: false, allow: [] },
    clock,
    playlist: async (playlist) => {
      lists.push(playlist);
      return { title: playlist.name, items: [] };
    },
    pages: {
      get isWanted() {
        return pagesGoOn;
      },
      isThere: () => Promise.resolve(pagesGoOn),
      open: () => Promise.resolve({ path: "/of a page" }),
    },
  });
  sources = new Sources([urls]).of("!room:example.org");
});
afterEach(async () => {
  await plane.close();
  await rm(directory, { recursive: true, force: true });
});

const fetched = (): string[] =>
  plane.requests.flatMap((request) => (request.kind === "fetch.file" ? [request.url] : []));

const play = (text: string, within?: Within): Promise<Found | FoundMany> => {
  const ask: Ask = { kind: "words", text, ...(within && { within }) };
  return sources.resolve(ask, signal, "@ada:example.org");
};

async function refusal(text: string): Promise<string> {
  const error: unknown = await play(text).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof BotError)) throw new Error("taken");
  // Every refusal can be said in both languages.
  for (const language of ["en", "de"] as const)
    expect(render(error.say, language).text).not.toMatch(/\{\w+\}/);
  return `${error.code} ${error.say.key}`;
}

test("an audio file is fetched once, kept under a hash, and named by its address", async () => {
  const url = "https://example.org/music/x;%20rm%20-rf%20~.mp3?key=secret";
  const found = await play(url);
  expect(found).toEqual({ source: { kind: "url", url }, title: "x; rm -rf ~", durationMs: null });
  const [name] = await readdir(directory);
  expect(name).toMatch(/^[0-9a-f]{64}$/);
  expect(await sources.open({ kind: "url", url }, signal)).toEqual({ path: join(directory, name ?? "") });
  await play(url);
  expect(fetched()).toEqual([url]);
  // What comes after a question mark may be a key to something.
  expect(JSON.stringify(lines)).toContain("https://example.org/music/");
  expect(JSON.stringify(lines)).not.toContain("secret");
});

test.each([
  ["https://example.org", "example.org"],
  ["https://example.org/listen/", "listen"],
  ["https://example.org/a%2Fb%00%0A.flac", "a/b"],
  ["https://example.org/%E0%A4%A", "%E0%A4%A"],
  ["https://example.org/%E2%80%AEgnp.mp3", "gnp"],
])("%s is called %j", async (url, title) => {
  expect(await play(url)).toMatchObject({ title });
});

test.each([
  ["http://example.org/a.mp3", "fetch_refused fetch.http"],
  ["ftp://example.org/a.mp3", "fetch_refused fetch.scheme"],
  ["https://user:pass@example.org/a.mp3", "fetch_refused fetch.credentials"],
  ["https://example.org:25/a.mp3", "fetch_refused fetch.port"],
  ["https://127.0.0.1/a.mp3", "fetch_refused fetch.own_network"],
  ["https://[::ffff:169.254.169.254]/latest/", "fetch_refused fetch.own_network"],
])("%s is refused before anything is fetched", async (url, reason) => {
  expect(await refusal(url)).toBe(reason);
  expect(fetched()).toEqual([]);
});

test("words are not addresses", async () => {
  await expect(play("who is example.org")).rejects.toMatchObject({ say: { key: "play.not_found" } });
});

test("a station is a stream, with the name it gives itself", async () => {
  web = () => ({ what: "stream", text: "", name: "Radio\n<b>North</b>" });
  expect(await play("https://example.org/live")).toMatchObject({
    source: { kind: "stream", url: "https://example.org/live", format: "icy" },
    title: "Radio <b>North</b>",
  });
  expect(await readdir(directory)).toEqual([]);
  const opened = await sources.open({ kind: "url", url: "https://example.org/live" }, signal);
  expect(opened).toEqual({ stream: { url: "https://example.org/live", kind: "icy" } });
  // Who has just looked need not look again.
  expect(fetched()).toHaveLength(1);
  clock.tick(61_000);
  await play("https://example.org/live");
  expect(fetched()).toHaveLength(2);
});

test("an index of HLS is a stream", async () => {
  web = () => ({ what: "text", text: "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na.ts\n" });
  const url = "https://example.org/live.m3u8";
  expect(await play(url)).toMatchObject({ source: { kind: "stream", url, format: "hls" } });
  expect(await sources.open({ kind: "url", url }, signal)).toEqual({ stream: { url, kind: "hls" } });
});

test("a playlist is told by its text, its type or its name, and read from where it really is", async () => {
  web = (url) => ({
    what: "text",
    text: url.includes("marked") ? "#EXTM3U\na.mp3\n" : "a.mp3\n",
    url: "https://cdn.example.org/x/list.m3u",
  });
  await play("https://example.org/marked");
  await play("https://example.org/list.m3u");
  web = () => ({
    what: "text",
    text: "a.mp3\n",
    contentType: "audio/x-mpegurl",
    url: "https://cdn.example.org/y",
  });
  await play("https://example.org/typed");
  expect(lists.map(({ name, format, from }) => ({ name, format, from }))).toEqual([
    { name: "marked", format: "m3u", from: { url: "https://cdn.example.org/x/list.m3u" } },
    { name: "list", format: "m3u", from: { url: "https://cdn.example.org/x/list.m3u" } },
    { name: "typed", format: "m3u", from: { url: "https://cdn.example.org/y" } },
  ]);
});

test("of what stands in a playlist only playlists are fetched", async () => {
  const within = Within.nothing(clock.now());
  expect(await play("https://example.org/a.mp3", within)).toMatchObject({ source: { kind: "url" } });
  const inside = play("https://192.168.1.1/a.mp3", within);
  await expect(inside).rejects.toMatchObject({ say: { key: "fetch.own_network" } });
  expect(fetched()).toEqual([]);
  web = () => ({ what: "text", text: "#EXTM3U\nb.mp3\n" });
  await play("https://example.org/inner.m3u", within);
  expect(lists).toMatchObject([{ within }]);
});

test("what is here is known without fetching anything: a file that was fetched, half a day later too; no list, no other", async () => {
  const isHere = (url: string): Promise<boolean> => sources.isHere({ kind: "url", url });
  const url = "https://example.org/a.mp3";
  expect(await isHere(url)).toBe(false);
  await play(url);
  web = () => ({ what: "text", text: "[playlist]\nFile1=/a.mp3\n" });
  await play("https://example.org/list.pls");
  await clock.advance(12 * 3_600_000);
  expect([await isHere(url), await isHere("https://example.org/list.pls")]).toEqual([true, false]);
  expect(await sources.isHere({ kind: "stream", url, format: "icy" })).toBe(false);
  expect(fetched()).toHaveLength(2);
});

test("a list that waited in the queue as a track plays its first entry, and goes no deeper", async () => {
  web = (url) =>
    url.endsWith(".mp3")
      ? { what: "audio", text: "sound" }
      : { what: "text", text: "[playlist]\nFile1=/a.mp3\n", url };
  expect(await sources.open({ kind: "url", url: "https://example.org/listen" }, signal)).toHaveProperty(
    "path",
  );
  web = (url) => ({ what: "text", text: `[playlist]\nFile1=${url}/more\n`, url });
  const deep = sources.open({ kind: "url", url: "https://example.org/deep" }, signal);
  await expect(deep).rejects.toMatchObject({ say: { key: "fetch.not_audio" } });
  web = (url) => ({ what: "text", text: "[playlist]\nFile1=http://127.0.0.1/x\n", url });
  const near = sources.open({ kind: "url", url: "https://example.org/near" }, signal);
  await expect(near).rejects.toMatchObject({ code: "fetch_refused" });
});

test("a page is no audio, whatever it calls itself, and goes on to who knows pages", async () => {
  web = () => ({
    what: "text",
    text: "\n<!-- x --><!DOCTYPE html><title>a</title>",
    contentType: "audio/mpeg",
  });
  expect(await refusal("https://example.org/a.mp3")).toBe("media_unsupported fetch.page");
  expect(await refusal("https://example.org/a.m3u")).toBe("media_unsupported fetch.page");
  pagesGoOn = true;
  await expect(play("https://example.org/a.mp3")).rejects.toMatchObject({ say: { key: "play.not_found" } });
  const inList = await sources.open({ kind: "url", url: "https://example.org/page" }, signal);
  expect(inList).toEqual({ path: "/of a page" });
  web = () => ({ what: "text", text: '{"a": 1}' });
  expect(await refusal("https://example.org/b.json")).toBe("media_unsupported fetch.not_audio");
});

test.each([403, 429, 404])("an answer of %d goes on to who knows pages, if it may", async (status) => {
  web = () => {
    throw new BotError("fetch_failed", "refused", {
      say: { key: "fetch.status", params: { host: "x", status } },
    });
  };
  expect(await refusal("https://example.org/a")).toBe("fetch_failed fetch.status");
  pagesGoOn = true;
  expect(await refusal("https://example.org/a")).toBe(
    status === 404 ? "fetch_failed fetch.status" : "not_found play.not_found",
  );
});

test("what is too large is not kept", async () => {
  web = () => ({ what: "audio", text: "x".repeat(1001) });
  expect((await refusal("https://example.org/a.mp3")).split(" ")[0]).toBe("media_too_large");
  expect(await readdir(directory)).toEqual([]);
});

test("a long download is answered, goes on, and is there for who asks again", async () => {
  const slow = new FakePlane({ clock, latencyMs: 150_000 });
  const files = new FileCache({ directory, maxFileBytes: 1000, maxBytes: 5000, clock });
  const looks = new UrlFiles({ files, plane: slow, limits: new FetchLimits(), clock, log: silentLog });
  const asker = { room: "!room:example.org", sender: "@ada:example.org" };
  const options = { asker, patienceMs: 100_000, signal };
  const first = looks.look("https://example.org/a.mp3", options);
  first.catch(() => undefined);
  for (let i = 0; i < 500 && slow.requests.length === 0; i++)
    await new Promise((done) => setTimeout(done, 5));
  await clock.advance(100_000);
  await expect(first).rejects.toMatchObject({ code: "timeout", say: { key: "fetch.takes_long" } });
  const second = looks.look("https://example.org/a.mp3", options);
  await clock.advance(60_000);
  expect(await second).toMatchObject({ kind: "file" });
  expect(slow.requests).toHaveLength(1);
});

test("a download that nobody waits for any more ends, and leaves nothing behind", async () => {
  const slow = new FakePlane({ clock, latencyMs: 150_000 });
  const files = new FileCache({ directory, maxFileBytes: 1000, maxBytes: 5000, clock });
  const looks = new UrlFiles({ files, plane: slow, limits: new FetchLimits(), clock, log: silentLog });
  const leaving = [new AbortController(), new AbortController()];
  const asker = { room: "!room:example.org", sender: "@ada:example.org" };
  const both = leaving.map((leave) =>
    looks.look("https://example.org/a.mp3", { asker, patienceMs: 100_000, signal: leave.signal }),
  );
  const ends = both.map((each) => each.then(String, ({ code }: BotError) => code));
  for (let i = 0; i < 500 && slow.requests.length === 0; i++)
    await new Promise((done) => setTimeout(done, 5));
  leaving[0]?.abort();
  expect(await ends[0]).toBe("cancelled");
  expect((await readdir(directory)).length).toBe(1);
  leaving[1]?.abort();
  expect(await ends[1]).toBe("cancelled");
  for (let i = 0; i < 500 && (await readdir(directory)).length > 0; i++)
    await new Promise((done) => setTimeout(done, 5));
  expect(await readdir(directory)).toEqual([]);
});

test("an address that is asked for the next day is fetched anew, what waits in a queue is not", async () => {
  const url = "https://example.org/news.mp3";
  await play(url);
  clock.tick(12 * 3_600_000);
  await sources.open({ kind: "url", url }, signal);
  expect(fetched()).toHaveLength(1);
  await play(url);
  expect(fetched()).toHaveLength(2);
});

test("one person cannot have everything fetched", async () => {
  const refused: string[] = [];
  for (let i = 0; i < 20; i++)
    await play(`https://example.org/${i}.mp3`).catch((error: BotError) => refused.push(error.say.key));
  expect(refused).toEqual(Array.from({ length: 8 }, () => "fetch.too_many"));
  // Another one can.
  const ask: Ask = { kind: "words", text: "https://example.org/other.mp3" };
  await expect(sources.resolve(ask, signal, "@bob:example.org")).resolves.toBeTruthy();
});
