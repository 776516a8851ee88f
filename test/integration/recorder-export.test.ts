import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fork, spawnSync } from "node:child_process";
import { jest } from "@jest/globals";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { ChildExporter, type ExportOutcome } from "../../src/recorder/exporter.ts";
import { exportRecording } from "../../src/recorder/export/export.ts";
import { decodeFile, probeFile } from "../support/decode.ts";
import { channelOf } from "../support/measure.ts";
import {
  exportJob,
  over,
  tone,
  writeGarbage,
  writeJournal,
  writeTrack,
  type Sent,
} from "../support/recording.ts";

jest.setTimeout(60_000);

const deps = { clock: systemClock, log: silentLog, onProgress: () => undefined };
const PERSON = { kind: "joined", userId: "@ann:test", name: "Ann / Ü 🎙" } as const;

/** Where the sound of one frequency begins and ends in a decoded file, ms. */
function soundOf(
  samples: Float32Array,
  fromMs = 0,
  toMs = samples.length / 48,
): { fromMs: number; toMs: number } | null {
  const threshold = 0.1;
  let first = -1;
  let last = -1;
  for (let i = Math.round(fromMs * 48); i < Math.round(toMs * 48); i++) {
    if (Math.abs(samples[i] ?? 0) < threshold) continue;
    if (first < 0) first = i;
    last = i;
  }
  return first < 0 ? null : { fromMs: first / 48, toMs: last / 48 };
}

/** The level of one frequency in a piece of sound, as a fraction of full scale (Goertzel). */
function levelAt(samples: Float32Array, hz: number, fromMs: number, toMs: number): number {
  const from = Math.round(fromMs * 48);
  const count = Math.round((toMs - fromMs) * 48);
  let [re, im] = [0, 0];
  for (let i = 0; i < count; i++) {
    const phase = (2 * Math.PI * hz * i) / 48_000;
    re += (samples[from + i] ?? 0) * Math.cos(phase);
    im += (samples[from + i] ?? 0) * Math.sin(phase);
  }
  return (2 * Math.hypot(re, im)) / count;
}

function ffmpegComplaints(path: string): string {
  const run = spawnSync("ffmpeg", ["-nostdin", "-v", "warning", "-i", path, "-f", "null", "-"], {
    timeout: 30_000,
  });
  return run.stderr.toString();
}

describe("a recording with everything that networks do", () => {
  let directory: string;
  let outcome: ExportOutcome;
  const LENGTH_MS = 30_007;
  const path = (file: string): string => join(directory, "export", file);
  const jitter = (index: number): number => (index * 37) % 45;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "voicebot-export-"));
    await writeJournal(directory, [
      { ...PERSON, key: "ann", atMs: 0 },
      { kind: "joined", key: "bob", userId: "@bob:test", name: "Bob", atMs: 10 },
      { kind: "gap", reason: "down", atMs: 12_000 },
      { kind: "resumed", atMs: 13_000 },
      { kind: "stop", reason: "command", byUserId: "@host:test", atMs: LENGTH_MS },
    ]);
    // Ann: jitter and reordering, a lost stretch, a pause; after a crash a second file with another SSRC.
    const first = tone({ hz: 440, fromMs: 2_000, lengthMs: 4_000 });
    const lost = (index: number): boolean => index >= 100 && index < 110;
    const afterPause = tone({ hz: 440, fromMs: 8_000, lengthMs: 2_000, firstTimestamp: 1_000 + 6_000 * 48 });
    const ann = [
      ...over(first, { ssrc: 1, delayMs: jitter, lost }),
      ...over(afterPause, { ssrc: 1, delayMs: jitter }),
    ];
    const twice = ann.flatMap((packet, index) => (index % 7 === 0 ? [packet, packet] : [packet]));
    await writeTrack(directory, "voice-001.mvt", { speaker: "ann" }, twice, { whole: false });
    const again = tone({ hz: 440, fromMs: 15_000, lengthMs: 2_000, firstTimestamp: 0xffff_f000 });
    await writeTrack(
      directory,
      "voice-003.mvt",
      { speaker: "ann" },
      over(again, { ssrc: 2, delayMs: jitter }),
    );
    // Bob sounds at the same time as Ann's first tone, and beyond the end.
    const bob = tone({ hz: 1_000, fromMs: 2_000, lengthMs: 1_000 });
    const late = tone({ hz: 1_000, fromMs: 29_500, lengthMs: 2_000, firstTimestamp: 1_000 + 27_500 * 48 });
    await writeTrack(directory, "voice-002.mvt", { speaker: "bob" }, [
      ...over(bob, { ssrc: 3 }),
      ...over(late, { ssrc: 3 }),
    ]);
    // Music in stereo.
    const music = tone({ hz: 300, fromMs: 20_000, lengthMs: 5_000, channels: 2 });
    await writeTrack(
      directory,
      "music-001.mvt",
      { speaker: "music", what: "music" },
      over(music, { ssrc: 0 }),
    );
    await writeGarbage(join(directory, "voice-004.mvt"));
    outcome = await exportRecording(exportJob(directory), deps);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test("gives each voice, the music and a mix, named after people", async () => {
    expect(outcome.mixProblem).toBeNull();
    expect(outcome.tracks.map(({ file, what }) => [file, what])).toEqual([
      ["Ann _ Ü 🎙.ogg", "voice"],
      ["Bob.ogg", "voice"],
      ["Music.ogg", "music"],
      ["Everybody.ogg", "mix"],
      ["Voices.ogg", "voices"],
    ]);
    expect((await readdir(directory)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("all files have exactly the recording's length and decode without a complaint", async () => {
    for (const { file } of outcome.tracks) {
      const { durationMs, codec, channels } = await probeFile(path(file));
      expect(codec).toBe("opus");
      // ffprobe counts the pre-skip (312 samples, RFC 7845 section 4.2), which nobody hears.
      expect(Math.abs(durationMs - 6.5 - LENGTH_MS)).toBeLessThanOrEqual(1);
      expect(channels).toBe(/^(Ann|Bob)/.test(file) ? 1 : 2);
      expect(ffmpegComplaints(path(file))).toBe("");
      const { samples } = await decodeFile(path(file));
      expect(Math.abs(samples.length / 48 - LENGTH_MS)).toBeLessThanOrEqual(1);
    }
  });

  test("sound is where it was, within 5 ms, across pause, loss, reordering, repetition, crash and another SSRC", async () => {
    const { samples } = await decodeFile(path("Ann _ Ü 🎙.ogg"));
    for (const [fromMs, toMs] of [
      [2_000, 6_000],
      [8_000, 10_000],
      [15_000, 17_000],
    ] as const) {
      const heard = soundOf(samples, fromMs - 500, toMs + 500);
      expect(Math.abs((heard?.fromMs ?? 0) - fromMs)).toBeLessThanOrEqual(5);
      expect(Math.abs((heard?.toMs ?? 0) - toMs)).toBeLessThanOrEqual(5);
    }
    // Ten packets were lost, two seconds in: 200 ms of silence in their place and nowhere else.
    expect(soundOf(samples, 4_025, 4_175)).toBeNull();
    expect(levelAt(samples, 440, 3_000, 4_000)).toBeCloseTo(0.5, 1);
    expect(levelAt(samples, 440, 4_300, 5_900)).toBeCloseTo(0.5, 1);
  });

  test("one person's track has nothing of the others", async () => {
    const ann = (await decodeFile(path("Ann _ Ü 🎙.ogg"))).samples;
    const bob = (await decodeFile(path("Bob.ogg"))).samples;
    expect(levelAt(bob, 1_000, 2_100, 2_900)).toBeCloseTo(0.5, 1);
    expect(levelAt(bob, 440, 2_100, 2_900)).toBeLessThan(0.01);
    expect(levelAt(ann, 1_000, 2_100, 2_900)).toBeLessThan(0.01);
    // Judged by its end: a codec may fade in after silence.
    expect(Math.abs((soundOf(bob, 2_500, 3_500)?.toMs ?? 0) - 3_000)).toBeLessThanOrEqual(5);
  });

  test("the mix has everybody where they are, at their level", async () => {
    const samples = channelOf(await decodeFile(path("Everybody.ogg"), { channels: 2 }), 0);
    expect(levelAt(samples, 440, 3_100, 3_900)).toBeCloseTo(0.5, 1);
    expect(levelAt(samples, 1_000, 2_100, 2_900)).toBeGreaterThan(0.4);
    expect(levelAt(samples, 300, 20_500, 24_500)).toBeCloseTo(0.5, 1);
    expect(Math.abs((soundOf(samples)?.fromMs ?? 0) - 2_000)).toBeLessThanOrEqual(5);
  });

  test("tags name the person; info.json tells gaps and what could not be read", async () => {
    const { tags } = await probeFile(path("Ann _ Ü 🎙.ogg"));
    expect(tags).toMatchObject({ title: "Ann / Ü 🎙", artist: "Ann / Ü 🎙" });
    const info: unknown = JSON.parse(await readFile(path("info.json"), "utf8"));
    expect(info).toMatchObject({
      durationMs: LENGTH_MS,
      gaps: [{ fromMs: 12_000, toMs: 13_000 }],
      unreadable: ["voice-004.mvt"],
    });
  });
});

test("a way that takes 200 ms longer for good moves nothing of what was said", async () => {
  const directory = await mkdtemp(join(tmpdir(), "voicebot-export-"));
  try {
    await writeJournal(directory, [{ kind: "stop", reason: "command", byUserId: null, atMs: 20_000 }]);
    // The second half arrives 200 ms later than its timestamps say.
    const sent = tone({ hz: 500, fromMs: 0, lengthMs: 18_000 });
    const packets = over(sent, { ssrc: 1, delayMs: (index) => (index >= 300 ? 200 : 0) });
    await writeTrack(directory, "voice-001.mvt", { speaker: "x" }, packets);
    const outcome = await exportRecording(exportJob(directory), deps);
    const { samples } = await decodeFile(join(directory, "export", outcome.tracks[0]?.file ?? ""));
    const heard = soundOf(samples);
    expect(Math.abs((heard?.toMs ?? 0) - 18_000)).toBeLessThanOrEqual(20);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

describe("as FLAC and WAV, with a zip", () => {
  let directory: string;
  const path = (file: string): string => join(directory, "export", file);
  const LENGTH_MS = 12_000;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "voicebot-export-"));
    await writeJournal(directory, [
      { ...PERSON, key: "ann", atMs: 0 },
      { kind: "note", text: "Hör zu", byUserId: "@ann:test", byName: "Ann", atMs: 3_000 },
      { kind: "paused", byUserId: "@ann:test", atMs: 6_000 },
      { kind: "unpaused", byUserId: "@ann:test", atMs: 8_000 },
      { kind: "stop", reason: "command", byUserId: null, atMs: LENGTH_MS + 2_000 },
    ]);
    // A clock that is 200 ppm slow: 2 ms over this recording. Another file after the pause, as it is recorded.
    const slow = (sent: readonly Sent[]): Sent[] =>
      sent.map((packet) => ({ ...packet, sentMs: packet.sentMs * 1.0002 }));
    const before = tone({ hz: 440, fromMs: 1_000, lengthMs: 3_000 });
    const after = tone({ hz: 440, fromMs: 10_000, lengthMs: 2_000 });
    await writeTrack(directory, "voice-001.mvt", { speaker: "ann" }, over(slow(before), { ssrc: 1 }));
    await writeTrack(directory, "voice-002.mvt", { speaker: "ann" }, over(slow(after), { ssrc: 2 }));
    const music = tone({ hz: 300, fromMs: 4_500, lengthMs: 1_000, channels: 2 });
    await writeTrack(
      directory,
      "music-001.mvt",
      { speaker: "music", what: "music" },
      over(music, { ssrc: 0 }),
    );
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test.each([
    ["flac", "flac", "audio/flac"],
    ["wav", "pcm_s16le", "audio/wav"],
  ] as const)("%s has everything where it was, resampled, of one length", async (format, codec, mimeType) => {
    const choice = exportJob(directory, { format, zip: true, language: "de" });
    const outcome = await exportRecording(choice, deps);
    expect(outcome.mixProblem).toBeNull();
    expect(outcome.tracks.map(({ what }) => what)).toEqual(["voice", "music", "mix", "voices"]);
    for (const track of outcome.tracks) {
      expect(track).toMatchObject({ mimeType, durationMs: LENGTH_MS });
      expect(track.waveform).toHaveLength(100);
      const { durationMs, codec: found } = await probeFile(path(track.file));
      expect([found, durationMs]).toEqual([codec, LENGTH_MS]);
      // A plain WAV file does not say which side its only channel is on.
      expect(ffmpegComplaints(path(track.file)).replace(/^Guessed Channel Layout.*\n/, "")).toBe("");
      const channels = track.what === "voice" ? 1 : 2;
      const samples = channelOf(await decodeFile(path(track.file), { channels }), 0);
      expect(samples.length).toBe(LENGTH_MS * 48);
      if (track.what === "music") continue;
      // The paused 2 s are cut out.
      for (const [fromMs, toMs] of [
        [1_000, 4_000],
        [8_000, 10_000],
      ] as const) {
        const heard = soundOf(samples, fromMs - 300, toMs + 300);
        expect(Math.abs((heard?.fromMs ?? 0) - fromMs)).toBeLessThanOrEqual(10);
        expect(Math.abs((heard?.toMs ?? 0) - toMs)).toBeLessThanOrEqual(10);
      }
      expect(levelAt(samples, 440, 2_000, 3_000)).toBeCloseTo(0.5, 1);
      const music = track.what === "mix" ? 0.5 : 0;
      expect(levelAt(samples, 300, 4_700, 5_300)).toBeCloseTo(music, 1);
    }
    const zip = outcome.documents.find(({ what }) => what === "zip");
    expect(zip).toMatchObject({ file: "r1.zip", mimeType: "application/zip" });
    const list = spawnSync("python3", ["-m", "zipfile", "-l", path("r1.zip")], {
      encoding: "utf8",
      timeout: 30_000,
    });
    const files = [...outcome.tracks, ...outcome.documents]
      .map(({ file }) => file)
      .filter((file) => file !== "r1.zip");
    for (const file of files) expect(list.stdout).toContain(file);
    expect((await readdir(join(directory, "export"))).sort()).toEqual([...files, "r1.zip"].sort());
  });

  test("chapters are in the mix; who spoke when is in info.json; the texts are in the room's language", async () => {
    await exportRecording(exportJob(directory, { language: "de" }), deps);
    const probe = ["-v", "error", "-of", "json", "-show_chapters", path("Everybody.ogg")];
    const { stdout } = spawnSync("ffprobe", probe, { encoding: "utf8", timeout: 30_000 });
    expect(JSON.parse(stdout)).toMatchObject({
      chapters: [
        { start_time: "0.000000", tags: { title: "Anfang" } },
        { start_time: "3.000000", tags: { title: "Hör zu" } },
      ],
    });
    const info = JSON.parse(await readFile(path("info.json"), "utf8")) as {
      speech: { turns: [number, number][] }[];
    };
    const turns = info.speech[0]?.turns ?? [];
    expect(turns).toHaveLength(2);
    expect(Math.abs((turns[1]?.[0] ?? 0) - 8_000)).toBeLessThanOrEqual(50);
    expect(await readFile(path("labels.txt"), "utf8")).toContain("Pause, herausgeschnitten");
  });

  test("an export that was killed is gone on with: what it had finished is not made again", async () => {
    const child = fork(new URL("../../src/recorder/export/export-child.ts", import.meta.url).pathname, [], {
      execArgv: [],
    });
    await rm(join(directory, "export"), { recursive: true, force: true });
    const track = "Ann _ Ü 🎙.wav";
    // Killed as soon as the first track is written down.
    const work = (async (): Promise<string> => {
      for (;;) {
        const [part] = (await readdir(directory)).filter((name) => name.endsWith(".part"));
        const manifest =
          part && (await readFile(join(directory, part, "manifest.json"), "utf8").catch(() => ""));
        if (manifest) return join(directory, part ?? "");
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    child.send(exportJob(directory, { format: "wav" }));
    const left = await work;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    const { mtimeMs } = await stat(join(left, track));
    await exportRecording(exportJob(directory, { format: "wav" }), deps);
    expect((await stat(path(track))).mtimeMs).toBe(mtimeMs);
    expect((await readdir(directory)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});

describe("the export child", () => {
  let directory: string;
  const exporter = new ChildExporter({ ffmpeg: "ffmpeg", clock: systemClock });
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "voicebot-export-"));
    await writeJournal(directory, [{ kind: "stop", reason: "command", byUserId: null, atMs: 60_000 }]);
    await writeTrack(
      directory,
      "voice-001.mvt",
      { speaker: "x" },
      over(tone({ hz: 500, fromMs: 0, lengthMs: 60_000 }), { ssrc: 1 }),
    );
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test("does the same work and tells how far it is", async () => {
    const percents: number[] = [];
    const options = {
      signal: new AbortController().signal,
      onProgress: (percent: number) => percents.push(percent),
    };
    const outcome = await exporter.export(directory, options);
    expect(outcome.tracks.map(({ file }) => file)).toEqual(["x.ogg", "Everybody.ogg"]);
    expect(outcome.durationMs).toBe(60_000);
    expect(percents.length).toBeGreaterThan(0);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
  });

  test("is ended when it is cancelled, and what was exported before stays whole", async () => {
    const cancel = new AbortController();
    const work = exporter.export(directory, { signal: cancel.signal, onProgress: () => cancel.abort() });
    await expect(work).rejects.toMatchObject({ code: "cancelled" });
    expect(await readdir(join(directory, "export"))).toContain("x.ogg");
  });

  test("a folder without a readable journal is an error, not a hang", async () => {
    const empty = await mkdtemp(join(tmpdir(), "voicebot-export-"));
    await expect(
      exporter.export(empty, { signal: new AbortController().signal, onProgress: () => undefined }),
    ).rejects.toMatchObject({ code: "recording_damaged" });
    await rm(empty, { recursive: true, force: true });
  });
});
