import type { CpuFigures, Held, MemorySample } from "../../../bench/support/figures.ts";
import { slope } from "../../../bench/support/statistics.ts";
import {
  cpuTable,
  memoryTable,
  playerTable,
  recorderTable,
  setupTable,
} from "../../../bench/support/tables.ts";

const share = (own: number, programs = 0) => ({
  ...{ own, programs, sentPerSecond: 999.6, receivedPerSecond: 50.2 },
});

test("shows shares of a core, with ffmpeg for rooms alone", () => {
  const figures: CpuFigures = {
    windowMs: 1,
    windows: 1,
    rows: [
      { what: "listeners", size: 1, bot: share(0.052, 0.01), bare: share(0.04, 0.01), ratio: 1.3 },
      { what: "rooms", size: 10, bot: share(0.05, 0.01), bare: share(0.04, 0.01), ratio: 1.2 },
    ],
  };
  const table = cpuTable(figures);
  expect(table).toMatch(/a track to 1 listener +\| 5\.2 % \| 4\.0 % +\| 1\.30 +\| 1000, 50 +\|/);
  expect(table).toMatch(/10 rooms .*\| 6\.0 % \| 5\.0 % +\| 1\.20 /);
});

test("shows what people wait for, and what a room costs", () => {
  const share = (own: number) => ({ own, programs: 0.001 });
  const table = playerTable({
    ...{ skips: [120, 90, 400], seeks: [], windowMs: 1, windows: 1 },
    ...{ idle: share(0.004), paused: share(0.0041), playing: share(0.03) },
  });
  expect(table).toMatch(/`!skip` +\| 120 ms \(worst 400, n = 3\) +\| 150 ms/);
  expect(table).toMatch(/paused +\| 0\.41 % +\| 0\.10 % /);
});

test("shows medians with the worst, and a dash where there is no baseline", () => {
  const figures = {
    alone: { bot: [5, 9, 4], bare: [3] },
    crowd: { size: 20, bot: [7], bare: [] },
    plays: [1, 2],
  };
  const table = setupTable(figures);
  expect(table).toContain("| 5 ms (worst 9, n = 3)");
  expect(table).toMatch(/20 offers at once.*\| 7 ms \(worst 7, n = 1\) +\| – +\|/);
});

test("tells how fast something grows, and how sure that is", () => {
  expect(
    slope([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toEqual({ value: 2, error: 0 });
  const { value, error } = slope([
    [0, 0],
    [1, 1],
    [2, 0],
    [3, 1],
    [4, 0],
  ]);
  expect(value).toBeCloseTo(0);
  expect(error).toBeGreaterThan(0.1);
});

test("shows what the second half of an hour added, and lives with a process that did not answer", () => {
  const held = (rss: number): Held => ({
    ...{ pid: 1, atMs: 0, rss: rss * 2 ** 20, heapUsed: 0, external: 0 },
    ...{ handles: 3, descriptors: 4, threads: 5, children: 6 },
  });
  const sample = (minute: number, rss: number): MemorySample => ({
    ...{ minute, cycles: minute * 10, control: held(rss), media: null },
  });
  const hour = Array.from({ length: 60 }, (_, minute) => sample(minute, minute < 30 ? 50 + minute : 80));
  const table = memoryTable({
    members: 2,
    before: sample(0, 40),
    after: sample(2, 45),
    hour,
    connections: 1,
  });
  expect(table).toMatch(/control: resident, MB +\| 40\.0 +\| 45\.0 +\| 80\.0 +\| 0\.00 ± 0\.00 +\|/);
  expect(table).toMatch(/media: threads +\| – +\| – +\| – +\| – +\|/);
});

test("gives no ratio where the two did not do the same work", () => {
  const bot = { ...share(0.3), sentPerSecond: 1500 };
  const row = {
    what: "listeners",
    size: 40,
    bot,
    bare: { ...share(0.3), sentPerSecond: 2000 },
    ratio: 0.9,
  } as const;
  expect(cpuTable({ windowMs: 1, windows: 1, rows: [row] })).toContain("not the same work");
});

test("shows what recording costs beside what it may cost", () => {
  const flush = { medianMs: 4.7, worstMs: 18.2, cpuMs: 3.1 };
  const table = recorderTable({
    ...{ speakers: 20, windowMs: 1, sharePerSpeaker: 0.00123, bytesPerSecond: 6_460 },
    shares: [
      { on: 0.08, off: 0.06 },
      { on: 0.05, off: 0.06 },
    ],
    flushes: { written: flush, synced: flush, inTurn: flush },
  });
  expect(table).toMatch(/of one core +\| 0\.12 % \(-0\.05 to 0\.10 in 2 pairs of windows\) +\| ≤ 0\.3 % /);
  expect(table).toMatch(/on the disk +\| 6\.46 kB\/s +\| ≤ 7 kB\/s /);
  expect(table).toContain("4.7 ms (worst 18.2), of which 3.1 ms computed");
});
