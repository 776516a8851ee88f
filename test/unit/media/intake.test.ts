// What comes of a source until it is played, without a source: a list of what it was told.
import { Intake } from "../../../src/media/audio/intake.ts";
import { BYTES_PER_SAMPLE, FRAME_VALUES, msToSamples } from "../../../src/media/audio/pcm.ts";
import type { PcmSource } from "../../../src/media/audio/source.ts";

const pcm = (ms: number): Buffer => Buffer.alloc(msToSamples(ms) * BYTES_PER_SAMPLE);
const told: string[] = [];
const source: PcmSource = {
  pause: () => void told.push("pause"),
  resume: () => void told.push("resume"),
  close: () => void told.push("close"),
};
beforeEach(() => (told.length = 0));

test("a source is stopped while the ring is full, also one that has filled it before anybody could stop it", () => {
  const early = new Intake(0);
  early.take(pcm(600));
  early.take(pcm(600));
  early.begin(source);
  expect(told).toEqual(["pause"]);
  const frame = new Float32Array(FRAME_VALUES);
  while (early.available > msToSamples(600)) early.read(frame, FRAME_VALUES / 2);
  expect(told).toEqual(["pause"]);
  while (early.available > 0) early.read(frame, FRAME_VALUES / 2);
  expect(told).toEqual(["pause", "resume"]);
  early.close();
  expect(told).toEqual(["pause", "resume", "close"]);

  told.length = 0;
  const usual = new Intake(0);
  usual.begin(source);
  usual.take(pcm(600));
  expect(told).toEqual([]);
  usual.take(pcm(600));
  expect(told).toEqual(["pause"]);
});
