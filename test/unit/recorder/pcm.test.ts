import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AlignedPacket } from "../../../src/recorder/export/align/types.ts";
import { Meter } from "../../../src/recorder/export/pcm/meter.ts";
import { TrackRenderer } from "../../../src/recorder/export/pcm/render.ts";
import { interpolate } from "../../../src/recorder/export/pcm/sinc.ts";
import { WAV_HEADER_BYTES, WavWriter, wavHeader } from "../../../src/recorder/export/pcm/wav.ts";
import { tone } from "../../support/recording.ts";

interface Placing {
  start: number;
  /** Samples of the timeline for each of the sender's. */
  stretch?: number;
  lost?: (index: number) => boolean;
  channels?: 1 | 2;
  lengthMs?: number;
  hz?: number;
}

/** A tone's packets at their place. */
function placed({
  start,
  stretch = 1,
  lost = () => false,
  channels = 1,
  lengthMs = 2_000,
  hz = 440,
}: Placing) {
  let missing = 0;
  return tone({ hz, fromMs: 0, lengthMs, channels }).flatMap(({ payload }, index): AlignedPacket[] => {
    if (lost(index)) {
      missing++;
      return [];
    }
    const packet: AlignedPacket = {
      ...{ payload, samples: 960, lostBefore: missing, levelDbov: null, fresh: index === 0 },
      startSample: start + index * 960 * stretch,
      endSample: start + (index + 1) * 960 * stretch,
      contiguous: missing === 0 && index > 0,
      concealable: missing > 0 && missing * 20 <= 120,
    };
    missing = 0;
    return [packet];
  });
}

async function* streamOf(packets: readonly AlignedPacket[]): AsyncGenerator<AlignedPacket, void, undefined> {
  for (const packet of packets) yield await Promise.resolve(packet);
}

/** All of a track, read in blocks of an odd length. */
async function rendered(packets: readonly AlignedPacket[], total: number, channels: 1 | 2 = 1, from = 0) {
  const renderer = new TrackRenderer(streamOf(packets), channels, from);
  const pcm = new Float32Array((total - from) * channels);
  for (let at = 0; at < pcm.length;) {
    const block = pcm.subarray(at, Math.min(pcm.length, at + 7_001 * channels));
    await renderer.read(block);
    at += block.length;
  }
  await renderer.close();
  return pcm;
}

/** Amplitude and phase of a tone whose time 0 is at `zero`, in `count` samples from `from` on. */
function toneIn(pcm: Float32Array, hz: number, zero: number, from: number, count: number) {
  let [re, im] = [0, 0];
  for (let i = from; i < from + count; i++) {
    const angle = (2 * Math.PI * hz * (i - zero)) / 48_000;
    re += pcm[i]! * Math.sin(angle);
    im += pcm[i]! * Math.cos(angle);
  }
  return { amplitude: (2 * Math.hypot(re, im)) / count, phase: Math.atan2(im, re) };
}

test.each([
  [10_000, 1],
  [10_000.37, 1],
  [10_000.37, 1 + 200e-6],
  [10_000.81, 1 - 200e-6],
])(
  "a voice at %d with a clock of %d is where it was said, to a tenth of a sample",
  async (start, stretch) => {
    const pcm = await rendered(placed({ start, stretch, lengthMs: 1_500 }), 90_000);
    // Judged near the beginning, and at the end, where a drift that is not followed has become 13 samples.
    for (const from of [20_000, 72_000]) {
      const { amplitude, phase } = toneIn(pcm, 440 / stretch, start, from, 4_800);
      expect(amplitude).toBeCloseTo(0.5, 1);
      // The encoder's high pass turns the phase a little, the same everywhere: 3 samples of this tone.
      expect(Math.abs(phase)).toBeLessThan(0.25);
    }
    const early = toneIn(pcm, 440 / stretch, start, 20_000, 4_800).phase;
    const late = toneIn(pcm, 440 / stretch, start, 72_000, 4_800).phase;
    expect(Math.abs(early - late)).toBeLessThan((2 * Math.PI * 440 * 0.1) / 48_000);
    expect(pcm.subarray(0, 9_500).every((value) => value === 0)).toBe(true);
    expect(pcm.subarray(83_000).every((value) => value === 0)).toBe(true);
  },
);

/** The largest step from one sample to the next. */
const step = (pcm: Float32Array): number =>
  pcm.reduce((max, value, i) => Math.max(max, Math.abs(value - (pcm[i - 1] ?? 0))), 0);
/** Of a tone of half of full scale. */
const STEP = (0.5 * 2 * Math.PI * 440) / 48_000;

test("short losses are concealed, longer ones are silence of their length, and nothing clicks", async () => {
  const lost = (index: number): boolean => index === 20 || index === 30 || (index >= 50 && index < 70);
  const pcm = await rendered(placed({ start: 0.5, lost }), 100_000);
  for (const from of [20 * 960, 30 * 960]) {
    expect(toneIn(pcm, 440, 0, from, 960).amplitude).toBeGreaterThan(0.35);
  }
  // 40 ms fade away; then there is nothing until the next packet.
  const gap = pcm.subarray(50 * 960 + 2_000, 70 * 960 - 400);
  expect(gap.every((value) => value === 0)).toBe(true);
  expect(toneIn(pcm, 440, 0, 72 * 960, 4_800).amplitude).toBeCloseTo(0.5, 1);
  expect(step(pcm)).toBeLessThan(STEP * 2);
});

test("what is no Opus is a gap, not an end", async () => {
  const packets = placed({ start: 0 }).map((packet, index) =>
    index % 10 === 5 ? { ...packet, payload: Uint8Array.of(0xff, 0xff, 1) } : packet,
  );
  const pcm = await rendered(packets, 96_000);
  expect(toneIn(pcm, 440, 0, 48_000, 9_600).amplitude).toBeGreaterThan(0.4);
});

test("stereo stays stereo, and a track can be read from the middle on", async () => {
  const packets = placed({ start: 200_000.25, channels: 2, lengthMs: 1_000 });
  const pcm = await rendered(packets, 250_000, 2, 190_000);
  const left = pcm.filter((_, index) => index % 2 === 0);
  const right = pcm.filter((_, index) => index % 2 === 1);
  expect(left.every((value, index) => value === right[index])).toBe(true);
  expect(toneIn(left, 440, 10_000.25, 30_000, 4_800).amplitude).toBeCloseTo(0.5, 1);
});

test("between samples a tone is what it is there: 80 dB", () => {
  const hz = 9_000;
  const value = (at: number): number => Math.sin((2 * Math.PI * hz * at) / 48_000);
  const source = Float32Array.from({ length: 2_000 }, (_, index) => value(index));
  const target = new Float32Array(1_000);
  interpolate(source, 100.123, 1.0002, target, 0, 1_000, 1);
  const worst = target.reduce((max, got, i) => Math.max(max, Math.abs(got - value(100.123 + i * 1.0002))), 0);
  expect(20 * Math.log10(worst)).toBeLessThan(-70);
});

describe("WAV", () => {
  const hour = 48_000 * 3_600;
  test.each([
    [0, 1],
    [hour, 2],
    [hour * 6, 2],
  ] as const)("below 4 GB it is a RIFF file (%d samples, %d channels)", (frames, channels) => {
    const header = Buffer.from(wavHeader(frames, channels));
    expect(header.toString("latin1", 0, 4)).toBe("RIFF");
    expect(header.readUInt32LE(4)).toBe(72 + frames * channels * 2);
    expect(header.toString("latin1", 12, 16)).toBe("JUNK");
    expect(header.readUInt32LE(76)).toBe(frames * channels * 2);
  });

  test("from 4 GB on its sizes are those of RF64", () => {
    const frames = hour * 12;
    const header = Buffer.from(wavHeader(frames, 2));
    expect(header.toString("latin1", 0, 4) + header.toString("latin1", 8, 16)).toBe("RF64WAVEds64");
    expect([header.readUInt32LE(4), header.readUInt32LE(76)]).toEqual([0xffffffff, 0xffffffff]);
    expect(header.readBigUInt64LE(20)).toBe(BigInt(72 + frames * 4));
    expect(header.readBigUInt64LE(28)).toBe(BigInt(frames * 4));
    expect(header.readBigUInt64LE(36)).toBe(BigInt(frames));
  });

  test("the last size that fits in 32 bits is a RIFF file, the next is not", () => {
    const most = Math.floor((0xffffffff - 72) / 4);
    expect(Buffer.from(wavHeader(most, 2)).toString("latin1", 0, 4)).toBe("RIFF");
    expect(Buffer.from(wavHeader(most + 1, 2)).toString("latin1", 0, 4)).toBe("RF64");
  });

  test("writes what it is given behind its head", () => {
    const directory = mkdtempSync(join(tmpdir(), "voicebot-wav-"));
    try {
      const path = join(directory, "x.wav");
      const writer = new WavWriter(path, { frames: 4, channels: 1 });
      writer.write(Int16Array.of(1, -2));
      writer.write(Int16Array.of(3, -32_768));
      writer.close();
      const bytes = readFileSync(path);
      expect(bytes.length).toBe(WAV_HEADER_BYTES + 8);
      expect([0, 1, 2, 3].map((i) => bytes.readInt16LE(WAV_HEADER_BYTES + 2 * i))).toEqual([
        1, -2, 3, -32_768,
      ]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe("the meter", () => {
  const tone = (count: number, amplitude: number, channels: 1 | 2 = 1): Float32Array =>
    Float32Array.from(
      { length: count * channels },
      (_, i) => amplitude * Math.sin(Math.floor(i / channels) / 10),
    );

  test("a waveform has a hundred values of at most 1024, in their place", () => {
    const meter = new Meter(240_000, 2);
    meter.take(null, 120_000);
    meter.take(tone(60_000, 0.5, 2), 60_000);
    meter.take(tone(60_000, 1.2, 2), 60_000);
    const { waveform, peakDbfs } = meter.result();
    expect(waveform).toHaveLength(100);
    expect(new Set(waveform.slice(0, 50))).toEqual(new Set([0]));
    expect(new Set(waveform.slice(51, 75))).toEqual(new Set([512]));
    expect(new Set(waveform.slice(76))).toEqual(new Set([1024]));
    expect(peakDbfs).toBeCloseTo(1.6, 1);
  });

  test("levels are those of RFC 6464, each of 50 ms", () => {
    const meter = new Meter(24_000, 1);
    meter.take(null, 4_800);
    meter.take(tone(4_000, 0.5), 4_000);
    meter.take(tone(800, 0.5), 800);
    meter.take(null, 4_800);
    meter.take(tone(2_400, 0.5), 2_400);
    meter.take(null, 7_200);
    const { levelDbov } = meter.result();
    expect(meter.levels.fromMs).toBe(100);
    expect([...meter.levels.values]).toEqual([9, 9, 127, 127, 9]);
    expect(levelDbov).toBeCloseTo(-9, 0);
  });

  test("distortion is counted, single peaks are not; silence has neither level nor peak", () => {
    const meter = new Meter(4_800, 1);
    const pcm = new Float32Array(2_400);
    pcm.fill(1, 100, 110);
    pcm[500] = 1;
    pcm.fill(-1, 900, 903);
    meter.take(pcm, 2_400);
    expect(meter.result().clippedSamples).toBe(13);
    const silent = new Meter(100, 1);
    silent.take(null, 100);
    expect(silent.result()).toEqual({ waveform: [0], peakDbfs: null, levelDbov: null, clippedSamples: 0 });
  });
});
