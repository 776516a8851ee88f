import { jest } from "@jest/globals";
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { findFfmpeg } from "../../src/media/audio/ffmpeg-path.ts";
import { NO_TAGS, type Tags } from "../../src/player/library/entry.ts";
import { MediaFolder } from "../../src/player/library/folder.ts";
import { TagCache } from "../../src/player/library/tag-cache.ts";
import { ChildTagReader } from "../../src/player/library/tag-reader.ts";

/** What the tag child reads of real files, and of those that are none. */
jest.setTimeout(60_000);
const run = promisify(execFile);
const GOOD = ["a.mp3", "b.flac", "c.ogg", "d.opus", "e.m4a", "f.wav", "g.webm", "h.wma", "i.aiff"];
const TAGS = { title: "Für Élise", artist: "Ludwig", album: "Bagatellen" };

let root: string;
let reader: ChildTagReader;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tags-"));
  const given = Object.entries(TAGS).flatMap(([name, value]) => ["-metadata", `${name}=${value}`]);
  const sound = ["-v", "error", "-f", "lavfi", "-i", "sine=440:duration=2"];
  const own = (name: string): string[] => (name.endsWith(".aiff") ? ["-write_id3v2", "1"] : []);
  const outputs = GOOD.flatMap((name) => ["-map", "0", ...given, ...own(name), join(root, name)]);
  await run(await findFfmpeg(null), [...sound, ...outputs]);
  await writeFile(join(root, "empty.mp3"), "");
  await writeFile(join(root, "noise.flac"), Buffer.alloc(5_000, 0x5a));
  await writeFile(
    join(root, "broken.m4a"),
    Buffer.from("00000018667479704d344120ffffffff6d6f6f76ffffffff", "hex"),
  );
  await symlink("/etc/passwd", join(root, "outside.mp3"));
});
beforeEach(() => (reader = new ChildTagReader(systemClock)));
afterEach(() => reader.close());
afterAll(() => rm(root, { recursive: true, force: true }));

test("title, artist, album and length of each format; nothing of what is broken or lies outside", async () => {
  const bad = ["empty.mp3", "noise.flac", "broken.m4a", "outside.mp3", "../etc/passwd.mp3", "gone.mp3"];
  const tags = await reader.read(root, [...GOOD, ...bad]);
  const about = (seconds: number, { durationMs }: Tags): boolean =>
    durationMs !== null && Math.abs(durationMs - seconds * 1000) < 150;
  const good = tags.slice(0, GOOD.length);
  expect(good.map(({ title, artist }, i) => [GOOD[i], title, artist])).toEqual(
    GOOD.map((name) => [name, TAGS.title, TAGS.artist]),
  );
  expect(good.map((each, i) => [GOOD[i], about(2, each)])).toEqual(GOOD.map((name) => [name, true]));
  expect(tags.slice(GOOD.length)).toEqual(bad.map(() => NO_TAGS));
});

test("a child that ends in the middle costs nothing but time, and one that nobody needs ends", async () => {
  const first = reader.read(root, GOOD.slice(0, 3));
  reader.rest();
  expect((await first).map(({ title }) => title)).toEqual([TAGS.title, TAGS.title, TAGS.title]);
  reader.close();
  await expect(reader.read(root, ["a.mp3"])).rejects.toMatchObject({ code: "cancelled" });
});

test("the folder is indexed in the background and found by its tags", async () => {
  const cache = new TagCache({ path: join(root, ".cache", "library.db"), log: silentLog });
  const folder = new MediaFolder({ root, clock: systemClock, background: { log: silentLog, reader, cache } });
  folder.start();
  await folder.settled();
  expect(folder.catalogue.search("elise bagatellen flac", 5).hits.map(({ entry }) => entry.path)[0]).toBe(
    "b.flac",
  );
  expect(folder.catalogue.search("noise", 5).hits[0]?.entry.tags).toEqual(NO_TAGS);
  folder.close();
});
