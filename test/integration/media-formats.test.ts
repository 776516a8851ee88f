import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import type { PlaneEvent, PlaneEventOf } from "../../src/media/plane.ts";
import { reasonOf } from "../../src/player/reason.ts";
import { CaptureEngine } from "../fakes/capture-engine.ts";
import { channelOf, dominantFrequency, rmsDb } from "../support/measure.ts";

/**
 * What people have: files of twelve kinds with covers and tags where the kind has them, whole and damaged in four ways,
 * played by the real ffmpeg through the media plane, and measured as they leave it for the engine.
 */
const LENGTH_MS = 2_000;
const run = promisify(execFile);
const mapped = ["-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v:0", "attached_pic"];
/** By the name of the file: what ffmpeg makes it of a tone and a cover. */
const FORMATS: Readonly<Record<string, string[]>> = {
  "a.mp3": [...mapped, "-b:a", "192k", "-id3v2_version", "3"],
  "a.flac": mapped,
  "vorbis.ogg": ["-c:a", "libvorbis", "-b:a", "192k", "-page_duration", "50000"],
  "a.opus": ["-c:a", "libopus", "-b:a", "192k", "-page_duration", "50000"],
  "a.wav": [],
  "a.aac": ["-b:a", "192k"],
  // Its index is at the end, as ffmpeg writes it.
  "a.m4a": [...mapped, "-c:a", "aac", "-b:a", "192k"],
  "a.webm": ["-c:a", "libopus", "-b:a", "192k", "-cluster_time_limit", "100"],
  "a.wma": ["-c:a", "wmav2", "-b:a", "192k"],
  "a.aiff": [...mapped, "-write_id3v2", "1"],
  "alac.m4a": [...mapped, "-c:a", "alac"],
  "a.mka": ["-c:a", "flac", "-attach", "COVER", "-metadata:s:t", "mimetype=image/png"],
};
const NAMES = Object.keys(FORMATS);

let directory: string;
let engine: CaptureEngine;
let plane: InProcessPlane;
let events: PlaneEvent[];
let channels = 0;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "formats-"));
  const cover = path.join(directory, "cover.png");
  await run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=red:s=600x600", "-frames:v", "1", cover]);
  // 440 Hz left, 660 Hz right, at a quarter of full scale.
  const tone = "aevalsrc='0.25*sin(440*2*PI*t)|0.25*sin(660*2*PI*t)':s=48000";
  const make = async (name: string): Promise<void> => {
    const args = (FORMATS[name] ?? []).map((arg) => (arg === "COVER" ? cover : arg));
    const inputs = ["-f", "lavfi", "-t", String(LENGTH_MS / 1000), "-i", tone];
    if (args.includes("-map")) inputs.push("-i", cover);
    const tags = ["-metadata", "title=Tóne", "-metadata", "artist=Ada"];
    await run("ffmpeg", ["-v", "error", ...inputs, ...args, ...tags, path.join(directory, name)]);
  };
  for (let i = 0; i < NAMES.length; i += 4) await Promise.all(NAMES.slice(i, i + 4).map(make));
});
afterAll(() => rm(directory, { recursive: true }));
beforeEach(() => {
  events = [];
  engine = new CaptureEngine();
  plane = new InProcessPlane({ engine, clock: systemClock, log: silentLog, ffmpegPath: null });
  plane.onEvent((event) => events.push(event));
});
afterEach(() => plane.close());

interface Played {
  ended: PlaneEventOf<"track.ended">;
  left: Float32Array;
  right: Float32Array;
}

/** Plays a file to its end, in a channel of its own. */
async function play(file: string): Promise<Played> {
  const channel = `c${channels++}`;
  await plane.request({
    ...{ kind: "channel.open", channel, bitrate: 128_000 },
    ice: { servers: [], allowPrivate: "true" },
  });
  const output = engine.outputs.at(-1)!;
  await plane.request({ kind: "peer.offer", channel, peer: "p" });
  const source = { path: path.join(directory, file) };
  await plane.request({ kind: "play.start", channel, track: channel, source, positionMs: 0, paused: false });
  const deadline = Date.now() + 20_000;
  for (;;) {
    const ended = events.find((event) => event.kind === "track.ended" && event.channel === channel);
    if (ended) {
      const pcm = { sampleRate: 48_000, channels: 2, samples: output.samples() };
      return { ended: ended as Played["ended"], left: channelOf(pcm, 0), right: channelOf(pcm, 1) };
    }
    if (Date.now() > deadline) throw new Error(`${file} does not end`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function spoilt(name: string, kind: string, spoil: (bytes: Buffer) => Buffer): Promise<string> {
  const file = `${kind}-${name}`;
  await writeFile(path.join(directory, file), spoil(await readFile(path.join(directory, name))));
  return file;
}

const isTone = (samples: Float32Array): boolean => Math.abs(dominantFrequency(samples, 48_000) - 440) < 6;
const hz = (samples: Float32Array): number => Math.round(dominantFrequency(samples, 48_000));
/** What people are told of the end: a sentence that is about it, and not ffmpeg's own word. */
const told = ({ reason, detail }: Played["ended"]): string =>
  reason === "failed" ? reasonOf(detail ?? "").key : reason;

test("each of twelve kinds is heard to its end, at its level, left and right, covers or not; and says what it is", async () => {
  const good = await Promise.all(
    NAMES.map(async (name) => {
      const { ended, left, right } = await play(name);
      const source = { path: path.join(directory, name) };
      const { title, durationMs } = await plane.request({ kind: "probe", source });
      const middle = (samples: Float32Array): Float32Array => samples.subarray(24_000, 72_000);
      return {
        ...{ name, reason: ended.reason, detail: ended.detail },
        length: Math.abs(ended.positionMs - LENGTH_MS - 50) < 120,
        tones: [hz(middle(left)), hz(middle(right))],
        // A quarter of full scale: -12 dB, as RMS 3 dB less.
        level: Math.abs(rmsDb(middle(left)) + 15.05) < 0.6,
        // Bare AAC has no tags, and only its bit rate to guess its length by.
        told: name === "a.aac" || (title === "Tóne" && Math.abs((durationMs ?? 0) - LENGTH_MS) < 120),
      };
    }),
  );
  const whole = {
    reason: "finished",
    detail: null,
    length: true,
    tones: [440, 660],
    level: true,
    told: true,
  };
  expect(good).toEqual(NAMES.map((name) => ({ name, ...whole })));
});

test("a stretch in the middle that is rubbish is passed over: what comes after it is heard", async () => {
  const damaged = await Promise.all(
    NAMES.map(async (name) => {
      const file = await spoilt(name, "middle", (bytes) => {
        const audioAt = Math.floor(bytes.length * 0.5);
        // The same rubbish in each run, and nothing in it that looks like a header.
        for (let i = 0; i < bytes.length * 0.03; i++) bytes[audioAt + i] = (i * 197 + 91) & 0x7f;
        return bytes;
      });
      const { ended, left } = await play(file);
      return { name, ended, heardMs: ended.positionMs, after: isTone(left.subarray(-28_800, -9_600)) };
    }),
  );
  const heard = damaged.map(({ name, heardMs, after }) => ({ name, after, most: heardMs > LENGTH_MS * 0.8 }));
  expect(heard).toEqual(NAMES.map((name) => ({ name, after: true, most: true })));
});

/** By kind what is heard of a file that was cut in half, in tenths of its length, and what is said of it. */
const CUT: Readonly<Record<string, string>> = {
  // Their ends are their ends: nothing in them says how long they were.
  ...{ "vorbis.ogg": "finished", "a.opus": "finished", "a.wav": "finished", "a.aac": "finished" },
  ...{ "a.wma": "finished", "a.m4a": "reason.no_index", "alac.m4a": "reason.no_index" },
};

test("what was cut off in the middle plays what there is, and says that there was more", async () => {
  const outcomes = await Promise.all(
    NAMES.map(async (name) => {
      const half = (bytes: Buffer): Buffer => bytes.subarray(0, Math.floor(bytes.length / 2));
      const { ended, left } = await play(await spoilt(name, "cut", half));
      const heard = ended.positionMs > LENGTH_MS * 0.25;
      const tone = heard ? isTone(left.subarray(-9_600, -1_500)) : null;
      return { name, heard, tone, said: told(ended) };
    }),
  );
  const wanted = NAMES.map((name) => {
    const said = CUT[name] ?? "reason.cut";
    const heard = said !== "reason.no_index";
    return { name, heard, tone: heard ? true : null, said };
  });
  expect(outcomes).toEqual(wanted);
});

test("what has lost its header, or everything, is refused, or found into: never played as something else", async () => {
  const outcomes = await Promise.all(
    NAMES.map(async (name) => {
      const { ended, left } = await play(await spoilt(name, "header", (bytes) => bytes.fill(0x55, 0, 64)));
      const heard = left.length > 9_600;
      return { name, tone: heard ? isTone(left.subarray(-9_600, -1_500)) : null, said: told(ended) };
    }),
  );
  // Of these two every frame has its own header.
  const wanted = NAMES.map((name) =>
    name === "a.mp3" || name === "a.aac"
      ? { name, tone: true, said: "finished" }
      : { name, tone: null, said: "reason.damaged" },
  );
  expect(outcomes).toEqual(wanted);
  const { ended, left } = await play(await spoilt("a.mp3", "empty", () => Buffer.alloc(0)));
  expect([told(ended), left.length]).toEqual(["reason.damaged", 0]);
});
