import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { FetchLimits } from "../../../src/fetch/limits.ts";
import { FileCache } from "../../../src/player/resolver/cache.ts";
import { Library } from "../../../src/player/resolver/library.ts";
import { Playlists } from "../../../src/player/resolver/playlists.ts";
import { Sources, type FoundMany } from "../../../src/player/resolver/resolver.ts";
import { UrlFiles } from "../../../src/player/resolver/url-files.ts";
import { Urls } from "../../../src/player/resolver/urls.ts";
import { FakePlane } from "../../fakes/plane.ts";

/** Playlists of the web, by the resolvers together as the bot has them. */
const signal = new AbortController().signal;
let directory: string;
let lists: Record<string, string>;
let plane: FakePlane;
let library: Library;
let sources: Sources;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-lists-"));
  lists = {};
  const clock = systemClock;
  plane = new FakePlane({
    clock,
    webOf: (url) => ({
      what: "text",
      text: lists[new URL(url).pathname] ?? "",
      contentType: "audio/x-mpegurl",
    }),
  });
  library = new Library({ root: join(directory, "media"), clock });
  const files = new FileCache({
    directory: join(directory, "files"),
    maxFileBytes: 1e5,
    maxBytes: 1e6,
    clock,
  });
  const playlists = new Playlists({
    ...{ library, clock, uploads: { file: () => Promise.reject(new Error("no uploads")) } },
    address: (ask, signal, asker) => sources.resolveFor(asker, ask, signal),
  });
  const urls = new Urls({
    files: new UrlFiles({ files, plane, limits: new FetchLimits(), clock, log: silentLog }),
    policy: { allowHttp: false, allow: [] },
    clock,
    playlist: (playlist, signal) => playlists.read(playlist, signal),
  });
  sources = new Sources([urls, playlists, library]).of("!room:example.org");
});
afterEach(async () => {
  library.close();
  await plane.close();
  await rm(directory, { recursive: true, force: true });
});

const play = (path: string): Promise<FoundMany> =>
  sources.resolve(
    { kind: "words", text: `https://example.org${path}` },
    signal,
    "@ada:example.org",
  ) as Promise<FoundMany>;
const fetched = (): string[] =>
  plane.requests.flatMap((request) => (request.kind === "fetch.file" ? [new URL(request.url).pathname] : []));

test("a playlist of playlists is read, one of those is not even fetched, and a circle ends", async () => {
  lists = { "/1.m3u": "2.m3u\na.mp3", "/2.m3u": "3.m3u\nb.mp3", "/3.m3u": "c.mp3" };
  const found = await play("/1.m3u");
  expect(found.items.map(({ title }) => title)).toEqual(["b", "a"]);
  expect(found.refused).toEqual([{ name: "3.m3u", why: { key: "playlist.why_deep" } }]);
  lists["/circle.m3u"] = "circle.m3u\na.mp3";
  expect((await play("/circle.m3u")).items).toHaveLength(2);
});

test("a playlist cannot have more playlists fetched than its asker may", async () => {
  lists = { "/all.m3u": Array.from({ length: 400 }, (_, i) => `${i}.m3u`).join("\n") };
  for (let i = 0; i < 400; i++) lists[`/${i}.m3u`] = `https://example.org/${i}.mp3`;
  const found = await play("/all.m3u");
  expect(fetched().length).toBeLessThan(20);
  expect(found.items.length + (found.refused?.length ?? 0)).toBe(400 - (found.left ?? 0));
  expect(found.refused?.at(-1)?.why).toMatchObject({ key: "fetch.too_many" });
});

test("entries that lead inside, or to files, are refused and not fetched", async () => {
  lists = { "/a.m3u": "file:///etc/passwd\n/ok.mp3\nhttp://example.org/plain.mp3\nftp://example.org/x.mp3" };
  const found = await play("/a.m3u");
  expect(found.items.map(({ title }) => title)).toEqual(["ok"]);
  expect(found.refused?.map(({ why }) => why.key)).toEqual([
    ...["playlist.why_scheme", "fetch.http", "playlist.why_scheme"],
  ]);
  expect(fetched()).toEqual(["/a.m3u"]);
});
