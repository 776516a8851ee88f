// The clips that ship: there, readable, labelled, and told apart by correlation.
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { correlate } from "../support/correlate.ts";
import { decodeFile, probeFile } from "../support/decode.ts";
import { rmsDb } from "../support/measure.ts";

const RATE = 48_000;
const folder = fileURLToPath(new URL("../../audio/", import.meta.url));

test("the whole folder is at most 3 MB", () => {
  const sizes = readdirSync(folder).map((name) => statSync(folder + name).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(3_000_000);
});

test.each([
  { name: "first-light.mp3", codec: "mp3", channels: 2, title: "First Light", seconds: 80 },
  { name: "small-hours.flac", codec: "flac", channels: 2, title: "Small Hours", seconds: 14 },
  { name: "speech.ogg", codec: "opus", channels: 1, title: "A test sentence", seconds: 7 },
  { name: "recording-notice-en.ogg", codec: "opus", channels: 1, title: "Recording notice", seconds: 2 },
  { name: "recording-notice-de.ogg", codec: "opus", channels: 1, title: "Aufnahmehinweis", seconds: 2 },
])("$name", async ({ name, codec, channels, title, seconds }) => {
  const probe = await probeFile(folder + name);
  expect(probe).toMatchObject({ codec, channels, tags: { title, artist: "matrix-voice-bot" } });
  expect(Math.round(probe.durationMs / 1000)).toBe(seconds);
  const { samples } = await decodeFile(folder + name);
  expect(Math.abs(samples.length / RATE - probe.durationMs / 1000)).toBeLessThan(0.1);
  expect(rmsDb(samples)).toBeGreaterThan(-24);
});

test("each clip is itself and none of the others", async () => {
  const names = ["first-light.mp3", "small-hours.flac", "speech.ogg"];
  const clips = await Promise.all(names.map(async (name) => (await decodeFile(folder + name)).samples));
  for (const [i, needle] of clips.entries()) {
    for (const [j, haystack] of clips.entries()) {
      const { correlation } = correlate(needle.slice(RATE, 6 * RATE), haystack, RATE);
      if (i === j) expect(correlation).toBeGreaterThan(0.99);
      else expect(correlation).toBeLessThan(0.35);
    }
  }
});

test("a file that is not there is an error with ffmpeg's own words", async () => {
  await expect(decodeFile(`${folder}none.mp3`)).rejects.toThrow("No such file");
});
