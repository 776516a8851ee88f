// What recording costs: the media plane as it ships with speakers in other processes, by turns recorded and not; and what
// the disk costs of it. `npm run bench -- recorder` leaves bench/results/recorder.json. Nothing here passes or fails.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppendFile } from "../src/media/tracks/append-file.ts";
import { sleep } from "../test/support/stage.ts";
import { workOf } from "./support/cpu.ts";
import type { FlushFigures, RecorderFigures } from "./support/figures.ts";
import { Members } from "./support/members.ts";
import { environment, writeResult } from "./support/results.ts";
import { median } from "./support/statistics.ts";
import { ours } from "./support/subjects.ts";
import { recorderTable } from "./support/tables.ts";

const quick = process.argv.includes("--quick");
const SPEAKERS = 20;
const WINDOW_MS = quick ? 5_000 : 20_000;
const PAIRS = quick ? 2 : 8;
const WARM_UP_MS = 4_000;
const FLUSHES = quick ? 10 : 60;
const FLUSH_EVERY_MS = 500;
const directory = mkdtempSync(join(tmpdir(), "voicebot-recorder-"));

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

async function plane(): Promise<Pick<RecorderFigures, "sharePerSpeaker" | "shares" | "bytesPerSecond">> {
  const subject = ours("libdatachannel");
  const members = new Members();
  try {
    while (members.size < SPEAKERS) await members.join(subject, "room", 10);
    await members.speak();
    const share = async (): Promise<number> => {
      const [before, fromMs] = [workOf(subject.pids()).own, performance.now()];
      await sleep(WINDOW_MS);
      return (workOf(subject.pids()).own - before) / (performance.now() - fromMs);
    };
    const shares: { on: number; off: number }[] = [];
    const rates: number[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const into = mkdtempSync(join(directory, "r-"));
      await sleep(WARM_UP_MS);
      const off = await share();
      await subject.record("room", into);
      await sleep(WARM_UP_MS);
      const [bytes, fromMs] = [bytesIn(into), performance.now()];
      const on = await share();
      // Both ends of a window are up to one flush off.
      rates.push(((bytesIn(into) - bytes) * 1000) / (performance.now() - fromMs) / SPEAKERS);
      await subject.stopRecording("room");
      shares.push({ on: round(on, 5), off: round(off, 5) });
      console.error(JSON.stringify(shares.at(-1)));
    }
    const each = median(shares.map(({ on, off }) => (on - off) / SPEAKERS));
    return { sharePerSpeaker: round(each, 6), shares, bytesPerSecond: Math.round(median(rates)) };
  } finally {
    await subject.close();
    await members.end();
  }
}

/** What a flush of all speakers' files takes; `how` writes a second's bytes to every file. */
async function flushes(how: (bytes: Uint8Array) => Promise<void>): Promise<FlushFigures> {
  const bytes = new Uint8Array(6_200);
  const [times, work]: [number[], number[]] = [[], []];
  for (let i = 0; i < FLUSHES; i++) {
    await sleep(FLUSH_EVERY_MS);
    const [fromMs, cpu] = [performance.now(), process.cpuUsage()];
    await how(bytes);
    times.push(performance.now() - fromMs);
    const { user, system } = process.cpuUsage(cpu);
    work.push((user + system) / 1000);
  }
  const [medianMs, worstMs] = [round(median(times), 2), round(Math.max(...times), 1)];
  return { medianMs, worstMs, cpuMs: round(median(work), 2) };
}

async function disk(): Promise<Pick<RecorderFigures, "flushes">> {
  const names = (kind: string): string[] =>
    Array.from({ length: SPEAKERS }, (_, i) => join(directory, `${kind}-${i}`));
  const create = (kind: string): Promise<AppendFile[]> =>
    Promise.all(names(kind).map((name) => AppendFile.create(name, "track")));
  const plain = await Promise.all(names("plain").map((name) => open(name, "ax")));
  const written = await flushes(async (bytes) => {
    await Promise.all(plain.map((file) => file.write(bytes, 0, bytes.length)));
  });
  const together = await create("together");
  const synced = await flushes(async (bytes) => {
    await Promise.all(together.map((file) => (file.append(bytes), file.flush())));
  });
  const single = await create("single");
  const inTurn = await flushes(async (bytes) => {
    for (const file of single) {
      file.append(bytes);
      await file.flush();
    }
  });
  await Promise.all([...plain, ...together, ...single].map((file) => file.close()));
  return { flushes: { written, synced, inTurn } };
}

try {
  const figures: RecorderFigures = {
    ...{ speakers: SPEAKERS, windowMs: WINDOW_MS },
    ...(await plane()),
    ...(await disk()),
  };
  if (!quick) writeResult("recorder", { environment: environment("npm run bench -- recorder"), figures });
  console.log(recorderTable(figures));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
