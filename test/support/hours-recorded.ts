/**
 * A recording of many hours in minutes: packets of all speakers through the media plane's own parts by a simulated clock, on
 * a real file system. Prints one line of JSON for each simulated hour. Run with `--expose-gc` and a directory in memory:
 * what was written is cut off again and again, so that no disk holds a week of sound.
 */
import { readdir, stat, truncate } from "node:fs/promises";
import path from "node:path";
import { KeptSound } from "../../src/media/kept-sound.ts";
import { FakeClock } from "../fakes/clock.ts";
import { aPlaneContext } from "../fakes/plane-context.ts";

export interface HoursOptions {
  directory: string;
  speakers: number;
  hours: number;
}

export interface HourSample {
  hour: number;
  rss: number;
  heapUsed: number;
  external: number;
  arrayBuffers: number;
  /** Written so far, in bytes. */
  written: number;
  files: number;
  failed: string | null;
}

const EPOCH_MS = 600_000;
const REJOIN_EVERY_S = 1_800;
const CUT_EVERY_S = 600;
const FRAMES = 50;

const { directory, speakers: count, hours } = JSON.parse(process.argv[2] ?? "") as HoursOptions;
const speakers = Array.from({ length: count }, (_, i) => `speaker ${i}`);
const clock = new FakeClock(EPOCH_MS);
const payload = new Uint8Array(94).fill(7);
let [written, files] = [0, 0];
const told: { failed: string | null } = { failed: null };

const context = aPlaneContext({
  clock,
  engine: Object.assign(aPlaneContext().engine, { name: "simulated", audio: "opus", hasClock: true }),
  emit: (event) => {
    if (event.kind === "record.track") files++;
    if (event.kind === "record.failed") told.failed = event.detail;
  },
});
const kept = new KeptSound("room", context, () => speakers.map((speaker) => [speaker, 40] as const));

/** One second of everybody and of the music, then the clock moves and the files are flushed. */
async function second(index: number): Promise<void> {
  const now = clock.now();
  for (let frame = 0; frame < FRAMES; frame++) {
    const at = index * FRAMES + frame;
    const common = { payload, timestamp: (at * 960) % 2 ** 32, marker: false };
    for (const [i, speaker] of speakers.entries())
      kept.audio(speaker, {
        ...{ kind: "opus", ...common, ssrc: i + 1, sequence: at & 0xffff },
        ...{ arrivalMs: now + frame * 20, levelDbov: -20 },
      });
    kept.music({ ...common, atMs: now + frame * 20, sounds: true });
  }
  if (index % 5 === 0)
    for (const [i, speaker] of speakers.entries())
      kept.senderClock(speaker, { ssrc: i + 1, ntpMs: now, timestamp: 1, arrivalMs: now });
  if (index % REJOIN_EVERY_S === 0) {
    await kept.allow(speakers.slice(2));
    await kept.allow(speakers);
  }
  clock.tick(1_000);
  // The recording's timer is set anew when the disk has everything; the other is that of the clips.
  while (clock.pending < 2 && told.failed === null)
    await new Promise<void>((resolve) => setImmediate(resolve));
}

async function cut(): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = path.join(directory, name);
    written += (await stat(file)).size;
    await truncate(file);
  }
}

async function report(hour: number): Promise<void> {
  await cut();
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const sample: HourSample = { hour, rss, heapUsed, external, arrayBuffers, written, files, ...told };
  console.log(JSON.stringify(sample));
}

await kept.start({ recording: "hours", directory, speakers });
kept.keepClip(speakers, 120);
const seconds = hours * 3600;
for (let index = 1; index <= seconds && told.failed === null; index++) {
  await second(index);
  if (index % CUT_EVERY_S === 0) await cut();
  // The first is of a quarter of an hour: code is compiled, rings are full, pools have their size.
  if (index === 900) await report(0.25);
  if (index % 3600 === 0) await report(index / 3600);
}
await kept.close();
if (clock.pending > 0) throw new Error("a timer was left behind");
