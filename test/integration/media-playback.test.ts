import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { jest } from "@jest/globals";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { FRAME_VALUES } from "../../src/media/audio/pcm.ts";
import { Playback } from "../../src/media/audio/playback.ts";
import type { PlaybackEnd } from "../../src/media/audio/playback-end.ts";
import { channelOf, findClicks, rmsDb } from "../support/measure.ts";

/** Decoders that misbehave, as programs of their own: slow, silent, talkative, stubborn. */
jest.setTimeout(20_000);

let directory: string;
const open: Playback[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "playback-"));
  const tone = new Int16Array(2 * 48_000 * 2);
  for (let i = 0; i < tone.length; i++)
    tone[i] = Math.round(8_000 * Math.sin((2 * Math.PI * 440 * Math.floor(i / 2)) / 48_000));
  await writeFile(path.join(directory, "tone.raw"), new Uint8Array(tone.buffer));
});
afterEach(() => {
  for (const playback of open.splice(0)) playback.close();
});
afterAll(() => rm(directory, { recursive: true }));

interface Heard {
  playback: Playback;
  /** Left, full scale ±1, frame behind frame. */
  samples: () => Float32Array;
  ended: Promise<PlaybackEnd>;
}

/** Plays what a shell script writes, 20 ms after 20 ms. The script's file and descriptor 3 is the tone. */
async function playScript(script: string, idleMs = 5_000): Promise<Heard> {
  const program = path.join(directory, `program-${Math.random().toString(36).slice(2)}`);
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const frames: Float32Array[] = [];
  const end = Promise.withResolvers<PlaybackEnd>();
  let timer: NodeJS.Timeout | null = null;
  const playback: Playback = await Playback.open({
    track: "t",
    positionMs: 0,
    paused: false,
    program,
    source: { path: path.join(directory, "tone.raw") },
    clock: systemClock,
    log: silentLog,
    idleMs,
    onReady() {
      timer ??= setInterval(() => {
        if (!playback.sounding) return;
        const sum = new Float32Array(FRAME_VALUES);
        playback.mix(sum);
        frames.push(sum.map((value) => value / 32_768));
      }, 20);
    },
    onEnd(result) {
      if (timer) clearInterval(timer);
      end.resolve(result);
    },
  });
  open.push(playback);
  const samples = (): Float32Array => {
    const all = new Float32Array(frames.length * FRAME_VALUES);
    frames.forEach((frame, i) => all.set(frame, i * FRAME_VALUES));
    return channelOf({ sampleRate: 48_000, channels: 2, samples: all }, 0);
  };
  return { playback, samples, ended: end.promise };
}

const announce = `echo "[info]   Duration: 00:00:02.00, start: 0.000000" >&2`;

test("a source that stalls is waited for: it fades out and in, and nothing of it is lost", async () => {
  const heard = await playScript(`${announce}; head -c 97000 <&3; sleep 1; cat <&3`);
  expect(await heard.ended).toEqual({ reason: "finished", detail: null });
  expect(heard.playback.underruns).toBe(1);
  expect(heard.playback.positionMs).toBe(2_000);
  expect(findClicks(heard.samples(), 48_000)).toEqual([]);
  expect(rmsDb(heard.samples().subarray(48_000, 67_200))).toBeCloseTo(
    20 * Math.log10(8_000 / 32_768) - 3.01,
    0,
  );
});

test("a source that gives nothing has failed after its time, even one that does not want to end", async () => {
  const heard = await playScript(`trap "" TERM; while :; do sleep 0.1; done`, 300);
  expect(await heard.ended).toEqual({ reason: "failed", detail: "no data for 0 s", stalled: true });
});

test("a source that falls silent in the middle has failed with what was heard", async () => {
  const heard = await playScript(`${announce}; head -c 96000 <&3; exec sleep 30`, 1_000);
  const detail = "it ends after 0.5 s of 2.0 s: no data for 1 s";
  expect(await heard.ended).toEqual({ reason: "failed", detail, stalled: true });
});

test("a decoder that talks and talks is listened to and not remembered", async () => {
  const heard = await playScript(
    `${announce}; head -c 20000000 /dev/zero | tr "\\0" x >&2; echo >&2; echo "[error] the last word" >&2; head -c 96000 <&3; exit 1`,
  );
  const { reason, detail } = await heard.ended;
  expect([reason, detail]).toEqual(["failed", "it ends after 0.5 s of 2.0 s: the last word"]);
});

test("a decoder that dies near the end is not held against the track", async () => {
  const heard = await playScript(`${announce}; head -c 370000 <&3; kill -9 $$`);
  expect(await heard.ended).toEqual({ reason: "finished", detail: null });
});

test("a decoder that cannot be started fails the track, not the plane", async () => {
  const heard = await playScript("");
  await heard.ended;
  const nowhere = path.join(directory, "nowhere");
  const failed = new Promise<PlaybackEnd>((onEnd, reject) => {
    Playback.open({
      track: "t",
      positionMs: 0,
      paused: false,
      program: nowhere,
      source: { path: path.join(directory, "tone.raw") },
      clock: systemClock,
      log: silentLog,
      idleMs: 1_000,
      onReady() {},
      onEnd,
    }).then((playback) => open.push(playback), reject);
  });
  const { reason, detail } = await failed;
  expect(reason).toBe("failed");
  expect(detail).toContain("ENOENT");
});
