import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { FetchLimits } from "../../src/fetch/limits.ts";
import { FileCache } from "../../src/player/resolver/cache.ts";
import { Sources, type Found } from "../../src/player/resolver/resolver.ts";
import { Ytdlp } from "../../src/player/resolver/ytdlp.ts";
import { YtdlpFinder } from "../../src/player/ytdlp/program.ts";
import { decodeFile } from "../support/decode.ts";
import { dominantFrequency } from "../support/measure.ts";
import { serveWeb, type Web } from "../support/web.ts";
import { realYtdlp } from "../support/ytdlp.ts";

/** The real yt-dlp against a server of the test's own, by its extractor for pages of any site. */
const signal = new AbortController().signal;
const MAX_BYTES = 200_000;
let directory: string;
let web: Web;
let sources: Sources;

const page = (title: string, body: string): string =>
  `<!doctype html><html><head><title>${title}</title></head><body>${body}</body></html>`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ytdlp-"));
  const run = promisify(execFile);
  for (const [name, hz, seconds] of [
    ["440.mp3", 440, 3],
    ["660.mp3", 660, 2],
    ["long.wav", 440, 4],
  ] as const) {
    const tone = ["-f", "lavfi", "-i", `sine=${hz}:d=${seconds}`];
    await run("ffmpeg", ["-v", "error", ...tone, join(directory, name)]);
  }
  const hls = ["-c:a", "aac", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
  await run("ffmpeg", [
    ...["-v", "error", "-f", "lavfi", "-i", "sine=550:d=2.5", ...hls],
    join(directory, "hls.m3u8"),
  ]);
  const files: Record<string, Buffer> = {};
  for (const name of await readdir(directory)) files[`/${name}`] = await readFile(join(directory, name));
  const pages: Record<string, () => string> = {
    "/song": () => page("../../song", `<audio src="/440.mp3"></audio>`),
    "/album": () =>
      page("../../x; rm -rf ~ &amp; $(id)", `<audio src="/440.mp3"></audio><audio src="/660.mp3"></audio>`),
    "/inside": () => page("Inside", `<audio src="http://127.0.0.2:${web.port}/440.mp3"></audio>`),
    "/film": () => page("Film", `<video src="/hls.m3u8"></video>`),
    "/large": () => page("Large", `<audio src="/long.wav"></audio>`),
  };
  web = await serveWeb((request, response) => {
    const path = request.url ?? "";
    const file = files[path];
    if (path === "/away")
      response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end();
    else if (file)
      response.writeHead(200, { "content-type": "audio/mpeg", "content-length": file.length }).end(file);
    else response.writeHead(pages[path] ? 200 : 404, { "content-type": "text/html" }).end(pages[path]?.());
  });
  const files_ = new FileCache({
    ...{ directory: join(directory, "cache"), maxFileBytes: MAX_BYTES, maxBytes: 10e6, clock: systemClock },
  });
  const ytdlp = new Ytdlp({
    ...{ finder: new YtdlpFinder(realYtdlp(), systemClock), service: null, files: files_ },
    ...{ workDirectory: join(directory, "work"), policy: { allowHttp: true, allow: ["127.0.0.1"] } },
    ...{ limits: new FetchLimits(), clock: systemClock, log: silentLog },
  });
  sources = new Sources([ytdlp]);
});
afterAll(async () => {
  await web.close();
  await rm(directory, { recursive: true });
});

const at = (path: string, item?: number): Found["source"] => ({
  ...{ kind: "ytdlp", url: web.url(path) },
  ...(item !== undefined && { item }),
});

async function heard(source: Found["source"]): Promise<{ hz: number; ms: number }> {
  const opened = await sources.open(source, signal);
  if (!("path" in opened)) throw new Error("no file");
  const { samples } = await decodeFile(opened.path);
  return { hz: Math.round(dominantFrequency(samples.subarray(0, 48_000), 48_000)), ms: samples.length / 48 };
}

test("a page with several is a list, whose names are text, and each of which plays", async () => {
  const found = await sources.resolve({ kind: "words", text: web.url("/album") }, signal);
  if (!("items" in found)) throw new Error("one");
  expect(found).toMatchObject({ title: expect.stringContaining("rm -rf ~ & $(id)"), refused: [], left: 0 });
  expect(found.items.map(({ source }) => source)).toEqual([at("/album", 1), at("/album", 2)]);
  expect(await heard(at("/album", 2))).toMatchObject({ hz: 660 });
});

test("a page with one plays: its sound is a file of the cache, and nothing else stays", async () => {
  const { hz, ms } = await heard(at("/song"));
  expect(hz).toBe(440);
  expect(Math.abs(ms - 3_000)).toBeLessThan(60);
  for (const name of await readdir(join(directory, "cache"))) expect(name).toMatch(/^[0-9a-f]{64}$/);
  expect(await readdir(join(directory, "work"))).toEqual([]);
});

test("a page whose sound comes in pieces plays, without another program", async () => {
  expect(await heard(at("/film"))).toMatchObject({ hz: 550 });
});

test("it gets nowhere that the guard forbids, neither by a redirect nor by what a page names", async () => {
  const failure = (source: Found["source"]): Promise<unknown> =>
    heard(source).catch((error: unknown) => error);
  const refusal = { code: "fetch_refused", say: { key: "fetch.own_network" } };
  expect(await Promise.all([failure(at("/away")), failure(at("/inside"))])).toMatchObject([refusal, refusal]);
  expect(new Set(web.reachedAt)).toEqual(new Set(["127.0.0.1"]));
});

test("what is too large is told", async () => {
  await expect(heard(at("/large"))).rejects.toMatchObject({ say: { key: "ytdlp.no_file" } });
});
