// What strangers send is recorded as it came. None of it may cost the others their tracks, or the mix.
import { randomBytes, randomInt } from "node:crypto";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jest } from "@jest/globals";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { exportRecording } from "../../src/recorder/export/export.ts";
import type { ExportOutcome } from "../../src/recorder/exporter.ts";
import { decodeFile, probeFile } from "../support/decode.ts";
import { toneDb } from "../support/measure.ts";
import { exportJob, over, tone, writeJournal, writeTrack, type Arrived } from "../support/recording.ts";

jest.setTimeout(90_000);

const LENGTH_MS = 12_000;
const HONEST_HZ = 440;

/** 120 packets a second, which is all that is ever written of anybody. */
const hostile = (packet: (index: number) => Partial<Arrived>): Arrived[] =>
  Array.from({ length: (LENGTH_MS * 120) / 1000 }, (_, index) => ({
    ...{ sentMs: 0, arrivalMs: (index * 1000) / 120, ssrc: 7, sequence: index, timestamp: index * 400 },
    payload: randomBytes(80),
    ...packet(index),
  }));
const withToc = (toc: number, size: number): Uint8Array => Uint8Array.of(toc, ...randomBytes(size));

const attackers: Record<string, Arrived[]> = {
  noise: hostile(() => ({ payload: randomBytes(randomInt(1, 1275)) })),
  "real time noise": hostile((index) => ({ payload: withToc(0xf8, 200), timestamp: index * 960 })),
  leaps: hostile(() => ({ timestamp: randomInt(2 ** 32 - 1) })),
  streams: hostile((index) => ({ ssrc: randomInt(2 ** 32 - 1), timestamp: index * 960 })),
  backwards: hostile((index) => ({ timestamp: 2 ** 32 - 1 - index * 960 })),
  still: hostile(() => ({ timestamp: 5 })),
  "too long": hostile(() => ({ payload: Uint8Array.of(0x03, 0x3f, 1, 2, 3) })),
  "2 minutes a second": hostile((index) => ({ payload: withToc(0x1b, 900), timestamp: index * 5760 })),
  nothing: hostile(() => ({ payload: Uint8Array.of(0xf8) })),
  "bad lengths": hostile(() => ({ payload: Uint8Array.of(0xfa, 0xfe, 0xff, 0xff, 0xff) })),
  paddings: hostile(() => ({ payload: Uint8Array.of(0xfb, 0x41, ...Array<number>(200).fill(255)) })),
};

describe("a recording with strangers in it", () => {
  let directory: string;
  let outcome: ExportOutcome;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "voicebot-strangers-"));
    const names = [
      "../../etc/passwd",
      "CON",
      "<b>\u202e\u0007name\n\r=x",
      "\ud800",
      ".".repeat(300),
      "-i /etc/passwd",
    ];
    const people = Object.keys(attackers).map((key, index) => ({
      ...{
        kind: "joined",
        key,
        userId: `@s${index}:test`,
        name: names[index % names.length] ?? key,
        atMs: 1,
      },
    }));
    await writeJournal(directory, [
      ...people.map((one) => ({ ...one, kind: "joined" as const })),
      { kind: "joined", key: "ann", userId: "@ann:test", name: "Ann", atMs: 0 },
      { kind: "stop", reason: "command", byUserId: "@host:test", atMs: LENGTH_MS },
    ]);
    let number = 1;
    for (const [speaker, packets] of Object.entries(attackers))
      await writeTrack(directory, `voice-${String(++number).padStart(3, "0")}.mvt`, { speaker }, packets);
    const honest = over(tone({ hz: HONEST_HZ, fromMs: 0, lengthMs: LENGTH_MS - 100 }), { ssrc: 1 });
    await writeTrack(directory, "voice-001.mvt", { speaker: "ann" }, honest);
    const deps = { clock: systemClock, log: silentLog, onProgress: () => undefined };
    outcome = await exportRecording(exportJob(directory), deps);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test("the honest track is whole, and so is the mix, in which it can be heard", async () => {
    expect(outcome.mixProblem).toBeNull();
    const ann = await decodeFile(join(directory, "export", "Ann.ogg"));
    expect(toneDb(ann.samples, 48_000, HONEST_HZ)).toBeGreaterThan(-10);
    const mix = outcome.tracks.find(({ what }) => what === "mix");
    const { durationMs } = await probeFile(join(directory, "export", mix?.file ?? ""));
    expect(Math.abs(durationMs - LENGTH_MS)).toBeLessThan(100);
  });

  test("every file is as long as the recording, whatever the packets claim, and lies in its folder", async () => {
    const files = await readdir(join(directory, "export"));
    expect(files.length).toBe(outcome.tracks.length + outcome.documents.length);
    for (const { file, what } of outcome.tracks) {
      expect(files).toContain(file);
      expect(file).not.toMatch(/[/\\<>\n\r\u202e\u0007]|^\.|^-/);
      expect((await stat(join(directory, "export", file))).size).toBeLessThan(2_500_000);
      if (what !== "voice") continue;
      const { durationMs } = await probeFile(join(directory, "export", file));
      expect(Math.abs(durationMs - LENGTH_MS)).toBeLessThan(1000);
    }
  });
});
