import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OggOpusWriter } from "../../../src/recorder/export/ogg-opus.ts";
import { splitTrack } from "../../../src/recorder/export/split/split.ts";
import { tone } from "../../support/recording.ts";
import { rejection } from "../../support/rejection.ts";
import { writeWav } from "../../support/wav.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-split-"));
  await mkdir(join(directory, "export"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const exported = (file: string): string => join(directory, "export", file);
const part = (file: string): string => join(directory, "parts", file);
const split = (file: string, maxBytes: number): ReturnType<typeof splitTrack> =>
  splitTrack({ directory, file, maxBytes, of: "of" }, () => undefined);

/** Length in samples, and packets, of an Ogg Opus file, from its pages. */
async function measured(path: string): Promise<{ samples: number; preSkip: number; pages: number }> {
  const bytes = await readFile(path);
  let granule = 0n;
  let pages = 0;
  for (let at = 0; at < bytes.length; pages++) {
    expect(bytes.toString("latin1", at, at + 4)).toBe("OggS");
    expect(bytes.readUInt32LE(at + 18)).toBe(pages);
    const segments = bytes[at + 26]!;
    const body = bytes.subarray(at + 27, at + 27 + segments).reduce((sum, size) => sum + size, 0);
    granule = bytes.readBigInt64LE(at + 6);
    at += 27 + segments + body;
  }
  const preSkip = bytes.readUInt16LE(28 + 10);
  return { samples: Number(granule) - preSkip, preSkip, pages };
}

test("Ogg Opus is cut between packets into parts that together are as long as the whole", async () => {
  const writer = new OggOpusWriter({ path: exported("Robin.ogg"), tags: { TITLE: "Robin" }, serial: 7 });
  for (const { payload } of tone({ hz: 440, fromMs: 0, lengthMs: 12_000 })) writer.packet(payload, 960);
  writer.finish({ samples: 575_000, channels: 1 });
  const { size } = await stat(exported("Robin.ogg"));
  const maxBytes = Math.floor(size / 2.3);
  const parts = await split("Robin.ogg", maxBytes);
  expect(parts.map(({ file }) => file)).toEqual([
    "Robin (1 of 3).ogg",
    "Robin (2 of 3).ogg",
    "Robin (3 of 3).ogg",
  ]);
  const all = await Promise.all(parts.map(({ file }) => measured(part(file))));
  expect(all.reduce((sum, { samples }) => sum + samples, 0)).toBe(575_000);
  expect(all.map(({ preSkip }) => preSkip)).toEqual([312, 28_800, 28_800]);
  for (const [index, { file, bytes, durationMs, fromMs }] of parts.entries()) {
    expect((await stat(part(file))).size).toBe(bytes);
    expect(bytes).toBeLessThanOrEqual(maxBytes);
    expect(durationMs * 48).toBeCloseTo(all[index]!.samples, 6);
    expect(fromMs).toBeCloseTo(
      parts.slice(0, index).reduce((sum, each) => sum + each.durationMs, 0),
      6,
    );
  }
});

test("WAV is cut between samples; every byte of sound is in one part", async () => {
  const data = Buffer.from(Uint8Array.from({ length: 9_004 }, (_, index) => (index * 7) % 251));
  await writeWav(exported("a.wav"), new Int16Array(data.buffer, data.byteOffset, data.length / 2));
  const parts = await split("a.wav", 4_000);
  expect(parts).toHaveLength(3);
  const sound = await Promise.all(parts.map(async ({ file }) => (await readFile(part(file))).subarray(44)));
  expect(sound.every(({ length }) => length % 4 === 0)).toBe(true);
  expect(Buffer.concat(sound)).toEqual(data);
});

test("what cannot be cut is said", async () => {
  await writeFile(exported("all.zip"), "zip");
  expect(await rejection(split("all.zip", 2))).toMatchObject({ code: "media_too_large" });
  await writeFile(exported("b.ogg"), "no Ogg");
  expect(await rejection(split("b.ogg", 3))).toMatchObject({ code: "recording_damaged" });
});
