// One voice under several identities at once, recorded by the whole bot: their tracks must be the same at the same time.
import { cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { exportRecording } from "../../src/recorder/export/export.ts";
import type { ExportFormat } from "../../src/recorder/exporter.ts";
import { decodeFile } from "./decode.ts";
import { Person } from "./people.ts";
import { exportJob } from "./recording.ts";
import { sleep, type Stage } from "./stage.ts";

// Jest runs tests in a vm context, where every use of a global in a loop is slow; a module's own names are not.
const { abs, floor, round, sqrt } = Math;

/**
 * Records a page that says the same under `identities` state keys for `lengthMs`. Gives a copy of the recording's folder, which
 * the caller removes.
 */
export async function recordSameVoice(
  stage: Stage,
  { identities, lengthMs }: { identities: number; lengthMs: number },
): Promise<string> {
  const scene = await stage.scene();
  const { page } = await scene.hostPage("Chrome", { clip: "first-light.mp3", gainDb: -6, loop: true });
  await page.join();
  await scene.command("!record start", /Recording/);
  await page.connected(scene.botKey);
  for (let i = 1; i < identities; i++) {
    const user = await stage.user(`twin${i}`);
    const person = await Person.start(user);
    await scene.host.invite(scene.roomId, user.userId);
    await person.join(scene.roomId);
    await person.stop();
    await page.also(user, `twin${i}`, scene.botKey);
  }
  await sleep(lengthMs);
  await scene.command("!record stop", /Recording ended/);
  const recordings = join(scene.bot.dataDir, "recordings");
  const [id] = await readdir(recordings);
  const exported = join(recordings, id ?? "", "export");
  for (const deadline = performance.now() + lengthMs + 120_000; ; await sleep(200)) {
    if (await stat(exported).catch(() => null)) break;
    if (performance.now() > deadline) throw new Error("the recording was not exported");
  }
  const copy = await mkdtemp(join(tmpdir(), "voicebot-same-"));
  await cp(join(recordings, id ?? ""), copy, { recursive: true });
  return copy;
}

/** The voices of a recording's folder, exported and decoded. */
export async function exportedVoices(directory: string, format: ExportFormat): Promise<Float32Array[]> {
  await rm(join(directory, "export"), { recursive: true, force: true });
  const deps = { clock: systemClock, log: silentLog, onProgress: () => undefined };
  const { tracks } = await exportRecording(exportJob(directory, { format }), deps);
  const voices = tracks.filter(({ what }) => what === "voice");
  const decoded: Float32Array[] = [];
  for (const { file } of voices)
    decoded.push((await decodeFile(join(directory, "export", file), { sampleRate: RATE })).samples);
  return decoded;
}

/** 0.06 ms: fine enough, and what voices share is below 8 kHz. */
const RATE = 16_000;
const WINDOW = RATE / 2;
const EVERY = 5 * RATE;
/** What is looked for around the same time, to each side. */
const LAGS = round(0.2 * RATE);
/** Where two windows are less alike than that, one of them was concealed or silent. */
const ALIKE = 0.6;

/** By how many ms the second track is later than the first, every five seconds where both have the same to say. */
export function offsetsBetween(first: Float32Array, second: Float32Array): number[] {
  const offsets: number[] = [];
  for (let at = EVERY; at + WINDOW + LAGS < first.length; at += EVERY) {
    let [best, lag] = [0, 0];
    const own = energy(first, at);
    for (let by = -LAGS; by <= LAGS; by++) {
      let sum = 0;
      for (let i = 0; i < WINDOW; i++) sum += first[at + i]! * (second[at + by + i] ?? 0);
      const alike = sum / sqrt(own * energy(second, at + by) + 1e-9);
      if (alike > best) [best, lag] = [alike, by];
    }
    if (best > ALIKE) offsets.push((lag * 1_000) / RATE);
  }
  return offsets;
}

function energy(samples: Float32Array, at: number): number {
  let sum = 0;
  for (let i = 0; i < WINDOW; i++) sum += (samples[at + i] ?? 0) ** 2;
  return sum;
}

export interface Apart {
  windows: number;
  maxMs: number;
  p99Ms: number;
}

/** How far tracks of the same voice are apart, over all pairs. */
export function apart(voices: readonly Float32Array[]): Apart {
  const all: number[] = [];
  for (const [i, first] of voices.entries())
    for (const second of voices.slice(i + 1)) all.push(...offsetsBetween(first, second).map(abs));
  const sorted = all.sort((a, b) => a - b);
  return {
    ...{ windows: sorted.length, maxMs: sorted.at(-1) ?? NaN },
    p99Ms: sorted[floor(0.99 * (sorted.length - 1))] ?? NaN,
  };
}
