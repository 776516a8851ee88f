// Tracks that are too large for a homeserver, in parts: decoded by ffmpeg after each other they are the whole.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../../src/base/system-clock.ts";
import { findFfmpeg } from "../../src/media/audio/ffmpeg-path.ts";
import { ChildExporter } from "../../src/recorder/exporter.ts";

const run = promisify(execFile);
const SECONDS = 6;

let ffmpeg: string;
let directory: string;
beforeAll(async () => (ffmpeg = await findFfmpeg(null)));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-split-"));
  await mkdir(join(directory, "export"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Two tones that sweep, so that no second is like another. */
const SOURCE = `aevalsrc=0.3*sin(2*PI*t*(200+20*t))|0.3*sin(2*PI*t*(900-15*t)):s=48000:d=${SECONDS}`;

async function decode(path: string): Promise<Int16Array> {
  const args = ["-v", "error", "-xerror", "-i", path, "-f", "s16le", "-ac", "2", "-ar", "48000", "-"];
  const { stdout } = await run(ffmpeg, args, { encoding: "buffer", maxBuffer: 1e8 });
  return new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length / 2);
}

test.each([
  ["a.ogg", ["-c:a", "libopus", "-b:a", "96k"], 12],
  ["b.flac", ["-c:a", "flac"], 0],
  ["c.wav", ["-c:a", "pcm_s16le"], 0],
])("%s", async (file, codec, tolerance) => {
  const whole = join(directory, "export", file);
  await run(ffmpeg, [
    "-v",
    "error",
    "-f",
    "lavfi",
    "-i",
    SOURCE,
    ...codec,
    "-metadata",
    "title=Robin",
    whole,
  ]);
  const { size } = await stat(whole);
  const exporter = new ChildExporter({ ffmpeg, clock: systemClock });
  const options = {
    maxBytes: Math.floor(size / 2.5),
    language: "de",
    signal: new AbortController().signal,
  } as const;
  const parts = await exporter.split(directory, file, options);
  const [stem, ending] = file.split(".");
  const count = parts.length;
  expect(count).toBeGreaterThan(2);
  expect(parts.map((part) => part.file)).toEqual(
    parts.map((_, index) => `${stem} (${index + 1} von ${count}).${ending}`),
  );
  expect(Math.max(...parts.map(({ bytes }) => bytes))).toBeLessThanOrEqual(options.maxBytes);
  const sounds = await Promise.all(parts.map((part) => decode(join(directory, "parts", part.file))));
  const expected = await decode(whole);
  expect(sounds.reduce((sum, sound) => sum + sound.length, 0)).toBe(expected.length);
  let at = 0;
  let worst = 0;
  for (const [index, sound] of sounds.entries()) {
    expect(sound.length / 96).toBeCloseTo(parts[index]!.durationMs, 1);
    for (const sample of sound) worst = Math.max(worst, Math.abs(sample - expected[at++]!));
  }
  // Opus' predictors start anew: what is left of that after 600 ms is far below what is heard.
  expect(worst).toBeLessThanOrEqual(tolerance);
});
