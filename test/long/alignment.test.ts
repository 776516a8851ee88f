// One browser page says the same under two identities; the whole bot records it. Where the tracks differ is error.
import { rm } from "node:fs/promises";
import { apart, exportedVoices, recordSameVoice } from "../support/same-voice.ts";
import { Stage } from "../support/stage.ts";

let stage: Stage;
let directory = "";
beforeAll(async () => (stage = await Stage.start({ maxUploadSize: "50M" })));
afterAll(async () => {
  await stage?.close();
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

test("the same voice is at the same time on two tracks: to 20 ms resampled, to 40 ms as Opus packets", async () => {
  directory = await recordSameVoice(stage, { identities: 2, lengthMs: 120_000 });
  const wav = await exportedVoices(directory, "wav");
  expect(wav).toHaveLength(2);
  expect(wav[0]!.length).toBe(wav[1]!.length);
  const resampled = apart(wav);
  expect(resampled.windows).toBeGreaterThan(15);
  expect(resampled.maxMs).toBeLessThanOrEqual(20);
  const original = apart(await exportedVoices(directory, "opus"));
  expect(original.windows).toBeGreaterThan(15);
  expect(original.maxMs).toBeLessThanOrEqual(40);
});
