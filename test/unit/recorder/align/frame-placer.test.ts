import fc from "fast-check";
import { FramePlacer } from "../../../../src/recorder/export/align/frame-placer.ts";
import type { AlignedPacket } from "../../../../src/recorder/export/align/types.ts";
import { packetSamples } from "../../../../src/recorder/export/opus.ts";

const END = 110 * 48_000;

/** Packets of one clock with `ppm` of drift from `fromMs` on; `missing` ones did not come. */
function packets(
  {
    count,
    ppm,
    fromMs = 500,
    samples = 960,
  }: { count: number; ppm: number; fromMs?: number; samples?: number },
  {
    quiet = () => false,
    missing = () => false,
  }: Partial<Record<"quiet" | "missing", (i: number) => boolean>> = {},
): AlignedPacket[] {
  const rate = 1 - ppm * 1e-6;
  const config = samples === 2_880 ? 3 : 31;
  return Array.from({ length: count }, (_, i) => i)
    .filter((i) => !missing(i))
    .map((i) => ({
      payload: Uint8Array.of(config << 3, i & 0xff, i >> 8, ...Array.from({ length: 20 }, () => 7)),
      ...{
        samples,
        startSample: fromMs * 48 + i * samples * rate,
        endSample: fromMs * 48 + (i + 1) * samples * rate,
      },
      ...{ contiguous: i > 0 && !missing(i - 1), lostBefore: i > 0 && missing(i - 1) ? 1 : 0 },
      ...{ concealable: false, fresh: i === 0, levelDbov: quiet(i) ? -70 : -20 },
    }));
}

function place(input: readonly AlignedPacket[], end = END) {
  const placed: { at: number; payload: Uint8Array }[] = [];
  let [cursor, wrong] = [0, 0];
  const placer = new FramePlacer({
    end,
    emit: (payload, samples) => {
      if (packetSamples(payload) !== samples) wrong++;
      if (payload.length > 3) placed.push({ at: cursor, payload });
      cursor += samples;
    },
  });
  for (const packet of input) placer.push(packet);
  placer.finish(end);
  expect(wrong).toBe(0);
  const places = new Map(input.map(({ payload, startSample }) => [payload, startSample]));
  const residues = placed.map(({ at, payload }) => Math.abs(at - places.get(payload)!) / 48);
  return { placed, length: cursor, stats: placer.stats, worstMs: Math.max(0, ...residues) };
}

test("packets are never altered, and never farther off than 16 ms, whatever drifts, is lost or quiet", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -2_000, max: 2_000 }),
      fc.constantFrom(960, 2_880),
      fc.array(fc.record({ quiet: fc.boolean(), missing: fc.boolean() }), { minLength: 1, maxLength: 40 }),
      (ppm, samples, pattern) => {
        const at = (i: number) => pattern[Math.floor(i / 7) % pattern.length]!;
        const input = packets(
          { count: 800, ppm, samples },
          { quiet: (i) => at(i).quiet, missing: (i) => at(i).missing },
        );
        const { placed, length, stats, worstMs } = place(input);
        const left = stats.corrections.quiet + stats.corrections.loud;
        expect(worstMs).toBeLessThanOrEqual(16.1);
        expect(stats.residue.maxMs).toBeCloseTo(worstMs, 6);
        expect(placed.length).toBeGreaterThanOrEqual(input.length - left);
        expect(length).toBe(END);
      },
    ),
    { numRuns: 20 },
  );
});

test.each([200, -200])("a drift of %i ppm is corrected where it is quiet, when that comes in time", (ppm) => {
  const { stats, worstMs } = place(packets({ count: 5_000, ppm }, { quiet: (i) => i % 500 > 480 }));
  expect(stats.corrections.loud).toBe(0);
  expect(stats.corrections.quiet).toBeGreaterThan(1);
  expect(worstMs).toBeLessThan(8);
});

test.each([200, -200])("a drift of %i ppm without any pause is corrected rarely, by whole frames", (ppm) => {
  const { stats, worstMs } = place(packets({ count: 5_000, ppm }));
  expect(stats.corrections).toEqual({ quiet: 0, loud: 1 });
  expect(worstMs).toBeLessThanOrEqual(12.1);
});

test("behind a loss or a silence the place is right again", () => {
  const input = packets({ count: 2_000, ppm: 200 }, { missing: (i) => i === 1_500 });
  const { placed, stats } = place(input);
  const behind = placed.findIndex(({ payload }) => payload === input[1_500]!.payload);
  expect(Math.abs(placed[behind]!.at - input[1_500]!.startSample)).toBeLessThanOrEqual(60);
  expect(stats.filledSamples).toBeGreaterThan(480);
  expect(stats).toMatchObject({ packets: 1_999, firstSample: 24_000 });
});

test("nothing is placed at or behind the end", () => {
  const { placed, length } = place(packets({ count: 100, ppm: 0, fromMs: 0 }), 48_000);
  expect(placed).toHaveLength(50);
  expect(length).toBe(48_000);
  expect(place([], 48_000)).toMatchObject({
    length: 48_000,
    stats: { packets: 0, residue: { maxMs: 0, p99Ms: 0 } },
  });
});
