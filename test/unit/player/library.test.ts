import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBotError, type BotError } from "../../../src/base/errors.ts";
import { Library } from "../../../src/player/resolver/library.ts";
import { Catalogue } from "../../../src/player/library/catalogue.ts";
import { fold } from "../../../src/player/library/fold.ts";
import { matchNames, type NameMatch } from "../../../src/player/resolver/match.ts";
import { FakeClock } from "../../fakes/clock.ts";

let base: string;
let root: string;
let clock: FakeClock;
let library: Library;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "voicebot-library-"));
  root = join(base, "media");
  await mkdir(join(root, "Beethoven"), { recursive: true });
  await mkdir(join(root, ".hidden"));
  await mkdir(join(base, "media-other"));
  for (const file of [
    "media/first-light.mp3",
    "media/Beethoven/Für Élise.FLAC",
    "media/Beethoven/Mondschein (live).ogg",
    "media/.secret.mp3",
    "media/.hidden/x.mp3",
    "media/notes.txt",
    "outside.mp3",
    "media-other/sibling.mp3",
  ]) {
    await writeFile(join(base, file), "x");
  }
  await symlink("/etc/passwd", join(root, "passwd.mp3"));
  await symlink(join(base, "outside.mp3"), join(root, "out.mp3"));
  await symlink(base, join(root, "up"));
  await symlink(join(root, "first-light.mp3"), join(root, "alias.mp3"));
  await symlink(join(root, "notes.txt"), join(root, "notes.mp3"));
  await symlink(join(root, ".secret.mp3"), join(root, "secret.mp3"));
  await symlink(join(root, "loop.mp3"), join(root, "loop.mp3"));
  await mkdir(join(root, "folder.mp3"));
  clock = new FakeClock();
  library = new Library({ root, clock });
});
afterEach(() => rm(base, { recursive: true, force: true }));

const ask = (text: string): Promise<string | undefined> =>
  library
    .resolve({ kind: "words", text })
    .then((found) =>
      found && "source" in found && found.source.kind === "library" ? found.source.path : undefined,
    );
const refusal = (work: Promise<unknown>): Promise<BotError> =>
  work.then(() => Promise.reject(new Error("was allowed")), toBotError);

test.each([
  "../outside.mp3",
  "Beethoven/../../outside.mp3",
  "up/outside.mp3",
  "../media-other/sibling.mp3",
  "/etc/passwd",
  "passwd.mp3",
  "out.mp3",
  ".secret.mp3",
  ".hidden/x.mp3",
  "secret.mp3",
  "notes.txt",
  "notes.mp3",
  "loop.mp3",
  "folder.mp3",
  "first-light.mp3\u0000.txt",
  "first-light.mp3/",
  "./first-light.mp3",
  "Beethoven//Für Élise.FLAC",
  "..\\outside.mp3",
  "file:///etc/passwd",
  "~/x.mp3",
])("nobody gets %j", async (path) => {
  const opened = await refusal(library.open({ kind: "library", path }));
  expect(opened.code).toBe("not_found");
  const found = await ask(path).catch((error: unknown) => toBotError(error).code);
  // A name may be like one of ours; what comes then is ours.
  expect(["not_found", "ambiguous", "first-light.mp3", "alias.mp3", "Beethoven/Für Élise.FLAC"]).toContain(
    found,
  );
});

test.each([
  ["first-light.mp3", "first-light.mp3"],
  ["first-light", "first-light.mp3"],
  ["FIRST LIGHT", "first-light.mp3"],
  ["Beethoven/Für Élise.FLAC", "Beethoven/Für Élise.FLAC"],
  ["für elise", "Beethoven/Für Élise.FLAC"],
  ["fur elise", "Beethoven/Für Élise.FLAC"],
  ["elise", "Beethoven/Für Élise.FLAC"],
  ["beethoven mondschein", "Beethoven/Mondschein (live).ogg"],
  ["mondsch", "Beethoven/Mondschein (live).ogg"],
  ["alias", "alias.mp3"],
])("%j is %j", async (query, path) => {
  await expect(ask(query)).resolves.toBe(path);
});

test("several that match, and none that does, are answered with the nearest", async () => {
  const several = await refusal(ask("beethoven"));
  expect(several).toMatchObject({ code: "ambiguous", say: { key: "play.ambiguous", params: { count: 2 } } });
  expect(several.say.params?.["names"]).toContain("Für Élise");
  const none = await refusal(ask("mondschien"));
  expect(none.say).toMatchObject({ key: "play.not_found_nearest" });
  expect(none.say.params?.["names"]).toContain("Mondschein (live)");
  expect((await refusal(ask("qqqq"))).say.key).toBe("play.not_found");
});

test("a new file is found by name after the listing was refreshed, and by path at once", async () => {
  await refusal(ask("brand new"));
  await writeFile(join(root, "brand new.mp3"), "x");
  await expect(ask("brand new.mp3")).resolves.toBe("brand new.mp3");
  await refusal(ask("brand new"));
  clock.tick(20_000);
  await expect(ask("brand new")).resolves.toBe("brand new.mp3");
});

test("a folder with a slash behind it is all that may be played of it, in order; another is not", async () => {
  await writeFile(join(root, "Beethoven", "10.mp3"), "x");
  await writeFile(join(root, "Beethoven", "9.mp3"), "x");
  await symlink("/etc/passwd", join(root, "Beethoven", "11.mp3"));
  const many = await library.resolve({ kind: "words", text: "beethoven/" });
  expect(many).toMatchObject({ title: "Beethoven" });
  expect(many && "items" in many ? many.items.map(({ title }) => title) : []).toEqual([
    ...["9", "10", "Für Élise", "Mondschein (live)"],
  ]);
  for (const text of ["../media-other/", "/etc/", ".hidden/", "up/", "nowhere/", "/", "../"]) {
    const refused = await refusal(library.resolve({ kind: "words", text }));
    expect([text, refused.say.key]).toEqual([text, "play.no_folder"]);
  }
  for (const folder of ["One", "Two"]) {
    await mkdir(join(root, folder, "Mozart"), { recursive: true });
    await writeFile(join(root, folder, "Mozart", "1.mp3"), "x");
  }
  clock.tick(20_000);
  await expect(refusal(library.resolve({ kind: "words", text: "mozart/" }))).resolves.toMatchObject({
    say: { key: "play.ambiguous_folder", params: { count: 2, names: "One/Mozart/\nTwo/Mozart/" } },
  });
});

test("a search lists what there is, the best first, and shows one line for each whatever it is called", async () => {
  await writeFile(join(root, "first\n2. light (again).mp3"), "x");
  const { choices, more } = await library.search("first light", 2);
  expect(choices.map(({ label }) => label)).toEqual(["first-light", "first 2. light (again)"]);
  expect(choices[0]?.found).toMatchObject({ source: { path: "first-light.mp3" }, durationMs: null });
  expect(more).toBe(false);
  expect(await library.search("mp3", 2)).toMatchObject({ more: true });
});

test("a file that became a link to the outside while it waited is not opened", async () => {
  await expect(library.open({ kind: "library", path: "first-light.mp3" })).resolves.toMatchObject({
    path: expect.stringMatching(/first-light\.mp3$/),
  });
  await rename(join(root, "first-light.mp3"), join(root, "moved.mp3"));
  await symlink("/etc/hostname", join(root, "first-light.mp3"));
  expect((await refusal(library.open({ kind: "library", path: "first-light.mp3" }))).say.key).toBe(
    "play.file_gone",
  );
});

test("a folder that is not there finds nothing and does no harm", async () => {
  const nowhere = new Library({ root: join(base, "nowhere"), clock });
  await expect(nowhere.resolve({ kind: "words", text: "x" })).rejects.toMatchObject({ code: "not_found" });
});

const match = (query: string, paths: readonly string[]): NameMatch => {
  const catalogue = new Catalogue();
  for (const path of paths) catalogue.put({ path, size: 1, mtimeMs: 1, tags: null });
  return matchNames(query, catalogue);
};

test("folding and matching do not mind strange input", () => {
  expect(fold("Straße – ÉTÉ_2")).toBe("strasse ete 2");
  expect(match("()[].*+", ["a.mp3"])).toEqual({ kind: "none", nearest: [] });
  expect(match("x".repeat(5_000), ["a.mp3"]).kind).toBe("none");
});

test("a thousand words are looked for in five thousand names at once", async () => {
  const paths = Array.from(
    { length: 5_000 },
    (_, i) => `Artist ${i % 300}/Album ${i % 1500}/${i} - A long song ${i}.mp3`,
  );
  const catalogue = new Catalogue();
  for (const path of paths) catalogue.put({ path, size: 1, mtimeMs: 1, tags: null });
  const queries = [
    "ong ".repeat(250),
    "song ".repeat(200),
    Array.from({ length: 300 }, (_, i) => `s${i}`).join(" "),
  ];
  // Eight seconds of the whole bot each, once.
  for (const query of queries) expect(matchNames(query, catalogue).kind).not.toBe("one");
  await new Promise((resolve) => setTimeout(resolve, 1)); // the time-out has its say
});
