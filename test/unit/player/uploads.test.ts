import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { BotError } from "../../../src/base/errors.ts";
import { FileCache, UploadCache, type Bring, type FetchUpload } from "../../../src/player/resolver/cache.ts";
import { captionOf, decodeUpload, Uploads } from "../../../src/player/resolver/upload.ts";
import { FakeClock } from "../../fakes/clock.ts";

const signal = new AbortController().signal;
const audio = { msgtype: "m.audio", url: "mxc://example.org/abc", body: "song.mp3" };

let directory: string;
let clock: FakeClock;
let fetched: string[];
let size: number;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-cache-"));
  clock = new FakeClock();
  fetched = [];
  size = 100;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const fetchUpload: FetchUpload = async (mxc, { path }) => {
  fetched.push(mxc);
  await writeFile(path, Buffer.alloc(size));
};
const cacheOf = (fetch = fetchUpload): UploadCache =>
  new UploadCache({
    files: new FileCache({ directory, maxFileBytes: 150, maxBytes: 250, clock }),
    fetchUpload: fetch,
  });

test.each([
  [audio, true],
  [{ ...audio, msgtype: "m.file" }, true],
  [{ ...audio, msgtype: "m.file", body: "x", info: { mimetype: "audio/flac" } }, true],
  [{ ...audio, msgtype: "m.file", body: "notes.txt" }, false],
  [{ ...audio, msgtype: "m.file", body: "evening.M3U8" }, true],
  [{ ...audio, msgtype: "m.file", body: "x", info: { mimetype: "application/xspf+xml" } }, true],
  [{ ...audio, msgtype: "m.image" }, false],
  [{ ...audio, url: undefined, file: { url: "mxc://a/b" } }, false],
  [{ ...audio, url: "https://example.org/x.mp3" }, false],
  [{ ...audio, url: "mxc://example.org/../../x" }, false],
  [{ ...audio, info: "nonsense" }, true],
  ["nonsense", false],
])("content %j is an upload: %j", (content, is) => {
  expect(decodeUpload(content) !== null).toBe(is);
});

test("a caption is a body that is not the file's name", () => {
  expect(captionOf({ ...audio, filename: "song.mp3", body: "!play" })).toBe("!play");
  expect(captionOf({ ...audio, filename: "!play", body: "!play" })).toBeNull();
  expect(captionOf({ ...audio, body: "!play.mp3" })).toBeNull();
});

test("claims that cannot be are refused before anything is fetched", async () => {
  const uploads = new Uploads({ cache: cacheOf(), maxFileBytes: 150 });
  const ask = (info: object): Promise<unknown> => {
    const upload = decodeUpload({ ...audio, info });
    if (!upload) throw new Error("no upload");
    return uploads.resolve({ kind: "upload", upload }, signal);
  };
  await expect(ask({ size: 151 })).rejects.toMatchObject({
    code: "media_too_large",
    say: { key: "play.too_large" },
  });
  await expect(ask({ size: 0 })).rejects.toMatchObject({ say: { key: "play.empty_file" } });
  await expect(ask({ mimetype: "image/png" })).rejects.toMatchObject({ say: { key: "play.not_audio" } });
  expect(fetched).toEqual([]);
  await expect(ask({ size: 100 })).resolves.toMatchObject({ title: "song" });
});

test("a file larger than it claims is refused and removed", async () => {
  size = 151;
  await expect(cacheOf().file("mxc://a/b", signal)).rejects.toMatchObject({ code: "media_too_large" });
  expect(await readdir(directory)).toEqual([]);
});

test("nothing of the uploader's is in a name on disk; a second use and a use at the same time fetch nothing", async () => {
  const cache = cacheOf();
  const [one, two] = await Promise.all([cache.file("mxc://a/b", signal), cache.file("mxc://a/b", signal)]);
  expect(one).toBe(two);
  await cache.file("mxc://a/b", signal);
  expect(fetched).toHaveLength(1);
  expect(await readdir(directory)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

test("the least recently used go when there is too much", async () => {
  const cache = cacheOf();
  await cache.file("mxc://a/1", signal);
  clock.tick(5_000);
  await cache.file("mxc://a/2", signal);
  const soon = Date.now() + 60_000;
  clock.tick(soon - clock.wall());
  await cache.file("mxc://a/1", signal); // Used again.
  await cache.file("mxc://a/3", signal);
  expect(await readdir(directory)).toHaveLength(2);
  await cache.file("mxc://a/1", signal);
  expect(fetched).toEqual(["mxc://a/1", "mxc://a/2", "mxc://a/3"]);
});

test("a download that fails leaves nothing and can be tried again", async () => {
  const cache = cacheOf(async (mxc, options) => {
    await fetchUpload(mxc, options);
    if (fetched.length === 1) throw new Error("broken off");
  });
  await expect(cache.file("mxc://a/b", signal)).rejects.toThrow("broken off");
  expect(await readdir(directory)).toEqual([]);
  await expect(cache.file("mxc://a/b", signal)).resolves.toBeTruthy();
});

test("a disk that is nearly full gets no more files", async () => {
  const bounds: number[] = [];
  let free = 500e6;
  const files = new FileCache({
    ...{ directory, maxFileBytes: 150, maxBytes: 250, clock },
    freeBytes: () => Promise.resolve(free),
  });
  const bring: Bring = async ({ path, maxBytes }) => {
    bounds.push(maxBytes);
    await writeFile(path, "x");
  };
  await expect(files.file("a", bring, signal)).rejects.toMatchObject({ code: "disk_full" });
  expect(await readdir(directory)).toEqual([]);
  free += 100;
  await files.file("a", bring, signal);
  free += 100;
  await files.file("b", bring, signal);
  free = 0;
  await files.file("a", bring, signal);
  expect(bounds).toEqual([100, 150]);
});

test("a download goes on while anybody waits, ends with the last, and can be asked for again", async () => {
  const ended: string[] = [];
  const cache = cacheOf(async (mxc, options) => {
    await new Promise<void>((resolve) => {
      options.signal.addEventListener("abort", () => resolve());
      if (options.signal.aborted) resolve();
    });
    ended.push(mxc);
    throw new BotError("cancelled", "cancelled");
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const one = cache.file("mxc://a/b", first.signal);
  const two = cache.file("mxc://a/b", second.signal);
  first.abort();
  await expect(one).rejects.toMatchObject({ code: "cancelled" });
  expect(ended).toEqual([]);
  second.abort();
  await expect(two).rejects.toMatchObject({ code: "cancelled" });
  const third = new AbortController();
  const three = cache.file("mxc://a/b", third.signal);
  await new Promise((done) => setTimeout(done, 20));
  expect(ended).toEqual(["mxc://a/b"]);
  third.abort();
  await expect(three).rejects.toMatchObject({ code: "cancelled" });
});

test("what a run that was killed had begun to bring is removed; what is whole stays, and so does what is being brought", async () => {
  const files = (): FileCache => new FileCache({ directory, maxFileBytes: 150, maxBytes: 250, clock });
  const bring: Bring = ({ path }) => writeFile(path, Buffer.alloc(100));
  const whole = basename(await files().file("whole", bring, signal));
  await writeFile(join(directory, "0123.part"), Buffer.alloc(100));
  const next = files();
  await next.clear();
  expect(await readdir(directory)).toEqual([whole]);
  await next.file(
    "another",
    async (how) => {
      await bring(how);
      await next.clear();
    },
    signal,
  );
  expect(await readdir(directory)).toHaveLength(2);
  await new FileCache({ directory: join(directory, "none"), maxFileBytes: 1, maxBytes: 1, clock }).clear();
});
