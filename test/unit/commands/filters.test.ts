import { filtersText, readFilters } from "../../../src/commands/filters.ts";
import { NO_FILTERS, type Band } from "../../../src/player/filters.ts";

const band = (hz: number, db: number): Band => ({ hz, db });

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
  ["nightcore", { speed: 1.25, pitch: 3.86 }],
  ["eq 60:+4", { eq: [{ hz: 60, db: 4 }] }],
  ["1k:-2 60 Hz: +4 dB", { eq: [band(60, 4), band(1_000, -2)] }],
  ["equaliser 60:1,5,2.5khz:\u22123, bass 2", { eq: [band(60, 1.5), band(2_500, -3)], bassDb: 2 }],
  ["eq 60:1,5 2,5 kHz:-3", { eq: [band(60, 1.5), band(2_500, -3)] }],
  ["eq 60:4 60:6 100:0", { eq: [band(60, 6)] }],
])("%j changes that and nothing else", (text, expected) => {
  expect(readFilters(text, NO_FILTERS)).toEqual({ ...NO_FILTERS, ...expected });
  expect(readFilters(text, { ...NO_FILTERS, bassDb: 1, night: true })).toMatchObject({
    ...{ bassDb: 1, night: true },
    ...expected,
  });
});

test("each is taken away alone, and all at once", () => {
  const all = { bassDb: 3, trebleDb: -3, eq: [band(60, 2)], speed: 1.5, pitch: 2, mono: true, night: true };
  expect(readFilters("off", all)).toEqual(NO_FILTERS);
  for (const name of ["bass", "treble", "eq", "speed", "pitch", "mono", "night"])
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
  "nightcore 2",
  "eq",
  "eq mono",
  "eq 60",
  "60:+13",
  "19:1",
  "20001:1",
  "60:",
  ":4",
  "6e1:4",
  "60:4:4",
  "60:+8 70:+8",
  "1:1,volume=9",
  "eq 30:1 40:1 50:1 60:1 70:1 80:1 90:1 100:1 110:1 120:1 130:1",
])("%j is none", (text) => expect(readFilters(text, NO_FILTERS)).toBeNull());

test("one band is changed or taken away, and the others stay", () => {
  const some = readFilters("60:4 1k:2", NO_FILTERS)!;
  expect(readFilters("eq 1k:0 8k:3", some)?.eq).toEqual([band(60, 4), band(8_000, 3)]);
  expect(readFilters("eq off bass 3", some)).toEqual({ ...NO_FILTERS, bassDb: 3 });
  expect(readFilters("nightcore off", { ...some, speed: 1.25, pitch: 3.86 })).toEqual(some);
});

test("what is changed is said in both languages, and nothing when nothing is", () => {
  const some = { ...NO_FILTERS, bassDb: 6, trebleDb: -3, speed: 1.25, pitch: 2, mono: true, night: true };
  expect(filtersText(some, "en")).toBe(
    "bass +6 dB, treble \u22123 dB, speed 1.25, pitch +2 semitones, mono, night mode",
  );
  expect(filtersText(some, "de")).toContain("Bässe +6 dB, Höhen \u22123 dB, Tempo 1.25");
  expect(filtersText(NO_FILTERS, "en")).toBe("");
  const other = { ...NO_FILTERS, eq: [band(60, 4), band(2_500, -2.5)], speed: 1.25, pitch: 3.86 };
  expect(filtersText(other, "en")).toBe("equaliser 60 Hz +4, 2.5 kHz \u22122.5 dB, nightcore");
});
