import { BotError } from "../../../src/base/errors.ts";
import { NOBODY, type Found, type FoundMany } from "../../../src/player/resolver/resolver.ts";
import { Stations } from "../../../src/player/resolver/stations.ts";

const NEVER = new AbortController().signal;
const stream: Found = {
  ...{ source: { kind: "stream", url: "https://night.example/live", format: "icy" }, title: "NW 1" },
  durationMs: null,
};

let asked: string[];
let lists: Map<string, FoundMany>;
let stations: Stations;

beforeEach(() => {
  asked = [];
  lists = new Map();
  stations = new Stations({
    stations: [
      { name: "Night Wave", url: "https://night.example/live" },
      { name: "Rádio Nord", url: "https://nord.example/list.pls" },
    ],
    policy: { allowHttp: false },
    address: (url) => {
      asked.push(url);
      return Promise.resolve(lists.get(url) ?? stream);
    },
  });
});

const radio = (text: string): Promise<Found | FoundMany | null> =>
  stations.resolve({ kind: "words", text, radio: true }, NEVER, NOBODY);

test("a station is found by its name, however it is written, and is called by it", async () => {
  await expect(radio("night wave")).resolves.toMatchObject({ title: "Night Wave", source: stream.source });
  await expect(stations.resolve({ kind: "words", text: "NIGHT-WAVE" }, NEVER, NOBODY)).resolves.toMatchObject(
    { title: "Night Wave" },
  );
  expect(asked).toEqual(["https://night.example/live", "https://night.example/live"]);
});

test("a station that is in a list of its own is known as one", async () => {
  const entry = { kind: "url", url: "https://night.example/live" } as const;
  lists.set("https://nord.example/list.pls", {
    title: "list",
    items: [{ source: entry, title: "Nord 1", durationMs: null }],
  });
  await expect(radio("radio nord")).resolves.toMatchObject({ title: "Rádio Nord", source: stream.source });
  await expect(radio("https://nord.example/list.pls")).resolves.toMatchObject({
    ...{ title: "Nord 1", source: stream.source },
  });
  lists.set("https://nord.example/list.pls", { title: "list", items: [] });
  await expect(radio("radio nord")).rejects.toMatchObject({ code: "not_found" });
});

test("its names are known", () => {
  expect(stations.stations).toEqual(["Night Wave", "Rádio Nord"]);
});

test("other words are for others, unless a station is meant", async () => {
  await expect(stations.resolve({ kind: "words", text: "night" }, NEVER, NOBODY)).resolves.toBeNull();
  await expect(
    stations.resolve({ kind: "words", text: "https://other.example/x" }, NEVER, NOBODY),
  ).resolves.toBeNull();
  const refused = await radio("night").then(
    () => null,
    (error: unknown) => (error instanceof BotError ? error.say : null),
  );
  expect(refused).toEqual({
    key: "radio.unknown",
    params: { query: "night", names: "Night Wave\nRádio Nord" },
  });
  expect(asked).toEqual([]);
});

test("what is kept is played as it comes, if it may be fetched still", async () => {
  await expect(stations.open(stream.source)).resolves.toEqual({
    stream: { url: "https://night.example/live", kind: "icy" },
  });
  await expect(
    stations.open({ kind: "stream", url: "http://night.example/live", format: "icy" }),
  ).rejects.toMatchObject({ code: "fetch_refused" });
});
