// How exact a seek is and how soon it sounds, and how much silence is between one track and the next, for each kind of file: the
// media plane in this process with the real ffmpeg, up to the frames that an engine gets. `npm run bench -- seek` leaves
// bench/results/seek.json. Nothing here passes or fails.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../src/base/log.ts";
import { systemClock } from "../src/base/system-clock.ts";
import { InProcessPlane } from "../src/media/in-process.ts";
import { CaptureEngine, type CapturedOutput } from "../test/fakes/capture-engine.ts";
import { channelOf, dominantFrequency, rmsDb } from "../test/support/measure.ts";
import type { SeekFigures, SeekRow } from "./support/figures.ts";
import { environment, writeResult } from "./support/results.ts";
import { seekTable } from "./support/tables.ts";

const quick = process.argv.includes("--quick");
const RATE = 48_000;
/** At t seconds the sweep has 400 + 20 t Hz: what is heard says where it is. */
const [FROM_HZ, HZ_PER_S, SECONDS] = [400, 20, 240];
const PLACES_MS = quick
  ? [61_234, 7_300]
  : [500, 7_300, 29_950, 61_234, 100_000, 133_700, 180_010, 200_500, 235_200, 3_333, 90_001, 150_505];
const QUIET_DB = -50;
const FORMATS: readonly (readonly [name: string, file: string, args: readonly string[]])[] = [
  ["MP3, variable rate, no table", "a.mp3", ["-q:a", "4", "-write_xing", "0"]],
  ["MP3, variable rate, with table", "b.mp3", ["-q:a", "4"]],
  ["MP3, 128 kbit/s, no table", "c.mp3", ["-b:a", "128k", "-write_xing", "0"]],
  ["AAC in MP4, index at the end", "d.m4a", ["-b:a", "128k"]],
  ["AAC, ADTS", "e.aac", ["-b:a", "128k"]],
  ["Vorbis in Ogg", "f.ogg", ["-q:a", "4"]],
  ["Opus in Ogg", "g.opus", ["-b:a", "96k"]],
  ["Opus in WebM", "h.webm", ["-b:a", "96k", "-c:a", "libopus"]],
  ["FLAC, no table", "i.flac", []],
  ["WMA", "j.wma", ["-b:a", "128k"]],
  ["WAV", "k.wav", []],
  ["AIFF", "l.aiff", []],
];

const directory = mkdtempSync(join(tmpdir(), "voicebot-seek-"));
const at = (name: string): string => join(directory, name);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Mono, 16 bit. */
function write(name: string, seconds: number, value: (t: number) => number): void {
  const samples = Int16Array.from({ length: Math.round(seconds * RATE) }, (_, i) =>
    Math.round(32_767 * value(i / RATE)),
  );
  writeFileSync(at("raw"), new Uint8Array(samples.buffer));
  spawnSync("ffmpeg", [
    "-v",
    "error",
    "-f",
    "s16le",
    "-ar",
    String(RATE),
    "-ac",
    "1",
    "-i",
    at("raw"),
    at(name),
  ]);
}

const encode = (from: string, to: string, args: readonly string[]): unknown =>
  spawnSync("ffmpeg", ["-v", "error", "-y", "-i", at(from), ...args, at(to)]);

const engine = new CaptureEngine();
const plane = new InProcessPlane({ engine, clock: systemClock, log: silentLog, ffmpegPath: null });
const channel = "bench";
/** When each track was heard first, and in which frame. */
const starts = new Map<string, { atMs: number; frame: number }>();
const ends = new Set<string>();
let output: CapturedOutput | undefined;

plane.onEvent((event) => {
  if (event.kind === "track.started")
    starts.set(event.track, { atMs: performance.now(), frame: output?.frames.length ?? 0 });
  if (event.kind === "track.ended") ends.add(event.track);
});

async function until(look: () => boolean): Promise<void> {
  for (let waited = 0; !look(); waited += 5) {
    if (waited > 20_000) throw new Error("waited in vain");
    await pause(5);
  }
}

/** The left side of some frames. */
function samplesOf(from: number, to: number): Float32Array {
  const part = output?.frames.slice(from, to) ?? [];
  const samples = Float32Array.from(
    part.flatMap(({ pcm }) => [...pcm]),
    (value) => value / 32_768,
  );
  return channelOf({ sampleRate: RATE, channels: 2, samples }, 0);
}

const play = (file: string, positionMs: number, track: string): Promise<unknown> =>
  plane.request({
    ...{ kind: "play.start", channel, track, positionMs, paused: false },
    source: { path: at(file) },
  });

async function seeks(file: string): Promise<Pick<SeekRow, "errorsMs" | "waitsMs">> {
  const [errorsMs, waitsMs]: [number[], number[]] = [[], []];
  await play(file, 120_000, `${file} before`);
  await until(() => starts.has(`${file} before`));
  for (const positionMs of PLACES_MS) {
    await pause(300);
    const track = `${file} ${positionMs}`;
    const askedMs = performance.now();
    await play(file, positionMs, track);
    await until(() => starts.has(track));
    const { atMs, frame } = starts.get(track) ?? { atMs: NaN, frame: 0 };
    waitsMs.push(Math.round(atMs - askedMs));
    await until(() => (output?.frames.length ?? 0) >= frame + 12);
    // Its first two frames have what fades in them.
    const hz = dominantFrequency(samplesOf(frame + 2, frame + 12), RATE);
    errorsMs.push(Math.round(((hz - FROM_HZ) / HZ_PER_S) * 1_000 - 140 - positionMs));
  }
  return { errorsMs, waitsMs };
}

/** The longest silence around where one tone follows another, ms. */
async function gap(file: string, args: readonly string[]): Promise<number> {
  const [one, two] = [`one-${file}`, `two-${file}`];
  encode("one.wav", one, args);
  encode("two.wav", two, args);
  await play(one, 0, one);
  await plane.request({ kind: "play.next", channel, next: { track: two, source: { path: at(two) } } });
  await until(() => starts.has(two));
  const { frame } = starts.get(two) ?? { frame: 0 };
  await until(() => (output?.frames.length ?? 0) >= frame + 15);
  const samples = samplesOf(frame - 15, frame + 15);
  let [quiet, longest] = [0, 0];
  for (let from = 0; from + 48 <= samples.length; from += 48) {
    quiet = rmsDb(samples.subarray(from, from + 48)) < QUIET_DB ? quiet + 1 : 0;
    longest = Math.max(longest, quiet);
  }
  return longest;
}

try {
  let noise = 1;
  write("sweep.wav", SECONDS, (t) => {
    // Noise that comes and goes: what makes an encoder vary its rate.
    noise = (noise * 48_271) % 2_147_483_647;
    const hiss = t % 20 < 10 ? noise / 2 ** 30 - 1 : 0;
    return 0.4 * Math.sin(2 * Math.PI * (FROM_HZ * t + (HZ_PER_S / 2) * t * t)) + 0.1 * hiss;
  });
  write("one.wav", 1.513, (t) => 0.3 * Math.sin(440 * 2 * Math.PI * t));
  write("two.wav", 1.2, (t) => 0.3 * Math.sin(660 * 2 * Math.PI * t));
  const ice = { servers: [], allowPrivate: "true" as const };
  await plane.request({ kind: "channel.open", channel, ice, bitrate: 128_000 });
  await plane.request({ kind: "peer.offer", channel, peer: "p" });
  output = engine.outputs[0];
  const rows: SeekRow[] = [];
  for (const [name, file, args] of FORMATS) {
    encode("sweep.wav", file, args);
    rows.push({ name, ...(await seeks(file)), gapMs: await gap(file, args) });
    rmSync(at(file));
  }
  const figures: SeekFigures = { rows };
  if (!quick) writeResult("seek", { environment: environment("npm run bench -- seek"), figures });
  console.log(seekTable(figures));
} finally {
  await plane.close();
  rmSync(directory, { recursive: true, force: true });
}
