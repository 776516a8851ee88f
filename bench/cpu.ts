// What the media plane computes, against the bare library with the same connections, packets and reports, both at the same
// time so that whatever else the machine does hits both. `npm run bench -- cpu` leaves bench/results/cpu.json, and
// `--quick` prints a few rows. Nothing here passes or fails.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "../test/support/stage.ts";
import { workOf, type Work } from "./support/cpu.ts";
import type { CpuFigures, CpuRow, CpuShare } from "./support/figures.ts";
import { Members, type Subject } from "./support/members.ts";
import { environment, writeResult } from "./support/results.ts";
import { median } from "./support/statistics.ts";
import { ours, raw, type Library } from "./support/subjects.ts";
import { cpuTable } from "./support/tables.ts";

const quick = process.argv.includes("--quick");
/** The second engine takes PCM, and its baseline only plays: `BENCH_ENGINE=wrtc` measures its listeners, kept apart. */
const library: Library = process.env["BENCH_ENGINE"] === "wrtc" ? "wrtc" : "libdatachannel";
const asked = process.env["BENCH_ROWS"]?.split(",");
const only = asked ?? (library === "wrtc" ? ["listeners"] : undefined);
const WINDOW_MS = quick ? 10_000 : 20_000;
const WINDOWS = quick ? 1 : 3;
const WARM_UP_MS = 4000;
/** `BENCH_ROWS=mesh,speakers BENCH_SIZE=20` measures these alone, and keeps nothing. */
const size = process.env["BENCH_SIZE"];
const sizes = (all: number[], few: number[]): number[] =>
  size !== undefined ? [Number(size)] : quick ? few : all;
const SIZES = {
  listeners: sizes(library === "wrtc" ? [1, 10, 20] : [1, 10, 20, 50, 100], [20]),
  speakers: sizes([1, 10, 20, 40], [20]),
  mesh: sizes([20], [20]),
  rooms: sizes([1, 10, 40], [4]),
};
const clip = new URL("../audio/first-light.mp3", import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), "voicebot-cpu-"));
const track = join(directory, "track.mp3");

interface Side {
  readonly subject: Subject;
  readonly members: Members;
}

const bot = (): Subject => ours(library);
const bare = (): Subject => raw(library);
const start = (make: () => Subject): Side => ({ subject: make(), members: new Members() });
const sides = (): Side[] => [start(bot), start(bare)];
const end = async ({ subject, members }: Side): Promise<void> => {
  await subject.close();
  await members.end();
};

/** Packets that all members have had, and sent. */
async function packets({ members }: Side): Promise<[heard: number, said: number]> {
  const states = await members.state();
  return [
    states.reduce((sum, { received }) => sum + received, 0),
    states.reduce((sum, { sent }) => sum + sent, 0),
  ];
}

/** One window of one or both sides; shares are of one core. */
async function window(among: readonly Side[]): Promise<CpuShare[]> {
  const look = async (): Promise<{ work: Work; heard: number; said: number; atMs: number }[]> =>
    Promise.all(
      among.map(async (side) => {
        const [heard, said] = await packets(side);
        return { work: workOf(side.subject.pids()), heard, said, atMs: performance.now() };
      }),
    );
  const before = await look();
  await sleep(WINDOW_MS);
  const after = await look();
  return after.map(({ work, heard, said, atMs }, index) => {
    const then = before[index]!;
    const ms = atMs - then.atMs;
    return {
      own: (work.own - then.work.own) / ms,
      programs: (work.programs - then.work.programs) / ms,
      sentPerSecond: ((heard - then.heard) * 1000) / ms,
      receivedPerSecond: ((said - then.said) * 1000) / ms,
    };
  });
}

/** The windows of a row: the ratio is the median of their ratios. */
function rowOf(what: CpuRow["what"], size: number, windows: readonly (readonly CpuShare[])[]): CpuRow {
  const side = (index: number): CpuShare => {
    const of = (key: keyof CpuShare): number =>
      Math.round(median(windows.map((shares) => shares[index]![key])) * 1e5) / 1e5;
    const [own, programs] = [of("own"), of("programs")];
    return { own, programs, sentPerSecond: of("sentPerSecond"), receivedPerSecond: of("receivedPerSecond") };
  };
  const all = ({ own, programs }: CpuShare): number => own + programs;
  const withPrograms = what === "rooms";
  const ratios = windows.map(([bot, bare]) => (withPrograms ? all(bot!) / all(bare!) : bot!.own / bare!.own));
  const row = { what, size, bot: side(0), bare: side(1), ratio: Math.round(median(ratios) * 100) / 100 };
  console.error(JSON.stringify(row));
  return row;
}

async function grow(
  what: "listeners" | "speakers" | "mesh",
  sizes: readonly number[],
  prepare: (side: Side) => Promise<void>,
): Promise<CpuRow[]> {
  const both = sides();
  const rows: CpuRow[] = [];
  try {
    for (const size of sizes) {
      for (const { subject, members } of both) {
        // In lots, as people come.
        while (members.size < size) await members.join(subject, "room", Math.min(10, size - members.size));
      }
      await Promise.all(both.map(prepare));
      await sleep(WARM_UP_MS);
      const windows: CpuShare[][] = [];
      for (let i = 0; i < WINDOWS; i++) windows.push(await window(both));
      rows.push(rowOf(what, size, windows));
    }
  } finally {
    await Promise.all(both.map(end));
  }
  return rows;
}

const once = (run: (side: Side) => Promise<void>): ((side: Side) => Promise<void>) => {
  const done = new Set<Side>();
  return async (side) => {
    if (done.has(side)) return;
    done.add(side);
    await run(side);
  };
};

const playing = once(({ subject }) => subject.play("room", track));
const recording = once(async ({ subject }) => {
  const into = mkdtempSync(join(directory, "recording-"));
  await subject.record("room", into);
});

const measures: Record<CpuRow["what"], () => Promise<CpuRow[]>> = {
  listeners: () => grow("listeners", SIZES.listeners, playing),
  speakers: () =>
    grow("speakers", SIZES.speakers, async (side) => {
      await recording(side);
      await side.members.speak();
    }),
  mesh: () =>
    grow("mesh", SIZES.mesh, async (side) => {
      await playing(side);
      await recording(side);
      await side.members.speak();
    }),
  // One after the other: together they would want more than the machine has.
  rooms: async () => {
    const windows = new Map<number, CpuShare[][]>();
    for (const make of [bot, bare]) {
      const side = start(make);
      try {
        for (const size of SIZES.rooms) {
          while (side.members.size < size) {
            const room = `room ${side.members.size}`;
            await side.members.join(side.subject, room, 1);
            await side.subject.play(room, track);
          }
          await sleep(WARM_UP_MS);
          const found = windows.get(size) ?? Array.from({ length: WINDOWS }, () => []);
          windows.set(size, found);
          for (const one of found) one.push(...(await window([side])));
        }
      } finally {
        await end(side);
      }
    }
    return [...windows].map(([size, found]) => rowOf("rooms", size, found));
  },
};

try {
  mkdirSync(directory, { recursive: true });
  const loop = ["-stream_loop", "19", "-i", clip, "-map", "0:a", "-c", "copy", track];
  const { status, stderr } = spawnSync("ffmpeg", ["-v", "error", ...loop], { encoding: "utf8" });
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`);
  const rows: CpuRow[] = [];
  for (const [what, measure] of Object.entries(measures))
    if (only === undefined || only.includes(what)) rows.push(...(await measure()));
  const figures: CpuFigures = { windowMs: WINDOW_MS, windows: WINDOWS, rows };
  if (!quick && asked === undefined && size === undefined) {
    const second = library === "wrtc";
    const command = second ? "BENCH_ENGINE=wrtc npm run bench -- cpu" : "npm run bench -- cpu";
    writeResult(second ? "cpu-wrtc" : "cpu", { environment: environment(command), figures });
  }
  console.log(cpuTable(figures));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
