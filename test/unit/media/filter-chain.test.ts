import { soundFilters } from "../../../src/media/audio/filter-chain.ts";
import { filtersSchema, NO_FILTERS, type Filters } from "../../../src/media/filters.ts";

const chain = (filters: Partial<Filters>, rubberband = true): string =>
  soundFilters({ ...NO_FILTERS, ...filters }, rubberband).args[1] ?? "";

test("nothing is changed where nothing is asked for", () => {
  expect(soundFilters(NO_FILTERS, true)).toEqual({ args: [], makeupDb: 0 });
});

test("each has its part, in an order of its own", () => {
  const all = {
    bassDb: 6,
    trebleDb: -3,
    eq: [{ hz: 60, db: -4 }],
    speed: 1.25,
    pitch: 2,
    mono: true,
    night: true,
  };
  const names = chain(all)
    .split(",")
    .map((part) => part.split("=")[0]);
  expect(names).toEqual([
    "aresample",
    "aformat",
    "volume",
    "pan",
    "bass",
    "treble",
    "equalizer",
    "rubberband",
    "acompressor",
  ]);
  expect(chain(all)).toContain(
    "bass=g=6.00000:f=100,treble=g=-3.00000:f=3000,equalizer=f=60.00000:t=o:w=1:g=-4.00000",
  );
  expect(chain(all)).toContain("rubberband=tempo=1.25000:pitch=1.12246");
});

test("what is lifted is turned down before and given back after, so that 16 bits hold it", () => {
  const { args, makeupDb } = soundFilters({ ...NO_FILTERS, bassDb: 12, trebleDb: 6 }, true);
  expect(args[1]).toContain("volume=-18.00000dB");
  expect(makeupDb).toBe(18);
  expect(soundFilters({ ...NO_FILTERS, bassDb: -12 }, true).makeupDb).toBe(0);
  // Bells that overlap add up.
  const eq = [60, 120, 250].map((hz) => ({ hz, db: 4 }));
  expect(soundFilters({ ...NO_FILTERS, eq }, true).makeupDb).toBeCloseTo(5.4, 1);
});

test("speed alone needs no more than atempo; pitch does without rubberband where there is none", () => {
  expect(chain({ speed: 0.5 })).toContain("atempo=0.50000");
  expect(chain({ pitch: 12 }, false)).toContain("asetrate=96000,aresample=48000,atempo=0.50000");
  // A quarter of the speed is beyond one atempo.
  expect(chain({ pitch: 12, speed: 0.5 }, false)).toMatch(/atempo=0\.50000,atempo=0\.50000$/);
});

test("nothing but names of ours and numbers comes out, whatever within the bounds goes in", () => {
  for (const value of [-12, -0.001, 1e-9, 0.1, 11.999_999_999, 12])
    for (const rubberband of [true, false]) {
      const text = chain(
        {
          bassDb: value,
          trebleDb: -value,
          eq: [{ hz: 20 + Math.abs(value), db: value }],
          pitch: value,
          speed: 0.5 + Math.abs(value) / 8,
        },
        rubberband,
      );
      expect(text).toMatch(/^[a-z_]+=[a-z0-9_.:=-]+(,[a-z]+=[a-z0-9_.:=|*+-]+)*$/i);
      expect(text).not.toMatch(/e-|nan|inf/i);
    }
});

test.each([
  { bassDb: 12.1 },
  { trebleDb: -13 },
  { speed: 0.49 },
  { speed: 2.01 },
  { pitch: 13 },
  { bassDb: NaN },
  { eq: [{ hz: 19, db: 1 }] },
  { eq: [{ hz: 60, db: 13 }] },
  { eq: [60, 61].map((hz) => ({ hz, db: 7 })) },
  { speed: Infinity },
])("%j does not come as far as that", (filters) =>
  expect(filtersSchema.safeParse({ ...NO_FILTERS, ...filters }).success).toBe(false),
);
