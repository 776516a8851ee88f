// Right after a start: what the last run knew of the media folder is answered before everything is listed again.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { NO_TAGS } from "../../../src/player/library/entry.ts";
import { TagCache } from "../../../src/player/library/tag-cache.ts";
import { Library } from "../../../src/player/resolver/library.ts";

let base: string;
let root: string;
let library: Library;

const start = (): Library => {
  const cache = new TagCache({ path: join(base, "library.db"), log: silentLog });
  const reader = {
    read: (_: string, paths: readonly string[]) => Promise.resolve(paths.map(() => NO_TAGS)),
    ...{ rest: () => undefined, close: () => undefined },
  };
  return new Library({ root, clock: systemClock, background: { log: silentLog, cache, reader } });
};
const play = (text: string): Promise<string> =>
  library.resolve({ kind: "words", text }).then(
    (found) => (found && "source" in found && "path" in found.source ? found.source.path : "?"),
    (error: { code: string }) => error.code,
  );

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "voicebot-kept-"));
  root = join(base, "media");
  // So many that listing them takes a while, and the wanted ones are in the last.
  for (let i = 0; i < 300; i++) await mkdir(join(root, `folder ${i}`), { recursive: true });
  await mkdir(join(root, "z"));
  for (const name of ["known song.mp3", "gone song.mp3"]) await writeFile(join(root, "z", name), "x");
  const cache = new TagCache({ path: join(base, "library.db"), log: silentLog });
  const stamp = { size: 1, mtimeMs: 1 };
  const tags = { ...NO_TAGS, title: "Anthem", artist: "Somebody", durationMs: 9_000 };
  cache.put([
    { path: "z/known song.mp3", ...stamp, tags },
    { path: "z/gone song.mp3", ...stamp, tags: NO_TAGS },
  ]);
  cache.close();
  await rm(join(root, "z", "gone song.mp3"));
  await writeFile(join(root, "z", "new song.mp3"), "x");
  library = start();
});
afterEach(async () => {
  library.close();
  await rm(base, { recursive: true, force: true });
});

test("a known name, and a known title, are answered before a new one is, and that one is all the same", async () => {
  const answers: string[] = [];
  const ask = (text: string): Promise<unknown> => play(text).then((path) => answers.push(path));
  await Promise.all([ask("new song"), ask("known song"), ask("anthem")]);
  expect(answers).toEqual(["z/known song.mp3", "z/known song.mp3", "z/new song.mp3"]);
});

test("a search answers with what is known", async () => {
  const listed = library.count().then(() => "listed");
  const found = library.search("anthem", 5).then(({ choices }) => choices[0]?.label ?? "nothing");
  expect(await Promise.race([listed, found])).toBe("Somebody – Anthem (0:09)");
  await listed;
});

test("what is gone is not taken for there", async () => {
  await expect(play("gone song")).resolves.toBe("not_found");
  await expect(play("z/gone song.mp3")).resolves.toBe("not_found");
});
