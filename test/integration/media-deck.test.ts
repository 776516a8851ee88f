import { jest } from "@jest/globals";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Clock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { soundFilters } from "../../src/media/audio/filter-chain.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import { NO_FILTERS, type Filters } from "../../src/media/messages.ts";
import type { PlaneEvent, PlaneEventOf } from "../../src/media/plane.ts";
import { CaptureEngine } from "../fakes/capture-engine.ts";
import type { CapturedOutput } from "../fakes/capture-engine.ts";
import { channelOf, dominantFrequency, findClicks, findGaps, rmsDb } from "../support/measure.ts";
import { writeWav } from "../support/wav.ts";

/** From one track, place or filter to another, with the real ffmpeg, by what an engine gets. */
jest.setTimeout(30_000);
const run = promisify(execFile);
const RATE = 48_000;
// In a test's context every use of a global in a loop is slow.
const { PI, round, sin } = Math;
/** A sweep: at t seconds it has 400 + 60 t Hz, so that what is heard says where it is. */
const SWEEP = { fromHz: 400, hzPerS: 60, seconds: 40 };

let directory: string;
let engine: CaptureEngine;
let plane: InProcessPlane;
let events: PlaneEvent[];
/** Timers of the plane that were set. */
let timers: number;
let nextChannel = 0;
let outputs: Map<string, CapturedOutput>;
/** For each track the frame in which it was heard first. */
let starts: Map<string, number>;

const clock: Clock = {
  ...systemClock,
  timer(ms, run) {
    timers++;
    return systemClock.timer(ms, run);
  },
};

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "deck-"));
  const { fromHz, hzPerS, seconds } = SWEEP;
  // Noise beside it that comes and goes: what makes an encoder vary its rate.
  let noise = 1;
  await write("sweep.wav", seconds, (t) => {
    noise = (noise * 48_271) % 2_147_483_647;
    const hiss = t % 10 < 5 ? noise / 2 ** 30 - 1 : 0;
    return 0.4 * sin(2 * PI * (fromHz * t + (hzPerS / 2) * t * t)) + 0.1 * hiss;
  });
  await write("a.wav", 1.513, (t) => 0.25 * sin(440 * 2 * PI * t));
  await write("b.wav", 1.2, (t) => 0.25 * sin(660 * 2 * PI * t));
  for (const [name, args] of Object.entries(SEEKABLE))
    await run("ffmpeg", ["-v", "error", "-i", at("sweep.wav"), ...args, at(name)]);
});
afterAll(() => rm(directory, { recursive: true }));
beforeEach(() => {
  [events, timers] = [[], 0];
  [outputs, starts] = [new Map(), new Map()];
  engine = new CaptureEngine();
  plane = new InProcessPlane({ engine, clock, log: silentLog, ffmpegPath: null });
  plane.onEvent((event) => {
    events.push(event);
    if (event.kind === "track.started")
      starts.set(event.track, outputs.get(event.channel)?.frames.length ?? 0);
  });
});
afterEach(() => plane.close());

const SEEKABLE: Readonly<Record<string, string[]>> = {
  "no-table.mp3": ["-q:a", "4", "-write_xing", "0"],
  "s.m4a": ["-b:a", "128k"],
  "s.ogg": ["-q:a", "4"],
  "s.opus": ["-b:a", "96k"],
  "s.flac": [],
};

const at = (name: string): string => path.join(directory, name);
/** Mono, 16 bit. */
async function write(name: string, seconds: number, value: (t: number) => number): Promise<void> {
  const samples = new Int16Array(round(seconds * RATE));
  for (let i = 0; i < samples.length; i++) samples[i] = round(32_767 * value(i / RATE));
  await writeWav(at(name), samples, 1);
}

async function openChannel(): Promise<{ channel: string; output: CapturedOutput }> {
  const channel = `c${nextChannel++}`;
  const ice = { servers: [], allowPrivate: "true" as const };
  await plane.request({ kind: "channel.open", channel, ice, bitrate: 128_000 });
  await plane.request({ kind: "peer.offer", channel, peer: "p" });
  const output = engine.outputs.at(-1)!;
  outputs.set(channel, output);
  return { channel, output };
}

const play = (channel: string, name: string, positionMs = 0, track = name): Promise<object> =>
  plane.request({
    ...{ kind: "play.start", channel, track, positionMs, paused: false },
    source: { path: at(name) },
  });
const follow = (channel: string, name: string): Promise<object> =>
  plane.request({ kind: "play.next", channel, next: { track: name, source: { path: at(name) } } });
const filter = (channel: string, filters: Partial<Filters>): Promise<object> =>
  plane.request({ kind: "play.filters", channel, filters: { ...NO_FILTERS, ...filters } });

async function event<K extends PlaneEvent["kind"]>(
  kind: K,
  channel: string,
  track: string,
): Promise<PlaneEventOf<K>> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = events.find(
      (seen) => seen.kind === kind && "track" in seen && seen.channel === channel && seen.track === track,
    );
    if (found) return found as PlaneEventOf<K>;
    if (Date.now() > deadline) throw new Error(`no ${kind} of ${track}`);
    await pause(5);
  }
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
async function until(look: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!look()) {
    if (Date.now() > deadline) throw new Error("waited in vain");
    await pause(5);
  }
}
const began = (track: string): number => starts.get(track) ?? 0;
/** The left side of some frames. */
const samplesOf = (output: CapturedOutput, from: number, to: number): Float32Array =>
  Float32Array.from(
    output.frames.slice(from, to).flatMap(({ pcm }) => [...pcm].filter((_, i) => i % 2 === 0)),
    (value) => value / 32_768,
  );
const left = (output: CapturedOutput): Float32Array =>
  channelOf({ sampleRate: RATE, channels: 2, samples: output.samples() }, 0);

/** Where in the sweep the 100 ms around the middle of `samples` are from, in ms. */
function placeMs(samples: Float32Array): number {
  const middle = Math.floor(samples.length / 2);
  const hz = dominantFrequency(samples.subarray(middle - 2_050, middle + 2_050), RATE);
  return ((hz - SWEEP.fromHz) / SWEEP.hzPerS) * 1_000;
}

test("a track follows the one before in the same frame: every sample of both, no hole, no click", async () => {
  const { channel, output } = await openChannel();
  await play(channel, "a.wav");
  await follow(channel, "b.wav");
  expect(await event("track.ended", channel, "a.wav")).toMatchObject({
    reason: "finished",
    follows: "b.wav",
  });
  await event("track.ended", channel, "b.wav");
  const heard = left(output);
  const seam = Math.round(1.513 * RATE);
  expect(findGaps(heard, RATE, { minMs: 5, thresholdDb: -40 })).toEqual([]);
  expect(findClicks(heard, RATE)).toEqual([]);
  const [before, after] = [
    heard.subarray(seam - 9_600, seam - 240),
    heard.subarray(seam + 240, seam + 9_600),
  ];
  expect(dominantFrequency(before, RATE)).toBeCloseTo(440, 0);
  expect(dominantFrequency(after, RATE)).toBeCloseTo(660, 0);
  expect(rmsDb(before)).toBeCloseTo(rmsDb(after), 1);
  const end = Math.round((1.513 + 1.2) * RATE);
  expect(rmsDb(heard.subarray(end - 2_400, end - 1_500))).toBeGreaterThan(-40);
  expect(rmsDb(heard.subarray(end + 200))).toBe(-Infinity);
});

test("a skip and a seek fade from one sound into the other: no hole, no click", async () => {
  const { channel, output } = await openChannel();
  await play(channel, "a.wav");
  await event("track.started", channel, "a.wav");
  await pause(200);
  await play(channel, "b.wav");
  await event("track.started", channel, "b.wav");
  await pause(200);
  await play(channel, "a.wav", 700, "again");
  await event("track.ended", channel, "again");
  const heard = left(output);
  expect(findGaps(heard, RATE, { minMs: 10, thresholdDb: -40 })).toEqual([]);
  expect(findClicks(heard, RATE)).toEqual([]);
});

test("a seek is where it was asked for, in files with no table too", async () => {
  const channels: { name: string; channel: string; output: CapturedOutput }[] = [];
  for (const name of Object.keys(SEEKABLE)) channels.push({ name, ...(await openChannel()) });
  const errors = await Promise.all(
    channels.map(async ({ name, channel, output }) => {
      const found: number[] = [];
      for (const positionMs of [23_210, 3_333, 35_000]) {
        const track = `${name} ${positionMs}`;
        await play(channel, name, positionMs, track);
        await event("track.started", channel, track);
        await until(() => output.frames.length >= began(track) + 12);
        // From its third frame on: in the first two something else may fade.
        const samples = samplesOf(output, began(track) + 2, began(track) + 12);
        expect(rmsDb(samples.subarray(0, 960))).toBeGreaterThan(-20);
        found.push(placeMs(samples) - positionMs - 140);
      }
      return { name, found };
    }),
  );
  for (const { name, found } of errors)
    expect([name, found.filter((error) => Math.abs(error) > 60)]).toEqual([name, []]);
});

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Places of the sweep, one for each frame: that in the middle of 100 ms. */
const placesOf = (output: CapturedOutput, from: number, to: number): number[] =>
  Array.from({ length: to - from - 4 }, (_, i) => placeMs(samplesOf(output, from + i, from + i + 5)));

/**
 * How far it jumps, in ms of the track, where one speed gives way to another; negative: it repeats. Between the two, while one
 * fades into the other, the sweep's pitch says nothing.
 */
function jumpMs(places: readonly number[], speedBefore: number, speedAfter: number): number {
  const lineOf = (from: number, to: number, speed: number): number =>
    median(places.slice(from, to).map((place, i) => place - (from + i) * 20 * speed));
  const before = lineOf(0, 8, speedBefore);
  const after = lineOf(places.length - 8, places.length, speedAfter);
  if (speedBefore === speedAfter) return after - before;
  const left = places.findIndex((place, i) => Math.abs(place - before - i * 20 * speedBefore) > 20);
  return after - before + left * 20 * (speedAfter - speedBefore);
}

test("filters change in mid-track: it goes on where it is, without a hole, and is not started again", async () => {
  const { channel, output } = await openChannel();
  await play(channel, "sweep.wav", 10_000, "sweep");
  await event("track.started", channel, "sweep");
  await until(() => output.frames.length >= 15);
  const changes = [{ bassDb: 6, trebleDb: -3, mono: true, night: true }, { speed: 2 }, {}];
  let speed = 1;
  for (const filters of changes) {
    const before = output.frames.length;
    const speedBefore = speed;
    speed = filters.speed ?? 1;
    await filter(channel, filters);
    const lately = (): number[] => placesOf(output, output.frames.length - 15, output.frames.length);
    const pace = (): number => (lately().at(-1)! - lately()[0]!) / (20 * (lately().length - 1));
    await until(() => output.frames.length >= before + 35 && Math.abs(pace() - speed) < 0.1);
    expect(
      findGaps(samplesOf(output, before - 10, before + 35), RATE, { minMs: 10, thresholdDb: -45 }),
    ).toEqual([]);
    const places = placesOf(output, before - 10, output.frames.length);
    // Where the speed changes, when it does is known to the frame only.
    expect({
      filters,
      isJump: Math.abs(jumpMs(places, speedBefore, speed)) > (speed === speedBefore ? 20 : 60),
    }).toEqual({ filters, isJump: false });
  }
  await filter(channel, { pitch: 12 });
  await until(() => samplesOf(output, output.frames.length - 5, output.frames.length).length === 4_800);
  const pitched = (): number =>
    placeMs(samplesOf(output, output.frames.length - 5, output.frames.length)) / 1_000;
  // An octave up: as if the sweep were elsewhere.
  await until(() => pitched() > 16);
  expect(events.filter(({ kind }) => kind === "track.started")).toHaveLength(1);
});

test("ffmpeg takes what it is given for every filter, with and without rubberband", async () => {
  const extremes: Partial<Filters>[] = [
    { bassDb: 12, trebleDb: 12, speed: 2, pitch: -12, mono: true, night: true },
    { bassDb: -12, trebleDb: -12, speed: 0.5, pitch: 12 },
    { speed: 1.33, night: true, eq: [20, 400, 20_000].map((hz) => ({ hz, db: 12 })) },
  ];
  for (const filters of extremes)
    for (const rubberband of [true, false]) {
      const { args } = soundFilters({ ...NO_FILTERS, ...filters }, rubberband);
      const { stdout } = await run(
        "ffmpeg",
        ["-v", "error", "-i", at("b.wav"), ...args, "-f", "s16le", "-ac", "2", "pipe:1"],
        { encoding: "buffer", maxBuffer: 2 ** 24 },
      );
      const seconds = stdout.length / 4 / RATE;
      expect(Math.abs(seconds * (filters.speed ?? 1) - 1.2)).toBeLessThan(0.2);
    }
});

test("a pause in the last moment of a track holds the one that follows; a skip takes it from where it stands by, with the gain of then", async () => {
  const { channel, output } = await openChannel();
  await write("brief.wav", 0.5, (t) => 0.3 * Math.sin(440 * 2 * Math.PI * t));
  await play(channel, "brief.wav");
  await follow(channel, "b.wav");
  const first = output.frames.length;
  const paused = new Promise<unknown>((resolve) => {
    output.onFrame = (index) => {
      if (index === first + 23) resolve(plane.request({ kind: "play.pause", channel }));
    };
  });
  await paused;
  const { follows } = await event("track.ended", channel, "brief.wav");
  expect(follows).toBe("b.wav");
  const { length } = output.frames;
  await pause(250);
  expect(rmsDb(left(output).subarray((length + 1) * 960))).toBe(-Infinity);
  expect(starts.has("b.wav")).toBe(false);
  await plane.request({ kind: "play.resume", channel });
  await event("track.started", channel, "b.wav");

  await plane.request({
    ...{ kind: "play.next", channel, next: { track: "again", source: { path: at("b.wav") }, gainDb: -6 } },
  });
  await pause(150);
  await plane.request({
    ...{ kind: "play.start", channel, track: "again", positionMs: 0, paused: false, gainDb: -26 },
    source: { path: at("b.wav") },
  });
  await event("track.started", channel, "again");
  await pause(200);
  const frames = output.frames.length;
  const level = (from: number): number => rmsDb(left(output).subarray(from * 960, (from + 4) * 960));
  expect(level(frames - 5) - level((starts.get("again") ?? 0) - 5)).toBeCloseTo(-26, 0);
  expect(findClicks(left(output), RATE)).toEqual([]);
});

test("a pause fades within 30 ms and then costs no timer; nothing is lost by it", async () => {
  const { channel, output } = await openChannel();
  await play(channel, "a.wav");
  await event("track.started", channel, "a.wav");
  await pause(300);
  const before = output.frames.length;
  await plane.request({ kind: "play.pause", channel });
  await pause(400);
  const rest = left(output).subarray(before * 960);
  expect(rmsDb(rest.subarray(60 * 48))).toBe(-Infinity);
  [timers] = [0];
  const { length } = output.frames;
  await pause(600);
  expect([timers, output.frames.length]).toEqual([0, length]);
  await plane.request({ kind: "play.resume", channel });
  const { positionMs } = await event("track.ended", channel, "a.wav");
  expect(positionMs).toBeCloseTo(1_513, -1);
  expect(findClicks(left(output), RATE)).toEqual([]);
});
