import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { NO_TAGS, type Tags } from "../../../src/player/library/entry.ts";
import { MediaFolder } from "../../../src/player/library/folder.ts";
import { TagCache } from "../../../src/player/library/tag-cache.ts";
import type { TagReader } from "../../../src/player/library/tag-reader.ts";

let base: string;
let root: string;
let folder: MediaFolder | null = null;

/** Real time, but for waits: a twentieth of them. */
const clock: Clock = { ...systemClock, timer: (delayMs, run) => systemClock.timer(delayMs / 20, run) };

/** Says that each file has its own path as the title. */
class PathReader implements TagReader {
  readonly asked: string[] = [];

  read(_root: string, paths: readonly string[]): Promise<Tags[]> {
    this.asked.push(...paths);
    return Promise.resolve(paths.map((path) => ({ ...NO_TAGS, title: `title of ${path}` })));
  }

  rest(): void {}

  close(): void {}
}

function open(): PathReader {
  const reader = new PathReader();
  const cache = new TagCache({ path: join(base, "cache", "library.db"), log: silentLog });
  folder = new MediaFolder({ root, clock, background: { log: silentLog, reader, cache } });
  folder.start();
  return reader;
}

const paths = (): string[] => [...(folder?.catalogue.entries() ?? [])].map(({ path }) => path).sort();
const titles = (): string[] =>
  [...(folder?.catalogue.entries() ?? [])].map(({ tags }) => tags?.title ?? "unread").sort();

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 20));
}

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "voicebot-folder-"));
  root = join(base, "media");
  await mkdir(join(root, "one", "deep"), { recursive: true });
  await writeFile(join(root, "a.mp3"), "x");
  await writeFile(join(root, "one", "b.mp3"), "x");
  await writeFile(join(root, "one", "deep", "c.mp3"), "x");
});
afterEach(async () => {
  folder?.close();
  folder = null;
  await rm(base, { recursive: true, force: true });
});

test("tags are read once, and again only of what has changed", async () => {
  const first = open();
  await folder?.settled();
  expect(first.asked.sort()).toEqual(["a.mp3", "one/b.mp3", "one/deep/c.mp3"]);
  expect(titles()).toEqual(["title of a.mp3", "title of one/b.mp3", "title of one/deep/c.mp3"]);
  folder?.close();
  await writeFile(join(root, "a.mp3"), "longer");
  const past = new Date("2020-01-01");
  await utimes(join(root, "one", "b.mp3"), past, past);
  await rm(join(root, "one", "deep"), { recursive: true });
  const second = open();
  await folder?.settled();
  expect(second.asked.sort()).toEqual(["a.mp3", "one/b.mp3"]);
  expect(titles()).toEqual(["title of a.mp3", "title of one/b.mp3"]);
  folder?.close();
  const kept = new DatabaseSync(join(base, "cache", "library.db"));
  expect(kept.prepare("SELECT path FROM files ORDER BY path").all()).toEqual([
    { path: "a.mp3" },
    { path: "one/b.mp3" },
  ]);
  kept.close();
});

test("a damaged cache is made anew", async () => {
  await mkdir(join(base, "cache"));
  await writeFile(
    join(base, "cache", "library.db"),
    "this is no database, and long enough to be taken for one",
  );
  open();
  await folder?.settled();
  folder?.close();
  const again = open();
  await folder?.settled();
  expect(again.asked).toEqual([]);
  expect(titles()).toHaveLength(3);
});

test("what is new, written to, moved and removed is noticed, in new folders too", async () => {
  const reader = open();
  await folder?.settled();
  await writeFile(join(root, "new.mp3"), "x");
  await mkdir(join(root, "two", "deep"), { recursive: true });
  await writeFile(join(root, "two", "deep", "d.mp3"), "x");
  await writeFile(join(root, "one", "b.mp3"), "written to");
  await rm(join(root, "a.mp3"));
  await rename(join(root, "one", "deep"), join(root, "elsewhere"));
  const now = ["elsewhere/c.mp3", "new.mp3", "one/b.mp3", "two/deep/d.mp3"];
  await until(() => paths().join() === now.join() && !titles().includes("unread"));
  expect(titles()).toEqual(now.map((path) => `title of ${path}`));
  expect(reader.asked.filter((path) => path === "one/b.mp3").length).toBeGreaterThan(1);
  // The new folders are watched as well.
  await writeFile(join(root, "two", "deep", "e.mp3"), "x");
  await rm(join(root, "elsewhere"), { recursive: true });
  await until(() => paths().join() === ["new.mp3", "one/b.mp3", "two/deep/d.mp3", "two/deep/e.mp3"].join());
});

test("a file that is written to while it is read is read once more", async () => {
  await rm(join(root, "one"), { recursive: true });
  const reader = open();
  const answer = reader.read.bind(reader);
  let size = 0;
  reader.read = async (from, asked) => {
    const answers = await answer(from, asked);
    if (reader.asked.length > 1) return answers;
    await writeFile(join(root, "a.mp3"), "written to");
    await until(() => (size = folder?.catalogue.get("a.mp3")?.size ?? 0) > 1);
    return answers.map((tags) => ({ ...tags, title: "of before" }));
  };
  await until(() => titles().join() === "title of a.mp3");
  expect([size, reader.asked]).toEqual([10, ["a.mp3", "a.mp3"]]);
});

test("a folder that goes away as a whole leaves nothing but what was read of it", async () => {
  open();
  await folder?.settled();
  await rename(root, `${root}-unplugged`);
  await until(() => paths().length === 0);
  folder?.close();
  await rename(`${root}-unplugged`, root);
  const again = open();
  await folder?.settled();
  expect(again.asked).toEqual([]);
  expect(paths()).toHaveLength(3);
});
