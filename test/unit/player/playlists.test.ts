import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../../src/base/system-clock.ts";
import { BotError } from "../../../src/base/errors.ts";
import { render } from "../../../src/base/messages/catalogue.ts";
import { FileCache, UploadCache } from "../../../src/player/resolver/cache.ts";
import { Library } from "../../../src/player/resolver/library.ts";
import { Playlists } from "../../../src/player/resolver/playlists.ts";
import {
  NOBODY,
  Sources,
  type Ask,
  type Found,
  type FoundMany,
} from "../../../src/player/resolver/resolver.ts";
import { FakeClock } from "../../fakes/clock.ts";

const signal = new AbortController().signal;
let directory: string;
let asked: string[];
let uploaded: Record<string, string | Uint8Array>;
let library: Library;
let playlists: Playlists;
let sources: Sources;
/** What the addresses of these tests are; others are songs. */
let web: Record<string, (ask: Ask) => Promise<Found | FoundMany>>;

const song = (url: string): Found => ({ source: { kind: "upload", mxc: url }, title: url, durationMs: null });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-playlists-"));
  [asked, uploaded, web] = [[], {}, {}];
  openSources("media");
  for (const name of ["a.mp3", "Mixes/b.flac", "Mixes/c.ogg", "deep/er/d.mp3"])
    await put(`media/${name}`, "x");
});

function openSources(mediaFolder: string): void {
  const clock = systemClock;
  library = new Library({ root: join(directory, mediaFolder), clock });
  const kept = { directory: join(directory, "cache"), maxFileBytes: 1_000_000, maxBytes: 2_000_000, clock };
  const cache = new UploadCache({
    files: new FileCache(kept),
    fetchUpload: (mxc, { path }) => writeFile(path, uploaded[mxc] ?? ""),
  });
  playlists = new Playlists({
    ...{ library, uploads: cache, clock },
    address: (ask) => {
      const url = ask.kind === "words" ? ask.text : "";
      asked.push(url);
      return web[url]?.(ask) ?? Promise.resolve(song(url));
    },
  });
  sources = new Sources([playlists, library]);
}
afterEach(async () => {
  library.close();
  await rm(directory, { recursive: true, force: true });
});

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), text);
}

async function play(text: string): Promise<FoundMany> {
  const found = await sources.resolve({ kind: "words", text }, signal);
  if (!("items" in found)) throw new Error("one track");
  return found;
}

async function upload(text: string | Uint8Array, fileName = "evening.m3u"): Promise<FoundMany> {
  const mxc = `mxc://a/${Object.keys(uploaded).length}`;
  uploaded[mxc] = text;
  const claim = { mxc, fileName, size: null, mimeType: null, durationMs: null };
  return (await sources.resolve({ kind: "upload", upload: claim }, signal)) as FoundMany;
}

const paths = ({ items }: FoundMany): string[] =>
  items.map(({ source }) =>
    source.kind === "library" ? source.path : source.kind === "upload" ? source.mxc : "?",
  );
const why = ({ refused = [] }: FoundMany): unknown[] => refused.map(({ name, why }) => [name, why.key]);

test("a list of the media folder names files from its own folder on, up to the folder's bounds", async () => {
  const media = join(directory, "media");
  await writeFile(join(directory, "secret.mp3"), "x");
  await symlink(join(directory, "secret.mp3"), join(media, "link.mp3"));
  // The operator's name for the folder need not be its real one.
  await symlink(media, join(directory, "by-another-name"));
  library.close();
  openSources("by-another-name");
  const lines = [
    "b.flac",
    ".\\c.ogg",
    "../a.mp3",
    `${media}/deep/er/d.mp3`,
    `${directory}/by-another-name/a.mp3`,
  ];
  const bad = [
    "../../secret.mp3",
    "/etc/passwd",
    "file:///etc/passwd",
    "../link.mp3",
    "gone.mp3",
    "C:\\b.flac",
  ];
  await put("media/Mixes/evening.m3u", `#PLAYLIST:Evening\n${[...lines, ...bad].join("\n")}\n`);
  const found = await play("Mixes/evening.m3u");
  expect([found.title, paths(found)]).toEqual([
    "Evening",
    ["Mixes/b.flac", "Mixes/c.ogg", "a.mp3", "deep/er/d.mp3", "a.mp3"],
  ]);
  expect(why(found)).toEqual([
    ["secret.mp3", "playlist.why_outside"],
    ["passwd", "playlist.why_outside"],
    ["passwd", "playlist.why_scheme"],
    ["link.mp3", "playlist.why_missing"],
    ["gone.mp3", "playlist.why_missing"],
    ["b.flac", "playlist.why_outside"],
  ]);
  expect(asked).toEqual([]);
});

test("it is found by its name in any folder, and several of one name are told", async () => {
  await put("media/Mixes/Evening.m3u", "b.flac");
  expect(paths(await play("evening.M3U"))).toEqual(["Mixes/b.flac"]);
  await expect(play("morning.m3u")).rejects.toMatchObject({ say: { key: "playlist.not_found" } });
  await put("media/deep/evening.m3u", "er/d.mp3");
  expect(paths(await play("deep/evening.m3u"))).toEqual(["deep/er/d.mp3"]);
});

test("several playlists of one name are told apart by their paths", async () => {
  await put("media/Mixes/evening.m3u", "b.flac");
  await put("media/deep/evening.m3u", "er/d.mp3");
  await expect(play("evening.m3u")).rejects.toMatchObject({
    say: { key: "playlist.ambiguous", params: { names: "Mixes/evening.m3u\ndeep/evening.m3u" } },
  });
});

test.each(["../evening.m3u", "/etc/evening.m3u", "Mixes/../../evening.m3u", "x; rm -rf.m3u", ".hidden.m3u"])(
  "%s is no playlist of the folder",
  async (path) => {
    await put("evening.m3u", "a.mp3");
    await put("media/.hidden.m3u", "a.mp3");
    await expect(play(path)).rejects.toMatchObject({ say: { key: "playlist.not_found" } });
  },
);

test("an uploaded list: addresses are asked for, paths are those of the media folder", async () => {
  const text =
    "#EXTINF:7,One\nhttps://e.org/1.mp3\nMixes/b.flac\n/etc/x.mp3\nfile:///a.mp3\nftp://e.org/a.mp3\n";
  const found = await upload(text);
  expect(found).toMatchObject({ title: "evening", left: 0 });
  expect(found.items[0]).toMatchObject({ title: "One", durationMs: 7_000 });
  expect(paths(found)).toEqual(["https://e.org/1.mp3", "Mixes/b.flac"]);
  expect(why(found).map((pair) => (pair as string[])[1])).toEqual([
    ...["playlist.why_outside", "playlist.why_scheme", "playlist.why_scheme"],
  ]);
  expect(asked).toEqual(["https://e.org/1.mp3"]);
});

test("its order is kept however long each takes, and what fails is told with its own reason", async () => {
  web["https://e.org/1"] = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return song("https://e.org/1");
  };
  web["https://e.org/2"] = () =>
    Promise.reject(
      new BotError("fetch_refused", "x", { say: { key: "fetch.own_network", params: { host: "h" } } }),
    );
  const found = await upload([1, 2, 3, 4, 5].map((n) => `https://e.org/${n}`).join("\n"));
  expect(paths(found)).toEqual([1, 3, 4, 5].map((n) => `https://e.org/${n}`));
  expect(why(found)).toEqual([["2", "fetch.own_network"]]);
});

test("a playlist of playlists is read, one of those is not, and a circle ends", async () => {
  await put("media/one.m3u", "two.m3u\na.mp3");
  await put("media/two.m3u", "three.m3u\nMixes/b.flac");
  await put("media/three.m3u", "Mixes/c.ogg");
  const found = await play("one.m3u");
  expect(paths(found)).toEqual(["Mixes/b.flac", "a.mp3"]);
  expect(why(found)).toEqual([["three.m3u", "playlist.why_deep"]]);
  await put("media/circle.m3u", "circle.m3u\ncircle.m3u\na.mp3");
  expect(paths(await play("circle.m3u"))).toEqual(["a.mp3", "a.mp3", "a.mp3"]);
});

test("however lists stand in one another, no more than 500 entries are looked at", async () => {
  const inner = Array.from({ length: 400 }, (_, i) => `https://e.org/${i}.mp3`).join("\n");
  for (const n of [1, 2, 3]) await put(`media/${n}.m3u`, inner);
  await put("media/all.m3u", "1.m3u\n2.m3u\n3.m3u");
  const found = await play("all.m3u");
  expect(asked).toHaveLength(497);
  expect([found.items.length, found.left]).toEqual([497, 703]);
});

test("addresses that never answer end with their time, as the rest does", async () => {
  const clock = new FakeClock();
  const signals: AbortSignal[] = [];
  const slow = new Playlists({
    ...{ library, clock, uploads: { file: () => Promise.reject(new Error("none")) } },
    address: (_, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  const text = Array.from({ length: 9 }, (_, i) => `https://e.org/${i}`).join("\n");
  const playlist = {
    text: `${text}\na.mp3`,
    name: "x",
    format: null,
    from: null,
    within: null,
    asker: NOBODY,
  } as const;
  const reading = slow.read(playlist, signal).catch((error: unknown) => error);
  for (let i = 0; i < 10; i++) await Promise.resolve();
  await clock.advance(60_000);
  expect(await reading).toMatchObject({ code: "not_found", say: { key: "playlist.nothing" } });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true, true]);
});

test("nothing of it, or nothing in it: that is what is said, in the language of the room", async () => {
  await expect(upload("# nothing\n")).rejects.toMatchObject({ say: { key: "playlist.empty" } });
  const error = await upload("/a.mp3\nfile:///b.mp3\n").catch((thrown: unknown) => thrown);
  const { text } = render((error as BotError).say, "de");
  expect(text).toBe(
    "Nichts aus evening ließ sich verwenden:\na.mp3: liegt außerhalb des Medienordners\nb.mp3: Adressen mit file öffne ich nicht",
  );
});

test("an upload that only claims to be one, or is too long, is refused", async () => {
  await expect(upload(Buffer.from([0x49, 0x44, 0x33, 0, 1]))).rejects.toMatchObject({
    say: { key: "playlist.damaged" },
  });
  await expect(upload("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n0.ts\n")).rejects.toMatchObject({
    say: { key: "playlist.is_stream" },
  });
  await expect(upload("x".repeat(1_000_001))).rejects.toMatchObject({ code: "media_too_large" });
});
