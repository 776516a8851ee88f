import { Decoder } from "@evan/opus";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VoiceEncoder } from "../../../src/media/audio/voice-encoder.ts";
import type { ReceivedOpus, ReceivedPcm } from "../../../src/media/engine/engine.ts";
import { KeptSound } from "../../../src/media/kept-sound.ts";
import { TrackReader } from "../../../src/media/tracks/reader.ts";
import { aPlaneContext } from "../../fakes/plane-context.ts";
import { dominantFrequency, fromInt16, rmsDb } from "../../support/measure.ts";

/** 10 ms of a tone of half of full scale, or of silence, as an engine delivers it. */
function part(index: number, hertz: number | null, channels = 1): ReceivedPcm {
  const samples = Int16Array.from({ length: 480 * channels }, (_, i) => {
    const at = index * 480 + Math.floor(i / channels);
    return hertz === null ? 0 : 16_384 * Math.sin((2 * Math.PI * hertz * at) / 48_000);
  });
  const rest = { channels, sampleRate: 48_000, arrivalMs: 1000 + index * 10 };
  return { kind: "pcm", samples, timestamp: (index * 480) % 2 ** 32, ...rest };
}

function encode(parts: readonly ReceivedPcm[]): ReceivedOpus[] {
  const packets: ReceivedOpus[] = [];
  const encoder = new VoiceEncoder((packet) => packets.push(packet));
  for (const one of parts) encoder.take(one);
  encoder.close();
  return packets;
}

function decode(packets: readonly ReceivedOpus[]): Float32Array {
  const decoder = new Decoder({ channels: 1, sample_rate: 48_000 });
  return Float32Array.from(
    packets.flatMap(({ payload }) => {
      const bytes = decoder.decode(payload);
      const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      return [...fromInt16(new Int16Array(copy))];
    }),
  );
}

test.each([1, 2])(
  "a tone of %p channels becomes packets of 20 ms with its times and its level",
  (channels) => {
    const packets = encode(Array.from({ length: 100 }, (_, i) => part(i, 600, channels)));
    expect(packets).toHaveLength(50);
    for (const [i, packet] of packets.entries()) {
      expect(packet).toMatchObject({ timestamp: i * 960, arrivalMs: 1000 + i * 20, marker: i === 0 });
      expect(packet.sequence).toBe(i);
      expect(packet.ssrc).toBe(packets[0]!.ssrc);
      expect(packet.levelDbov).toBe(-9);
    }
    const samples = decode(packets).subarray(4800);
    expect(dominantFrequency(samples, 48_000)).toBeCloseTo(600, 0);
    expect(rmsDb(samples)).toBeCloseTo(-9, 0);
  },
);

test("silence makes no packets but a few behind sound; what follows keeps its place", () => {
  const sounds = (i: number): boolean => i < 20 || i >= 200;
  const packets = encode(Array.from({ length: 220 }, (_, i) => part(i, sounds(i) ? 600 : null)));
  expect(packets.map(({ timestamp }) => timestamp / 960)).toEqual([
    ...Array.from({ length: 15 }, (_, i) => i),
    ...Array.from({ length: 10 }, (_, i) => 100 + i),
  ]);
  expect(packets.filter(({ marker }) => marker).map(({ timestamp }) => timestamp / 960)).toEqual([0, 100]);
  expect(encode(Array.from({ length: 50 }, (_, i) => part(i, null)))).toEqual([]);
});

test("what is left out ends a frame, odd rates are none, and the numbers wrap", () => {
  const packets = encode([part(0, 600), part(5, 600), part(6, 600)]);
  expect(packets.map(({ timestamp }) => timestamp)).toEqual([0, 5 * 480]);
  expect(encode([{ ...part(0, 600), sampleRate: 16_000 }])).toEqual([]);
  const last = { ...part(0, 600), timestamp: 2 ** 32 - 480 };
  expect(encode([last, { ...part(1, 600), timestamp: 0 }])).toMatchObject([{ timestamp: 2 ** 32 - 480 }]);
});

test("an engine without a clock is recorded, and its files and events say so", async () => {
  const directory = await mkdtemp(join(tmpdir(), "voicebot-pcm-"));
  const tracks: unknown[] = [];
  try {
    const context = aPlaneContext({ emit: (event) => tracks.push(event) });
    const recording = new KeptSound("room", context, () => []);
    await recording.start({ recording: "r", directory, speakers: ["ann"] });
    for (let i = 0; i < 20; i++) recording.audio("ann", part(i, 600));
    recording.left("ann");
    for (let i = 0; i < 20; i++) recording.audio("ann", part(i, 600));
    const payload = Uint8Array.of(0xfc, 1);
    recording.music({ payload, timestamp: 0, marker: true, atMs: 0, sounds: true });
    await recording.close();
    recording.audio("ann", part(0, 600));
    expect(tracks).toMatchObject([
      { speaker: "ann", file: "voice-001.mvt", what: "voice", hasClock: false },
      { speaker: "music", file: "music-001.mvt", what: "music" },
    ]);
    expect((await readdir(directory)).toSorted()).toEqual(["music-001.mvt", "voice-001.mvt"]);
    const reader = await TrackReader.open(join(directory, "voice-001.mvt"));
    expect(reader.header).toMatchObject({ engine: "capture", hasClock: false });
    const streams = new Map<number, number>();
    for await (const record of reader.records())
      if (record.type === "packet") streams.set(record.ssrc, (streams.get(record.ssrc) ?? 0) + 1);
    // Two connections: two clocks.
    expect([...streams.values()]).toEqual([10, 10]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
