import { Decoder } from "@evan/opus";
import { Adaptation } from "../../../src/media/audio/adaptation.ts";
import { createOpusEncoder } from "../../../src/media/audio/encoder.ts";
import { Limiter } from "../../../src/media/audio/limiter.ts";
import { FRAME_SAMPLES, FRAME_VALUES } from "../../../src/media/audio/pcm.ts";
import type { EngineConnection } from "../../../src/media/engine/engine.ts";
import { OwnVolumes } from "../../../src/media/own-volumes.ts";

// Jest runs tests in a vm context, where every use of a global in a loop is slow; a module's own names are not.
const { PI, sin, log10, max } = Math;
const encoding = new Adaptation(128_000).settings;
const connectionOf = (name: string): EngineConnection => ({ name }) as unknown as EngineConnection;

/** A frame of three tones and a little noise, before the limiter. */
function frameOf(index: number, state: { noise: number }): Float32Array {
  const sum = new Float32Array(FRAME_VALUES);
  for (let i = 0; i < FRAME_SAMPLES; i++) {
    const t = (index * FRAME_SAMPLES + i) / 48_000;
    state.noise = (state.noise * 16_807) % 2_147_483_647;
    const noise = 300 * (state.noise / 1_073_741_823 - 1);
    sum[2 * i] = 4_000 * sin(2 * PI * 220 * t) + 3_000 * sin(2 * PI * 1_318 * t) + noise;
    sum[2 * i + 1] = 4_000 * sin(2 * PI * 277 * t) + 2_000 * sin(2 * PI * 3_000 * t) - noise;
  }
  return sum;
}

/** What one listener decodes, frame by frame, and what they would have got from one encoder all along. */
function listen(
  frames: number,
  commands: Record<number, number>,
): { heardDb: number[]; errorDb: number[]; own: boolean[] } {
  const connection = connectionOf("a");
  const volumes = new OwnVolumes({ connection: (peer) => (peer === "a" ? connection : null) });
  const [common, reference] = [createOpusEncoder(128_000), createOpusEncoder(128_000)];
  const [ears, ideal] = [1, 2].map(() => new Decoder({ channels: 2, sample_rate: 48_000 })) as [
    Decoder,
    Decoder,
  ];
  const [limiter, noise] = [new Limiter(), { noise: 1 }];
  const pcm = new Int16Array(FRAME_VALUES);
  const result = { heardDb: [] as number[], errorDb: [] as number[], own: [] as boolean[] };
  const samplesOf = (bytes: Uint8Array): Int16Array =>
    new Int16Array(bytes.buffer, bytes.byteOffset, FRAME_VALUES);
  for (let index = 0; index < frames; index++) {
    const percent = commands[index];
    if (percent !== undefined) volumes.set("a", percent);
    const sum = frameOf(index, noise);
    limiter.apply(sum, pcm);
    const shared = common.encode(pcm).slice();
    const own = volumes.frames(sum, index === 0, encoding)?.get(connection);
    const heard = Int16Array.from(samplesOf(ears.decode(own?.opus ?? shared)));
    const best = samplesOf(ideal.decode(reference.encode(own?.pcm ?? pcm).slice()));
    let [power, error] = [1e-9, 1e-9];
    for (let i = 0; i < FRAME_VALUES; i++) {
      power += heard[i]! ** 2;
      error += (heard[i]! - best[i]!) ** 2;
    }
    result.heardDb.push(10 * log10(power / FRAME_VALUES / 32_768 ** 2));
    result.errorDb.push(10 * log10(error / power));
    result.own.push(own !== undefined);
  }
  volumes.close();
  common.close();
  reference.close();
  return result;
}

test("a listener's own volume comes and goes without a glitch, and costs nothing before and after", () => {
  const { heardDb, errorDb, own } = listen(120, { 30: 40, 80: 100 });
  const first = own.indexOf(true);
  const last = own.lastIndexOf(true);
  expect(first).toBeGreaterThan(30);
  expect(first).toBeLessThan(50);
  expect(last).toBeGreaterThan(80);
  expect(last).toBeLessThan(110);
  // As near to one encoder's work as two encodings of the same are: the change cannot be heard.
  expect(max(...errorDb.slice(20))).toBeLessThan(-25);
  const level = (from: number, to: number): number =>
    heardDb.slice(from, to).reduce((sum, db) => sum + db / (to - from), 0);
  expect(level(60, 78) - level(10, 28)).toBeCloseTo(20 * log10(0.4), 0);
  expect(level(110, 119) - level(10, 28)).toBeCloseTo(0, 0);
});

test("whose volume was known before the first sound has it from the first frame on", () => {
  const { heardDb, own } = listen(30, { 0: 25 });
  expect(own.every(Boolean)).toBe(true);
  expect(heardDb[20]!).toBeCloseTo(listen(30, {}).heardDb[20]! + 20 * log10(0.25), 0);
});

test("a volume is kept for the name: a new connection has it at once, others never", () => {
  let connection: EngineConnection | null = connectionOf("first");
  const other = connectionOf("other");
  const volumes = new OwnVolumes({ connection: (peer) => (peer === "a" ? connection : other) });
  const sum = frameOf(0, { noise: 1 });
  volumes.set("a", 150);
  expect([...volumes.frames(sum, true, encoding)!.keys()]).toEqual([connection]);
  connection = null;
  expect(volumes.frames(sum, false, encoding)).toBeUndefined();
  connection = connectionOf("second");
  const frames = volumes.frames(sum, false, encoding)!;
  expect([...frames.keys()]).toEqual([connection]);
  expect(frames.get(connection)!.opus!.length).toBeGreaterThan(10);
  // Taken back while nobody is there.
  connection = null;
  volumes.frames(sum, false, encoding);
  volumes.set("a", 100);
  connection = connectionOf("third");
  expect(volumes.frames(sum, false, encoding)).toBeUndefined();
  volumes.close();
});

test("an engine that takes PCM gets no packets, and what is turned up is limited, not cut off", () => {
  const connection = connectionOf("a");
  const volumes = new OwnVolumes({ connection: () => connection });
  volumes.set("a", 200);
  const noise = { noise: 1 };
  let peak = 0;
  for (let index = 0; index < 20; index++) {
    const sum = frameOf(index, noise).map((value) => value * 3);
    const frame = volumes.frames(sum, index === 0, null)!.get(connection)!;
    expect(frame.opus).toBeNull();
    for (const value of frame.pcm!) peak = max(peak, value, -value);
  }
  expect(peak).toBeLessThanOrEqual(32_768 * 10 ** (-1 / 20));
  expect(peak).toBeGreaterThan(21_000);
  volumes.close();
});

test("there are no more than two dozen of them in one channel; the rest hears what everybody hears", () => {
  const connections = new Map(Array.from({ length: 30 }, (_, i) => [`p${i}`, connectionOf(`p${i}`)]));
  const volumes = new OwnVolumes({ connection: (peer) => connections.get(peer) ?? null });
  for (const peer of connections.keys()) volumes.set(peer, 50);
  expect(volumes.frames(frameOf(0, { noise: 1 }), true, null)!.size).toBe(24);
  volumes.close();
});
