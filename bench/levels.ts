// How near to its loudness a track comes, and what levels cost: the limiter, a listener with a volume of their own, a scan.
// `npm run bench -- levels` prints the table that docs/BENCHMARKS.md keeps. Times are of the processor. Nothing here passes or
// fails.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decoder } from "@evan/opus";
import { amplitude, CEILING_DB, gainFor, TARGET_LUFS } from "../src/base/loudness.ts";
import type { Clock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { systemClock } from "../src/base/system-clock.ts";
import { Adaptation } from "../src/media/audio/adaptation.ts";
import { createOpusEncoder } from "../src/media/audio/encoder.ts";
import { Limiter } from "../src/media/audio/limiter.ts";
import { OwnVoice } from "../src/media/audio/own-voice.ts";
import { FRAME_MS, FRAME_VALUES } from "../src/media/audio/pcm.ts";
import { InProcessPlane } from "../src/media/in-process.ts";
import { CaptureEngine } from "../test/fakes/capture-engine.ts";
import { loudnessOf, writeTune } from "../test/support/loudness.ts";
import { writeWav } from "../test/support/wav.ts";
import { table } from "./support/tables.ts";

const FRAMES = 10_000;
const LOUDNESSES = [-6, -10, -16, -23, -30];
const SPEED = 4;

const directory = await mkdtemp(join(tmpdir(), "voicebot-levels-"));
const rows: string[][] = [];
const share = (microseconds: number): string =>
  `${microseconds.toFixed(0)} µs a frame, ${(microseconds / (FRAME_MS * 10)).toFixed(2)} % of a core`;

/** Microseconds of processor time that one call takes. */
function cost(run: (index: number) => void): number {
  for (let i = 0; i < FRAMES / 10; i++) run(i);
  const before = process.cpuUsage();
  for (let i = 0; i < FRAMES; i++) run(i);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / FRAMES;
}

/** Frames of music-like sound: tones that swell, whose loudest moments reach `peak` (1 is full scale). */
function frames(peak: number): Float32Array[] {
  return Array.from({ length: 100 }, (_, frame) =>
    Float32Array.from({ length: FRAME_VALUES }, (__, i) => {
      const t = (frame * FRAME_VALUES + i) / 96_000;
      const swell = 0.6 + 0.4 * Math.sin(Math.PI * t);
      const tones = Math.sin(1_382 * t) + Math.sin(3_481 * t + (i % 2)) + Math.sin(8_281 * t + 2 * (i % 2));
      return (32_768 * peak * swell * tones) / 3;
    }),
  );
}

/** Louder than the limiter lets through by this, in dB: the most that a track is raised. */
const PUSH_DB = 6;
const DRUMS =
  "0.9*exp(-25*mod(t,0.5))*sin(2*PI*(50+120*exp(-40*mod(t,0.5)))*t)+0.5*exp(-60*mod(t+0.25,0.5))*(random(0)*2-1)";
const CHORD =
  "0.12*(sin(2*PI*220*t)+sin(2*PI*277*t+1)+sin(2*PI*330*t+2)+sin(2*PI*659*t+3)+0.5*sin(2*PI*1760*t)+0.3*sin(2*PI*5280*t))";
const STRINGS = "exp(-4*mod(t,0.4))*(sin(2*PI*196*t)+0.6*sin(2*PI*392*t)+0.5*sin(2*PI*1176*t))";
/** Sources of ffmpeg. */
const KINDS: readonly (readonly [string, string])[] = [
  ["drums and chords", `aevalsrc=exprs='${DRUMS}+${CHORD}|${DRUMS}+0.8*${CHORD}':s=48000`],
  ["plucked strings", `aevalsrc=exprs='${STRINGS}|${STRINGS}':s=48000`],
  ["a sine", "aevalsrc=exprs='sin(2*PI*997*t)|sin(2*PI*997*t)':s=48000"],
  ["pink noise", "anoisesrc=c=pink:a=0.5:r=48000"],
  ["white noise", "anoisesrc=c=white:a=0.3:r=48000"],
  ["a square wave", "aevalsrc=exprs='0.5*sgn(sin(2*PI*440*t))|0.5*sgn(sin(2*PI*443*t))':s=48000"],
  [
    "drums and chords, clipped hard",
    `aevalsrc=exprs='clip(2*(${DRUMS}+${CHORD}),-0.5,0.5)|clip(2*(${DRUMS}+0.8*${CHORD}),-0.5,0.5)':s=48000`,
  ],
];

/** True peaks of what the limiter makes of sound that is pushed into it: behind it, and at a listener's decoder. */
async function peaks(source: string): Promise<string> {
  const arguments_ = ["-v", "error", "-f", "lavfi", "-i", source, "-t", "12", "-ac", "2", "-f", "f32le", "-"];
  const bytes = execFileSync("ffmpeg", arguments_, { maxBuffer: 2 ** 26 });
  const made = new Float32Array(Uint8Array.from(bytes).buffer);
  const loudest = made.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const factor = (32_768 * amplitude(CEILING_DB + PUSH_DB)) / loudest;
  const [limiter, encoder] = [new Limiter(), createOpusEncoder(128_000)];
  const decoder = new Decoder({ channels: 2, sample_rate: 48_000 });
  const length = made.length - (made.length % FRAME_VALUES);
  const [limited, decoded] = [new Int16Array(length), new Int16Array(length)];
  for (let at = 0; at < length; at += FRAME_VALUES) {
    const frame = limited.subarray(at, at + FRAME_VALUES);
    limiter.apply(
      made.subarray(at, at + FRAME_VALUES).map((value) => value * factor),
      frame,
    );
    const pcm = decoder.decode(encoder.encode(frame));
    decoded.set(new Int16Array(pcm.buffer, pcm.byteOffset, FRAME_VALUES), at);
  }
  const behind = await loudnessOf(await writeWav(join(directory, "limited.wav"), limited));
  const there = await loudnessOf(await writeWav(join(directory, "decoded.wav"), decoded));
  return `${behind.truePeakDb.toFixed(1)} dBTP, ${there.truePeakDb.toFixed(1)} at a listener`;
}

function limiting(what: string, peak: number): void {
  const sound = frames(peak);
  const [limiter, out] = [new Limiter(), new Int16Array(FRAME_VALUES)];
  rows.push([`limiter, ${what}`, share(cost((i) => limiter.apply(sound[i % sound.length]!, out)))]);
}

/** LUFS of a tune at a listener's side of the mixer, and its true peak there. */
async function heard(lufs: number): Promise<{ lufs: number; truePeakDb: number }> {
  const file = await writeTune(join(directory, `made${lufs}.wav`), lufs, 8);
  const clock: Clock = {
    now: () => systemClock.now() * SPEED,
    wall: () => systemClock.wall(),
    timer: (delayMs, run) => systemClock.timer(delayMs / SPEED, run),
  };
  const [engine, channel] = [new CaptureEngine(), "room"];
  const plane = new InProcessPlane({ engine, clock, log: silentLog, ffmpegPath: null });
  try {
    const ice = { servers: [], allowPrivate: "true" as const };
    await plane.request({ kind: "channel.open", channel, ice, bitrate: 128_000 });
    await plane.request({ kind: "peer.offer", channel, peer: "listener" });
    const scanned = await plane.request({ kind: "loudness.scan", source: { path: file } });
    const ended = new Promise<void>((resolve) => {
      plane.onEvent(({ kind }) => {
        if (kind === "track.ended") resolve();
      });
    });
    await plane.request({
      ...{ kind: "play.start", channel, track: "t", source: { path: file }, positionMs: 0, paused: false },
      gainDb: gainFor({ lufs: scanned.lufs ?? 0, truePeakDb: scanned.truePeakDb }, TARGET_LUFS),
    });
    await ended;
    const pcm = new Int16Array(engine.outputs[0]!.frames.length * FRAME_VALUES);
    engine.outputs[0]!.frames.forEach((frame, i) => pcm.set(frame.pcm, i * FRAME_VALUES));
    return await loudnessOf(await writeWav(join(directory, "heard.wav"), pcm));
  } finally {
    await plane.close();
  }
}

try {
  for (const lufs of LOUDNESSES) {
    const found = await heard(lufs);
    rows.push([
      `a tune made at ${lufs} LUFS`,
      `${found.lufs.toFixed(1)} LUFS, ${found.truePeakDb.toFixed(1)} dBTP`,
    ]);
  }
  for (const [what, source] of KINDS) rows.push([`${what}, limited by 6 dB`, await peaks(source)]);
  limiting("nothing near its ceiling", 0.2);
  limiting("peaks near its ceiling now and then", 0.7);
  limiting("always at work, up to 6 dB", 1.7);
  const sound = frames(0.5);
  const { settings } = new Adaptation(128_000);
  const [encoder, pcm] = [createOpusEncoder(128_000), sound.map((frame) => Int16Array.from(frame))];
  rows.push(["the encoder of a channel", share(cost((i) => void encoder.encode(pcm[i % pcm.length]!)))]);
  const own = new OwnVoice(60, true, settings);
  rows.push(["a listener's own volume", share(cost((i) => void own.frame(sound[i % sound.length]!, false)))]);
  const long = join(directory, "long.mp3");
  const tune = await writeTune(join(directory, "long.wav"), -14, 240);
  execFileSync("ffmpeg", ["-v", "error", "-i", tune, "-b:a", "192k", long]);
  const plane = new InProcessPlane({
    ...{ engine: new CaptureEngine(), clock: systemClock, log: silentLog, ffmpegPath: null },
  });
  const began = systemClock.now();
  await plane.request({ kind: "loudness.scan", source: { path: long } });
  rows.push(["a scan of four minutes of mp3", `${((systemClock.now() - began) / 1000).toFixed(1)} s`]);
  await plane.close();
} finally {
  await rm(directory, { recursive: true, force: true });
}
console.log(table(["what", "figure"], rows));
// The encoders' library keeps nothing alive, but its memory is not worth waiting for.
process.exit();
