import { filtersText, readFilters } from "../../../src/commands/filters.ts";
import { NO_FILTERS } from "../../../src/player/filters.ts";

test.each([
  ["bass +6", { bassDb: 6 }],
  ["bass 6 dB", { bassDb: 6 }],
  ["Bass=-4,5dB", { bassDb: -4.5 }],
  ["treble \u22123", { trebleDb: -3 }],
  ["speed 1.25", { speed: 1.25 }],
  ["speed 1,25x pitch -2", { speed: 1.25, pitch: -2 }],
  ["speed 80 %", { speed: 0.8 }],
  ["mono", { mono: true }],
  ["night mono on", { night: true, mono: true }],
  ["pitch 1.234", { pitch: 1.23 }],
])("%j changes that and nothing else", (text, expected) => {
  expect(readFilters(text, NO_FILTERS)).toEqual({ ...NO_FILTERS, ...expected });
  expect(readFilters(text, { ...NO_FILTERS, bassDb: 1, night: true })).toMatchObject({
    ...{ bassDb: 1, night: true },
    ...expected,
  });
});

test("each is taken away alone, and all at once", () => {
  const all = { bassDb: 3, trebleDb: -3, speed: 1.5, pitch: 2, mono: true, night: true };
  expect(readFilters("off", all)).toEqual(NO_FILTERS);
  for (const name of ["bass", "treble", "speed", "pitch", "mono", "night"])
    expect(
      Object.entries(readFilters(`${name} off`, all) ?? {}).filter(
        ([key, value]) => value !== all[key as keyof typeof all],
      ),
    ).toHaveLength(1);
});

test.each([
  "",
  "bass",
  "bass x",
  "bass +13",
  "bass 1e3",
  "bass 1;rm",
  "bass +6,volume=9",
  "speed 0.4",
  "speed 2.1",
  "speed 1000%",
])("%j is none", (text) => expect(readFilters(text, NO_FILTERS)).toBeNull());
test.each([
  "pitch 12.5",
  "pitch nan",
  "mono yes please",
  "echo 3",
  "__proto__ 1",
  "constructor on",
  "night 5",
])("%j is none", (text) => expect(readFilters(text, NO_FILTERS)).toBeNull());

test("what is changed is said in both languages, and nothing when nothing is", () => {
  const some = { ...NO_FILTERS, bassDb: 6, trebleDb: -3, speed: 1.25, pitch: 2, mono: true, night: true };
  expect(filtersText(some, "en")).toBe(
    "bass +6 dB, treble \u22123 dB, speed 1.25, pitch +2 semitones, mono, night mode",
  );
  expect(filtersText(some, "de")).toContain("Bässe +6 dB, Höhen \u22123 dB, Tempo 1.25");
  expect(filtersText(NO_FILTERS, "en")).toBe("");
});
