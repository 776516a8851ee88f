import { toBotError } from "../../../src/base/errors.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import { listName, MAX_LISTS, SavedLists } from "../../../src/player/saved-lists.ts";
import type { Track } from "../../../src/player/queue.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

const track = (id: string): Track => ({
  ...{ id, title: id, artist: "Somebody", durationMs: 1_000, requester: "@a:b" },
  source: { kind: "library", path: `${id}.mp3` },
});

let documents: FakeDocuments;
let told: Sentence[];
let lists: SavedLists;
beforeEach(() => {
  documents = new FakeDocuments();
  told = [];
  lists = new SavedLists({ documents, tell: (sentence) => void told.push(sentence) });
});
const refusal = (run: () => unknown): Sentence => {
  try {
    run();
  } catch (error) {
    return toBotError(error).say;
  }
  throw new Error("was allowed");
};

test("a list is kept under its name, whatever the case, replaced, loaded and deleted", () => {
  lists.save("Party", [track("a"), track("b")], "@ann:a");
  lists.save("quiet evening", [track("c")], "@ben:b");
  lists.save("PARTY ", [track("d")], "@ann:a");
  expect(lists.all().map(({ name, count, by }) => [name, count, by])).toEqual([
    ["PARTY", 1, "@ann:a"],
    ["quiet evening", 1, "@ben:b"],
  ]);
  // Nobody's yet, and without the name that the track had here.
  expect(lists.load("party").entries).toEqual([
    { title: "d", artist: "Somebody", durationMs: 1_000, source: { kind: "library", path: "d.mp3" } },
  ]);
  expect(lists.load("Quiet Evening").entries).toHaveLength(1);
  lists.remove("party");
  expect(refusal(() => lists.load("party")).key).toBe("lists.unknown");
  expect(refusal(() => lists.load("quiet evning"))).toMatchObject({
    key: "lists.unknown_nearest",
    params: { nearest: "quiet evening" },
  });
  lists.remove("quiet evening");
  expect(refusal(() => lists.remove("quiet evening")).key).toBe("lists.none");
  expect([...documents.kept.keys()]).toEqual(["lists"]);
});

test("there are so many lists of so many tracks, and none of nothing", () => {
  const many = Array.from({ length: 501 }, (_, index) => track(`t${index}`));
  expect(lists.save("0", many, "@a:b").count).toBe(500);
  for (let index = 1; index < MAX_LISTS; index++) lists.save(String(index), [track("x")], "@a:b");
  expect(refusal(() => lists.save("one more", [track("x")], "@a:b")).key).toBe("lists.full");
  expect(lists.save("49", [track("x"), track("y")], "@a:b").count).toBe(2);
  expect(refusal(() => lists.save("49", [], "@a:b")).key).toBe("lists.nothing");
  expect(lists.all()).toHaveLength(MAX_LISTS);
  expect(lists.load("0").entries).toHaveLength(500);
});

test("names are one line without what is not seen, and not long", () => {
  expect(listName(" a\n\u202eb\u0000  c ")).toBe("a b c");
  expect(listName("x".repeat(500))).toHaveLength(60);
  expect(listName("\u200b\n ")).toBe("");
  const name = "👩‍👩‍👧".repeat(30);
  lists.save(name, [track("a")], "@a:b");
  expect(lists.load(name).entries).toHaveLength(1);
});

test("what cannot be read any more is set aside and told, and the others stay", () => {
  lists.save("one", [track("a")], "@a:b");
  lists.save("two", [track("b")], "@a:b");
  documents.write("list.1", [{ title: 7 }]);
  expect(refusal(() => lists.load("one"))).toEqual({ key: "lists.damaged", params: { name: "one" } });
  expect(documents.has("list.1.damaged")).toBe(true);
  expect(lists.all().map(({ name }) => name)).toEqual(["two"]);
  documents.write("lists", "nonsense");
  expect([lists.all(), lists.all()]).toEqual([[], []]);
  expect(told).toEqual([{ key: "lists.damaged_all" }]);
  expect(documents.has("lists.damaged")).toBe(true);
});
