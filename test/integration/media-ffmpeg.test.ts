import { jest } from "@jest/globals";
import { execFile } from "node:child_process";
import {
  appendFile,
  copyFile,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { findFfmpeg } from "../../src/media/audio/ffmpeg-path.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import type { PlaneEvent, PlaneEventOf } from "../../src/media/plane.ts";
import { CaptureEngine } from "../fakes/capture-engine.ts";
import type { CapturedOutput } from "../fakes/capture-engine.ts";
import { channelOf, dominantFrequency, findClicks, rmsDb } from "../support/measure.ts";

/** The way of a file into a channel, with the real ffmpeg, up to the frames that an engine gets. */
jest.setTimeout(30_000);
const run = promisify(execFile);
const ice = { servers: [], allowPrivate: "true" as const };

let directory: string;
let engine: CaptureEngine;
let plane: InProcessPlane;
let events: PlaneEvent[];
let nextChannel = 0;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "media-"));
  // 440 Hz left, 660 Hz right, at a quarter of full scale.
  await ffmpeg("tone.wav", ["-t", "2"], "0.25*sin(440*2*PI*t)|0.25*sin(660*2*PI*t)");
});
afterAll(() => rm(directory, { recursive: true }));
beforeEach(() => {
  events = [];
  engine = new CaptureEngine();
  plane = new InProcessPlane({ engine, clock: systemClock, log: silentLog, ffmpegPath: null });
  plane.onEvent((event) => events.push(event));
});
afterEach(() => plane.close());

const at = (name: string): string => path.join(directory, name);

async function ffmpeg(name: string, args: string[], expression: string): Promise<void> {
  const source = `aevalsrc='${expression}':s=48000`;
  await run("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", source, ...args, at(name)]);
}

async function convert(name: string, args: string[] = []): Promise<string> {
  await run("ffmpeg", ["-v", "error", "-y", "-i", at("tone.wav"), ...args, at(name)]);
  return name;
}

/** A channel with somebody in it. */
async function openChannel(): Promise<{ channel: string; output: CapturedOutput }> {
  const channel = `c${nextChannel++}`;
  await plane.request({ kind: "channel.open", channel, ice, bitrate: 128_000 });
  await plane.request({ kind: "peer.offer", channel, peer: "p" });
  return { channel, output: engine.outputs.at(-1)! };
}

function play(
  channel: string,
  name: string,
  more: { positionMs?: number; paused?: boolean; track?: string } = {},
): Promise<object> {
  const source = { path: path.resolve(directory, name) };
  const { positionMs = 0, paused = false, track = name.slice(0, 60) } = more;
  return plane.request({ kind: "play.start", channel, track, source, positionMs, paused });
}

async function event<K extends PlaneEvent["kind"]>(
  kind: K,
  channel: string,
  timeoutMs = 10_000,
): Promise<PlaneEventOf<K>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = events.find((seen) => seen.kind === kind && seen.channel === channel);
    if (found) return found as PlaneEventOf<K>;
    if (Date.now() > deadline) throw new Error(`no ${kind} in ${channel} within ${timeoutMs} ms`);
    await pause(10);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const side = (output: CapturedOutput, channel: 0 | 1): Float32Array =>
  channelOf({ sampleRate: 48_000, channels: 2, samples: output.samples() }, channel);

/** Those that test/integration/media-formats.test.ts has not. */
const formats: Readonly<Record<string, string[]>> = {
  "t.caf": [],
  "t.w64": [],
  "t.wv": [],
  "t.ts": ["-c:a", "aac", "-b:a", "192k"],
  "t.mov": ["-c:a", "alac"],
  "44100.wav": ["-ar", "44100"],
};

test("rarer formats are played to their end, at their level, left and right", async () => {
  const played = async (name: string): Promise<object> => {
    await convert(name, formats[name]);
    const { channel, output } = await openChannel();
    await play(channel, name);
    const { reason, detail, positionMs } = await event("track.ended", channel);
    const [left, right] = ([0, 1] as const).map((i) => side(output, i).subarray(24_000, 72_000));
    const tones = [left!, right!].map((samples) => Math.round(dominantFrequency(samples, 48_000)));
    // A quarter of full scale: -12 dB, as RMS 3 dB less.
    const level = Math.abs(rmsDb(left!) + 15.05) < 0.6;
    return { name, reason, detail, tones, level, length: Math.abs(positionMs - 2_050) < 120 };
  };
  const good = { reason: "finished", detail: null, tones: [440, 660], level: true, length: true };
  const names = Object.keys(formats);
  expect(await Promise.all(names.map(played))).toEqual(names.map((name) => ({ name, ...good })));
});

test("mono is heard on both sides, at equal power", async () => {
  await convert("mono.wav", ["-af", "pan=mono|c0=c0"]);
  const { channel, output } = await openChannel();
  await play(channel, "mono.wav");
  await event("track.ended", channel);
  for (const i of [0, 1] as const)
    expect(rmsDb(side(output, i).subarray(24_000, 72_000))).toBeCloseTo(-15.05 - 3.01, 0);
});

describe("what is no audio, or only pretends", () => {
  async function failing(
    name: string,
  ): Promise<{ ended: PlaneEventOf<"track.ended">; output: CapturedOutput }> {
    const { channel, output } = await openChannel();
    await play(channel, name);
    return { ended: await event("track.ended", channel), output };
  }

  test.each([
    ["empty.mp3", ""],
    ["text.mp3", "This is a letter, not a song.\n".repeat(100)],
    ["zeros.mp3", "\0".repeat(100_000)],
  ])("%s fails, and says why", async (name, text) => {
    await writeFile(at(name), text);
    const { ended, output } = await failing(name);
    expect(ended.reason).toBe("failed");
    expect(ended.detail).toMatch(/\w{4,}/);
    expect(ended.detail).not.toContain("/proc");
    expect(output.frames).toEqual([]);
    await expect(plane.request({ kind: "probe", source: { path: at(name) } })).rejects.toMatchObject({
      code: "media_unreadable",
    });
  });

  test("a playlist that calls itself a song does not open another file", async () => {
    const target = at("tone.wav");
    const lists: Record<string, string> = {
      "hls.mp3": `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${target}\n#EXT-X-ENDLIST\n`,
      "concat.mp3": `ffconcat version 1.0\nfile '${target}'\n`,
      "dash.mp3": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet><Representation id="1" bandwidth="1"><BaseURL>${target}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
      "sdp.mp3":
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n",
      "m3u.mp3": `#EXTM3U\n${target}\n`,
    };
    for (const [name, text] of Object.entries(lists)) {
      await writeFile(at(name), text);
      const { ended, output } = await failing(name);
      expect([name, ended.reason, output.frames.length]).toEqual([name, "failed", 0]);
      expect(ended.detail).not.toContain(directory);
    }
  });

  test("a link, a directory, a pipe and a missing file are refused before anything reads them", async () => {
    await symlink(at("tone.wav"), at("link.wav"));
    await run("mkfifo", [at("pipe.wav")]);
    const { channel } = await openChannel();
    for (const name of ["link.wav", ".", "pipe.wav", "missing.wav"]) {
      const source = { path: at(name) };
      await expect(play(channel, name)).rejects.toMatchObject({ code: "media_unreadable" });
      await expect(plane.request({ kind: "probe", source })).rejects.toMatchObject({
        code: "media_unreadable",
      });
    }
    expect(events.filter(({ kind }) => kind === "track.ended")).toEqual([]);
  });

  test("a name that looks like an option or a protocol is a name", async () => {
    for (const name of ["-i.wav", "concat:tone.wav", "pipe:0"]) {
      await copyFile(at("tone.wav"), at(name));
      const { durationMs } = await plane.request({ kind: "probe", source: { path: at(name) } });
      expect(durationMs).toBe(2_000);
    }
  });
});

describe("damage", () => {
  test("a file that was cut plays what there is, then fails with what is missing", async () => {
    await convert("cut.flac");
    const { size } = await stat(at("cut.flac"));
    await truncate(at("cut.flac"), Math.floor(size / 2));
    const { channel, output } = await openChannel();
    await play(channel, "cut.flac");
    const ended = await event("track.ended", channel);
    expect(ended.reason).toBe("failed");
    expect(ended.detail).toMatch(/^it ends after [01]\.\d s of 2\.0 s/);
    expect(ended.positionMs).toBeGreaterThan(500);
    expect(findClicks(side(output, 0), 48_000)).toEqual([]);
  });

  test("a hole in an mp3 does not stop it", async () => {
    await convert("whole.mp3", ["-b:a", "128k"]);
    const bytes = await readFile(at("whole.mp3"));
    bytes.fill(0x55, 12_000, 14_000);
    await writeFile(at("hole.mp3"), bytes);
    const { channel } = await openChannel();
    await play(channel, "hole.mp3");
    const ended = await event("track.ended", channel);
    expect(ended.positionMs).toBeGreaterThan(1_700);
  });

  test("rubbish behind the end is not played", async () => {
    await convert("tail.mp3", ["-b:a", "128k"]);
    await appendFile(at("tail.mp3"), "APETAGEX rubbish ".repeat(500));
    const { channel } = await openChannel();
    await play(channel, "tail.mp3");
    expect(await event("track.ended", channel)).toMatchObject({ reason: "finished" });
  });

  test("a file that goes on for hours costs no memory, and stops when told", async () => {
    const silence = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "3600"];
    await run("ffmpeg", ["-v", "error", ...silence, at("hours.flac")]);
    const { channel } = await openChannel();
    await play(channel, "hours.flac");
    await event("track.started", channel);
    const before = process.memoryUsage().rss;
    await pause(1_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
    await plane.request({ kind: "play.stop", channel });
    expect(await event("track.ended", channel)).toMatchObject({ reason: "stopped" });
  });
});

describe("no clicks", () => {
  const quiet = (output: CapturedOutput): unknown[] => [
    ...findClicks(side(output, 0), 48_000),
    ...findClicks(side(output, 1), 48_000),
  ];

  test("the measure finds one where there is one", () => {
    const samples = Float32Array.from(
      { length: 9_600 },
      (_, i) => 0.25 * Math.sin((i * 2 * Math.PI * 440) / 48_000),
    );
    expect(findClicks(samples.subarray(0, 4_800), 48_000)).toEqual([]);
    samples.fill(0, 4_830);
    expect(findClicks(samples, 48_000)).not.toEqual([]);
  });

  test("at start and end", async () => {
    const { channel, output } = await openChannel();
    await play(channel, "tone.wav");
    await event("track.ended", channel);
    await pause(200);
    const samples = side(output, 0);
    expect(quiet(output)).toEqual([]);
    // 30 ms of fade, and six frames behind it, which are silent but for what the limiter still held: a little over 2 ms.
    expect(rmsDb(samples.subarray(0, 48))).toBeLessThan(-40);
    expect(samples.length / 960).toBe(100 + 6);
    expect(samples.subarray(-6 * 960 + 110).every((sample) => sample === 0)).toBe(true);
    expect(output.frames.filter(({ marker }) => marker)).toHaveLength(1);
  });

  test("at pause, resume, volume, another track and stop", async () => {
    await ffmpeg("long.wav", ["-t", "20"], "0.4*sin(300*2*PI*t)|0.4*sin(500*2*PI*t)");
    const { channel, output } = await openChannel();
    await play(channel, "long.wav");
    await event("track.started", channel);
    for (let i = 0; i < 3; i++) {
      await pause(217);
      await plane.request({ kind: "play.pause", channel });
      await pause(231);
      await plane.request({ kind: "play.resume", channel });
      await pause(13);
      await plane.request({ kind: "play.volume", channel, percent: [30, 200, 100][i]! });
    }
    await pause(211);
    await plane.request({ kind: "play.pause", channel });
    await pause(10);
    await plane.request({ kind: "play.resume", channel });
    await pause(211);
    await play(channel, "long.wav", { positionMs: 5_000, track: "again" });
    expect(await event("track.ended", channel)).toMatchObject({ track: "long.wav", reason: "replaced" });
    await pause(400);
    await plane.request({ kind: "play.stop", channel });
    await pause(300);
    expect(quiet(output)).toEqual([]);
    expect(events.filter(({ kind }) => kind === "track.ended")).toHaveLength(2);
    const samples = side(output, 0);
    expect(rmsDb(samples.subarray(-4 * 960))).toBe(-Infinity);
    const steps = output.timesMs().map((ms, i, all) => ms - (all[i - 1] ?? 0));
    // Three pauses of 231 ms less the 60 ms of fade and the 120 of tail.
    expect(steps.filter((ms) => ms > 30).length).toBeGreaterThanOrEqual(3);
  });

  test("volume is a factor of amplitude, and twice full scale is limited, not clipped", async () => {
    await ffmpeg("loud.wav", ["-t", "3"], "0.9*sin(440*2*PI*t)|0.9*sin(440*2*PI*t)");
    const { channel, output } = await openChannel();
    await plane.request({ kind: "play.volume", channel, percent: 50 });
    await play(channel, "loud.wav");
    await event("track.started", channel);
    await pause(600);
    const half = side(output, 0).subarray(9_600, 19_200);
    expect(rmsDb(half)).toBeCloseTo(20 * Math.log10(0.45) - 3.01, 0);
    await plane.request({ kind: "play.volume", channel, percent: 200 });
    await pause(600);
    const loud = side(output, 0).subarray(-9_600);
    // A sine that is clipped in half has its RMS over -1.5 dB; one that is limited to a peak of -3 dBTP a little under -6.
    expect(rmsDb(loud)).toBeLessThan(-6.01);
    expect(rmsDb(loud)).toBeGreaterThan(-6.6);
    expect(quiet(output)).toEqual([]);
  });
});

describe("positions", () => {
  test("starts where it is told, opens paused without a sound, tells where it is", async () => {
    await ffmpeg("steps.flac", ["-t", "6"], "0.25*sin((300+100*floor(t))*2*PI*t)|0");
    const { channel, output } = await openChannel();
    await play(channel, "steps.flac", { positionMs: 3_000, paused: true });
    await pause(400);
    expect(output.frames).toEqual([]);
    await plane.request({ kind: "play.resume", channel });
    await event("track.started", channel);
    const { positionMs } = await event("track.position", channel);
    expect(positionMs).toBe(3_500);
    await pause(500);
    expect(dominantFrequency(side(output, 0).subarray(4_800, 43_200), 48_000)).toBeCloseTo(600, 0);
    await plane.request({ kind: "play.stop", channel });
    const ended = await event("track.ended", channel);
    expect(ended.positionMs).toBeGreaterThanOrEqual(4_000);
    expect(ended.positionMs).toBeLessThan(4_700);
  });

  test("a pause loses nothing but its fades", async () => {
    const { channel, output } = await openChannel();
    await play(channel, "tone.wav");
    await event("track.started", channel);
    await pause(300);
    await plane.request({ kind: "play.pause", channel });
    await pause(500);
    const paused = output.frames.length;
    await pause(200);
    expect(output.frames).toHaveLength(paused);
    await plane.request({ kind: "play.resume", channel });
    const ended = await event("track.ended", channel);
    expect(ended).toMatchObject({ reason: "finished", positionMs: 2_000 });
    expect(output.frames.filter(({ marker }) => marker)).toHaveLength(2);
  });
});

test("tags and length of a file, without playing it", async () => {
  await convert("tagged.mp3", ["-metadata", "title=Über = den; \\Wolken", "-metadata", "artist=R. M."]);
  expect(await plane.request({ kind: "probe", source: { path: at("tagged.mp3") } })).toEqual({
    durationMs: expect.closeTo(2_000, -2) as number,
    codec: "mp3",
    title: "Über = den; \\Wolken",
    artist: "R. M.",
    album: null,
  });
});

test("a missing ffmpeg is said as such", async () => {
  await expect(findFfmpeg(at("no-such-program"))).rejects.toMatchObject({
    code: "ffmpeg_missing",
    say: { key: "error.ffmpeg_missing" },
  });
  const lost = new InProcessPlane({
    engine,
    clock: systemClock,
    log: silentLog,
    ffmpegPath: "/nonexistent/ffmpeg",
  });
  await expect(lost.request({ kind: "probe", source: { path: at("tone.wav") } })).rejects.toMatchObject({
    code: "ffmpeg_missing",
  });
  await lost.close();
});
