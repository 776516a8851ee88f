import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { jest } from "@jest/globals";
import { Decoder } from "@evan/opus";
import type { Clock } from "../../src/base/clock.ts";
import { CEILING_DB } from "../../src/base/loudness.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { createOpusEncoder } from "../../src/media/audio/encoder.ts";
import { FRAME_VALUES } from "../../src/media/audio/pcm.ts";
import { measureBeforehand } from "../../src/media/audio/scan.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import { LevelledPlane } from "../../src/player/loudness/levelled-plane.ts";
import { LoudnessScans } from "../../src/player/loudness/scans.ts";
import { localIce, until, Watched } from "../contract/plane-rig.ts";
import { CaptureEngine } from "../fakes/capture-engine.ts";
import { childrenOf } from "../support/bot.ts";
import { fromInt16, rmsDb } from "../support/measure.ts";
import { loudnessOf, writeTune } from "../support/loudness.ts";
import { writeWav } from "../support/wav.ts";

/** Files of all loudnesses through the whole media plane, with real ffmpeg, on a clock that runs eight times as fast. */
jest.setTimeout(30_000);

const run = promisify(execFile);
const log = silentLog;
const channel = "room";
const clockAt = (speed: number): Clock => ({
  now: () => systemClock.now() * speed,
  wall: () => systemClock.wall(),
  timer: (delayMs, then) => systemClock.timer(delayMs / speed, then),
});

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "loudness-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Listening {
  engine: CaptureEngine;
  watched: Watched;
  scans: LoudnessScans;
  /** What left the mixer since the last call. */
  heard: () => Int16Array;
  play: (file: string) => Promise<void>;
  close: () => Promise<void>;
}

let number = 0;

async function listen(clock = clockAt(8)): Promise<Listening> {
  const engine = new CaptureEngine();
  const watched = new Watched(new InProcessPlane({ engine, clock, log, ffmpegPath: null }));
  const { plane } = watched;
  const scans = new LoudnessScans({ dataDir: path.join(directory, `data${number++}`), log });
  const levelled = new LevelledPlane({ plane, channel, scans, clock, wish: () => "on" });
  await plane.request({ kind: "channel.open", channel, ice: localIce, bitrate: 128_000 });
  await plane.request({ kind: "peer.offer", channel, peer: "listener" });
  let from = 0;
  return {
    ...{ engine, watched, scans },
    heard() {
      const frames = engine.outputs[0]!.frames.slice(from);
      from += frames.length;
      const all = new Int16Array(frames.length * FRAME_VALUES);
      frames.forEach(({ pcm }, i) => all.set(pcm, i * FRAME_VALUES));
      return all;
    },
    async play(file) {
      const track = path.basename(file);
      const source = { path: file };
      await levelled.request({ kind: "play.start", channel, track, source, positionMs: 0, paused: false });
      await watched.event("track.ended", (event) => event.track === track);
    },
    async close() {
      scans.close();
      await plane.close();
    },
  };
}

/** As a listener's client decodes it. */
async function decoded(pcm: Int16Array, name: string): Promise<{ lufs: number; truePeakDb: number }> {
  const encoder = createOpusEncoder(128_000);
  const decoder = new Decoder({ channels: 2, sample_rate: 48_000 });
  const out = new Int16Array(pcm.length);
  for (let at = 0; at + FRAME_VALUES <= pcm.length; at += FRAME_VALUES) {
    const packet = encoder.encode(pcm.slice(at, at + FRAME_VALUES));
    const { buffer, byteOffset } = decoder.decode(packet);
    out.set(new Int16Array(buffer, byteOffset, FRAME_VALUES), at);
  }
  encoder.close();
  return loudnessOf(await writeWav(path.join(directory, name), out));
}

test("tracks made at -6 and at -30 LUFS reach a listener at -16, within 1 LU of one another", async () => {
  const files = [];
  for (const lufs of [-6, -30]) {
    const file = await writeTune(path.join(directory, `made${lufs}.wav`), lufs, 3);
    expect(Math.abs((await loudnessOf(file)).lufs - lufs)).toBeLessThan(1);
    files.push(file);
  }
  const listening = await listen();
  try {
    const { scans, watched } = listening;
    const heard = [];
    for (const file of files) {
      await scans.measure(file, watched.plane);
      listening.heard();
      await listening.play(file);
      heard.push((await decoded(listening.heard(), "heard.wav")).lufs);
    }
    const [loud = 0, quiet = 0] = heard;
    expect(Math.abs(loud - quiet)).toBeLessThan(1);
    for (const lufs of heard) expect(Math.abs(lufs + 16)).toBeLessThan(1);
  } finally {
    await listening.close();
  }
});

test("a file that nobody has measured sounds at once, and is as loud as the others three seconds later", async () => {
  const file = await writeTune(path.join(directory, "unknown.wav"), -27, 8);
  const listening = await listen();
  try {
    await listening.play(file);
    const heard = listening.heard();
    const part = async (fromS: number, toS: number): Promise<number> => {
      const samples = heard.slice(fromS * 96_000, toS * 96_000);
      return (await loudnessOf(await writeWav(path.join(directory, "part.wav"), samples))).lufs;
    };
    // The scan has taken one or two seconds of this clock.
    expect(Math.abs((await part(6, 8)) + 16)).toBeLessThan(1);
    expect(await part(0, 1)).toBeLessThan(-19);
    const known = await listening.scans.known(file);
    expect(Math.abs(known!.lufs! + 27)).toBeLessThan(0.5);
  } finally {
    await listening.close();
  }
});

test("until it is measured, a file is as loud as its own tags say: ReplayGain in mp3 and FLAC, R128 in Opus", async () => {
  const listening = await listen();
  try {
    for (const [ending, tag, lufs] of [
      ["mp3", "REPLAYGAIN_TRACK_GAIN=-6.00 dB", -12],
      ["flac", "replaygain_track_gain=+4.5 dB", -22.5],
      ["opus", "R128_TRACK_GAIN=-2560", -13],
    ] as const) {
      const wav = await writeTune(path.join(directory, `tags-${ending}.wav`), lufs, 2);
      const file = path.join(directory, `tagged.${ending}`);
      await run("ffmpeg", ["-v", "error", "-y", "-i", wav, "-metadata", tag, file]);
      const { watched } = listening;
      listening.heard();
      // What is asked for an unknown file, without the scan that would follow.
      await watched.plane.request({
        ...{ kind: "play.start", channel, track: ending, source: { path: file } },
        ...{ positionMs: 0, paused: false, gainDb: -6, tagsToLufs: -16 },
      });
      await watched.event("track.ended", ({ track }) => track === ending);
      const heard = await loudnessOf(await writeWav(path.join(directory, "tagged.wav"), listening.heard()));
      expect(Math.abs(heard.lufs + 16)).toBeLessThan(1);
    }
  } finally {
    await listening.close();
  }
});

test("whatever people turn up, nothing leaves the mixer above its ceiling, nor a listener's decoder above -1 dBTP", async () => {
  const file = await writeTune(path.join(directory, "turned-up.wav"), -8, 2);
  const listening = await listen();
  try {
    const { plane } = listening.watched;
    await listening.scans.measure(file, plane);
    await plane.request({ kind: "play.volume", channel, percent: 200 });
    await plane.request({
      ...{ kind: "play.start", channel, track: "loud", source: { path: file }, positionMs: 0, paused: false },
      gainDb: 6,
    });
    await listening.watched.event("track.ended");
    const mixed = listening.heard();
    const heard = await loudnessOf(await writeWav(path.join(directory, "loud.wav"), mixed));
    expect(heard.truePeakDb).toBeLessThanOrEqual(CEILING_DB);
    const [encoder, decoder] = [
      createOpusEncoder(128_000),
      new Decoder({ channels: 2, sample_rate: 48_000 }),
    ];
    const decoded = new Int16Array(mixed.length);
    for (let at = 0; at < mixed.length; at += FRAME_VALUES) {
      const pcm = decoder.decode(encoder.encode(mixed.subarray(at, at + FRAME_VALUES)));
      decoded.set(new Int16Array(pcm.buffer, pcm.byteOffset, FRAME_VALUES), at);
    }
    const listened = await loudnessOf(await writeWav(path.join(directory, "listened.wav"), decoded));
    expect(listened.truePeakDb).toBeLessThanOrEqual(-1);
    expect(heard.lufs).toBeGreaterThan(-12);
  } finally {
    await listening.close();
  }
});

test("music goes down by 12 dB while somebody speaks, stays down between words, and comes back", async () => {
  const file = await writeTune(path.join(directory, "ducked.wav"), -16, 6);
  // Slower than the others: what a stall of the machine lasts must be short against a pause between words.
  const listening = await listen(clockAt(2));
  try {
    const { watched, engine } = listening;
    await watched.plane.request({ kind: "duck", channel, db: 12 });
    await listening.scans.measure(file, watched.plane);
    // Words of 400 ms with gaps of 300 from 1.5 s on, in step with what is heard; silence before and after.
    const [voice, silence] = [new Int16Array(960), new Int16Array(960)];
    voice.forEach((_, i) => (voice[i] = Math.round(6_000 * Math.sin(i / 4))));
    const isVoice = (ms: number): boolean => ms >= 1_500 && ms < 3_300 && (ms - 1_500) % 700 < 400;
    engine.outputs[0]!.onFrame = (index) => {
      const about = { timestamp: index * 960, arrivalMs: 0, channels: 1, sampleRate: 48_000 };
      const samples = isVoice(index * 20) ? voice : silence;
      engine.listeners[0]!.onAudio({ kind: "pcm", samples, ...about });
    };
    await listening.play(file);
    const heard = fromInt16(listening.heard());
    const level = (fromS: number, toS: number): number => rmsDb(heard.slice(fromS * 96_000, toS * 96_000));
    const before = level(0.2, 1.5);
    expect(Math.abs(level(2, 3.4) - before + 12)).toBeLessThan(1.5);
    for (const gapS of [1.95, 2.65]) expect(level(gapS, gapS + 0.2) - before).toBeLessThan(-9);
    expect(Math.abs(level(4.9, 5.9) - before)).toBeLessThan(1.5);
  } finally {
    await listening.close();
  }
});

test("a scan says what ffmpeg's own meter says, and refuses what is no sound", async () => {
  const listening = await listen();
  try {
    const { plane } = listening.watched;
    const file = await writeTune(path.join(directory, "scan.wav"), -14, 6);
    const mono = path.join(directory, "mono.flac");
    await run("ffmpeg", ["-v", "error", "-y", "-i", file, "-ac", "1", "-ar", "44100", mono]);
    for (const each of [file, mono]) {
      const known = await loudnessOf(each);
      const scanned = await plane.request({ kind: "loudness.scan", source: { path: each } });
      expect(Math.abs(scanned.lufs! - known.lufs)).toBeLessThan(0.3);
      expect(Math.abs(scanned.truePeakDb! - known.truePeakDb)).toBeLessThan(0.3);
      expect(scanned.durationMs).toBeCloseTo(6_000, -2);
    }
    const silent = await writeWav(path.join(directory, "silent.wav"), new Int16Array(96_000));
    expect(await plane.request({ kind: "loudness.scan", source: { path: silent } })).toMatchObject({
      lufs: null,
      truePeakDb: null,
    });
    await expect(
      plane.request({ kind: "loudness.scan", source: { path: path.join(directory, "missing.wav") } }),
    ).rejects.toMatchObject({ code: "media_unreadable" });
  } finally {
    await listening.close();
  }
});

test("what nobody waits for is measured the same at a rate, by its tags alone where they say enough, and ends when it is not wanted", async () => {
  const file = await writeTune(path.join(directory, "beforehand.wav"), -14, 6);
  const { signal } = new AbortController();
  const how = { clock: systemClock, log, signal, rate: 24 };
  const known = await loudnessOf(file);
  const measured = await measureBeforehand("ffmpeg", file, how);
  expect(measured).toMatchObject({ isTagged: false, usedMs: expect.any(Number) });
  expect(Math.abs(measured.lufs! - known.lufs)).toBeLessThan(0.3);
  expect(measured.soundMs).toBeCloseTo(6_000, -2);
  const tagged = path.join(directory, "tagged.flac");
  const tag = (text: string): Promise<unknown> =>
    run("ffmpeg", [
      ...["-v", "error", "-y", "-i", file, "-metadata", `REPLAYGAIN_TRACK_GAIN=${text}`, tagged],
    ]);
  await tag("-4.5 dB");
  // So slow that it would take half an hour.
  expect(await measureBeforehand("ffmpeg", tagged, { ...how, rate: 0.01 })).toMatchObject({ isTagged: true });
  for (const lie of ["+60 dB", "nan", "1e999"]) {
    await tag(lie);
    const found = await measureBeforehand("ffmpeg", tagged, how);
    expect(Math.abs(found.lufs! - known.lufs)).toBeLessThan(0.3);
  }
  const ending = new AbortController();
  const unwanted = measureBeforehand("ffmpeg", file, { ...how, rate: 0.01, signal: ending.signal });
  ending.abort();
  await expect(unwanted).rejects.toMatchObject({ code: "cancelled" });
});

test("a measurement ends with who wanted it, also when that is killed", async () => {
  const file = path.join(directory, "hours.wav");
  const sine = ["-f", "lavfi", "-i", "sine=frequency=440:duration=600", "-ar", "8000"];
  await run("ffmpeg", ["-v", "error", ...sine, file]);
  const href = (name: string): string => JSON.stringify(new URL(`../../src/${name}`, import.meta.url).href);
  const source = `const { measureBeforehand } = await import(${href("media/audio/scan.ts")});
    const { systemClock: clock } = await import(${href("base/system-clock.ts")});
    const { silentLog: log } = await import(${href("base/log.ts")});
    const signal = new AbortController().signal;
    void measureBeforehand("ffmpeg", ${JSON.stringify(file)}, { clock, log, rate: 1, signal });`;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: "ignore" });
  try {
    const program = await until("its program", () => childrenOf(owner.pid!)[0]);
    owner.kill("SIGKILL");
    await until("its end", () => hasEnded(program) || undefined);
  } finally {
    owner.kill("SIGKILL");
  }
});

/** Also where nobody asks how. */
function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}
