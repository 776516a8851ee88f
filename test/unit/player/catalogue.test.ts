import fc from "fast-check";
import { Catalogue } from "../../../src/player/library/catalogue.ts";
import { distanceWithin, letters, mayBeWithin } from "../../../src/player/library/distance.ts";
import { NO_TAGS, type Tags } from "../../../src/player/library/entry.ts";
import { filesOf, labelOf, matchFolders, matchNames } from "../../../src/player/resolver/match.ts";

function catalogueOf(files: Record<string, Partial<Tags> | null>): Catalogue {
  const catalogue = new Catalogue();
  for (const [path, tags] of Object.entries(files))
    catalogue.put({ path, size: 1, mtimeMs: 1, tags: tags && { ...NO_TAGS, ...tags } });
  return catalogue;
}

const music = catalogueOf({
  "beatles/help/01.mp3": { title: "Help!", artist: "The Beatles", album: "Help!", durationMs: 138_000 },
  "beatles/help/07 Ticket.mp3": { title: "Ticket to Ride", artist: "The Beatles", album: "Help!" },
  "beatles/abbey road/07.mp3": { title: "Here Comes the Sun", artist: "The Beatles", album: "Abbey Road" },
  "misc/sun king.ogg": null,
  "misc/Für Élise.flac": { artist: "Beethoven" },
  "misc/track 10.mp3": null,
  "misc/track 2.mp3": null,
});
const one = (query: string): string | null => {
  const match = matchNames(query, music);
  return match.kind === "one" ? match.entry.path : null;
};
const near = (query: string): string[] => music.search(query, 10).hits.map(({ entry }) => entry.path);

test.each([
  ["help", "beatles/help/01.mp3"],
  ["The Beatles - Help!", "beatles/help/01.mp3"],
  ["beatles sun", "beatles/abbey road/07.mp3"],
  ["abbey sun", "beatles/abbey road/07.mp3"],
  ["sun king", "misc/sun king.ogg"],
  ["ticket", "beatles/help/07 Ticket.mp3"],
  ["tick rid", "beatles/help/07 Ticket.mp3"],
  ["beethoven elise", "misc/Für Élise.flac"],
  ["track 2", "misc/track 2.mp3"],
])("%j is %j, by title, artist, album and name of the file", (query, path) => {
  expect(one(query)).toBe(path);
});

test.each([
  ["beetoven", "misc/Für Élise.flac"],
  ["tikcet to ride", "beatles/help/07 Ticket.mp3"],
  ["here coms the snu", "beatles/abbey road/07.mp3"],
  ["sunking", "misc/sun king.ogg"],
])("%j, with typing errors, is near to %j, and not taken for it", (query, path) => {
  expect(one(query)).toBeNull();
  expect(near(query)[0]).toBe(path);
});

test("what stands in the title comes before what stands elsewhere", () => {
  expect(near("help").slice(0, 2)).toEqual(["beatles/help/01.mp3", "beatles/help/07 Ticket.mp3"]);
  expect(near("nothing like it")).toEqual([]);
  const helpers = catalogueOf({
    "a.mp3": { title: "Other", artist: "Help Band" },
    "b.mp3": { title: "Something", album: "Help wanted" },
    "much/longer/c.mp3": { title: "Help me" },
  });
  expect(helpers.search("help", 3).hits.map(({ entry }) => entry.path)).toEqual([
    ...["much/longer/c.mp3", "a.mp3", "b.mp3"],
  ]);
  expect(matchNames("help", helpers)).toMatchObject({ kind: "one", entry: { path: "much/longer/c.mp3" } });
});

test("a file is found by what it says now, and not at all when it is gone", () => {
  const catalogue = catalogueOf({ "a.mp3": { title: "first" } });
  catalogue.put({ path: "a.mp3", size: 2, mtimeMs: 2, tags: { ...NO_TAGS, title: "second" } });
  expect(catalogue.search("first", 5).hits).toEqual([]);
  expect(catalogue.search("second", 5).count).toBe(1);
  catalogue.remove("a.mp3");
  expect(catalogue.search("second", 5).hits).toEqual([]);
  expect(catalogue.size).toBe(0);
});

test("ten thousand changes leave no more than there is", () => {
  const catalogue = catalogueOf({ "stays.mp3": null });
  for (let i = 0; i < 10_000; i++)
    catalogue.put({ path: `changes ${i % 3}.mp3`, size: i, mtimeMs: i, tags: null });
  expect(catalogue.size).toBe(4);
  expect(catalogue.search("changes", 10).count).toBe(3);
  expect(catalogue.search("stays", 10).count).toBe(1);
});

test("folders are found by path and name, and their files come in the order of their numbers", () => {
  expect(matchFolders("beatles/help", music)).toEqual(["beatles/help"]);
  expect(matchFolders("Abbey Road", music)).toEqual(["beatles/abbey road"]);
  expect(matchFolders("beatles", music)).toEqual(["beatles"]);
  expect(matchFolders("nowhere", music)).toEqual([]);
  expect(filesOf("misc", music, 500).map(({ path }) => path)).toEqual([
    "misc/Für Élise.flac",
    "misc/sun king.ogg",
    "misc/track 2.mp3",
    "misc/track 10.mp3",
  ]);
  expect(filesOf("beatles", music, 500)).toHaveLength(3);
});

test("of a folder with more files than are wanted those are taken that come first", () => {
  const name = (number: number): string => `all/${String(number % 7)}/track ${String(number)}.mp3`;
  // In an order that is none: 389 and 1,000 have no factor in common.
  const mixed = Array.from({ length: 1_000 }, (_, index) => name((index * 389) % 1_000));
  const catalogue = catalogueOf(Object.fromEntries(mixed.map((path) => [path, null])));
  const inOrder = [0, 1, 2, 3, 4, 5, 6].flatMap((album) =>
    Array.from({ length: 143 }, (_, row) => album + row * 7).filter((number) => number < 1_000),
  );
  const paths = (limit: number): string[] => filesOf("all", catalogue, limit).map(({ path }) => path);
  expect(paths(300)).toEqual(inOrder.slice(0, 300).map(name));
  expect(paths(5_000)).toEqual(inOrder.map(name));
  expect([paths(1), paths(0)]).toEqual([[name(0)], []]);
});

test("a file is shown by its tags, else by its name", () => {
  const shown = (path: string): string =>
    labelOf(music.get(path) ?? { path, size: 0, mtimeMs: 0, tags: null });
  expect(shown("beatles/help/01.mp3")).toBe("The Beatles – Help! (2:18)");
  expect(shown("misc/sun king.ogg")).toBe("sun king");
});

test("one error is one letter added, left out, changed or swapped", () => {
  for (const [a, b] of [
    ["light", "lihgt"],
    ["light", "ligt"],
    ["light", "lightt"],
    ["light", "loght"],
  ] as const) {
    expect(distanceWithin(a, b, 1)).toBe(true);
    expect(distanceWithin(a, b, 0)).toBe(false);
    expect(mayBeWithin(letters(a), letters(b), 1)).toBe(true);
  }
  expect(distanceWithin("light", "night", 0)).toBe(false);
  expect(distanceWithin("light", "nigth", 1)).toBe(false);
  expect(distanceWithin("a".repeat(100), "a".repeat(100), 2)).toBe(false);
});

test("the quick look at letters never rules out what is within", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "d", "e"), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 2 }), (a, b, limit) => {
      const within = distanceWithin(a, b, limit);
      expect(distanceWithin(b, a, limit)).toBe(within);
      expect(within && !mayBeWithin(letters(a), letters(b), limit)).toBe(false);
    }),
  );
});
