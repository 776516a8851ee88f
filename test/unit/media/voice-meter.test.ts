import { Encoder } from "@evan/opus";
import { VoiceMeter } from "../../../src/media/audio/voice-meter.ts";
import type { ReceivedAudio } from "../../../src/media/engine/engine.ts";

interface Packet {
  levelDbov?: number | null;
  payload?: Uint8Array;
  sequence?: number;
}
const speech = Uint8Array.from({ length: 80 }, (_, i) => i);
function opus(
  arrivalMs: number,
  { levelDbov = null, payload = speech, sequence = 0 }: Packet,
): ReceivedAudio {
  const rest = { ssrc: 1, timestamp: 0, marker: false } as const;
  return { kind: "opus", payload, sequence, arrivalMs, levelDbov, ...rest };
}
/** A second of packets from `fromMs` on. */
function second(meter: VoiceMeter, fromMs: number, levelDbov: number | null, payload = speech): void {
  for (let i = 0; i < 50; i++) meter.take(opus(fromMs + i * 20, { levelDbov, payload, sequence: i }));
}
/** Opus packets of a sine of this RMS level in both channels. */
function tone(levelDb: number, packets: number): Uint8Array[] {
  const encoder = new Encoder({ channels: 2, sample_rate: 48_000, application: "audio" });
  encoder.bitrate = 64_000;
  const amplitude = 32_768 * Math.SQRT2 * 10 ** (levelDb / 20);
  return Array.from({ length: packets }, (_, packet) => {
    const pcm = Int16Array.from({ length: 1920 }, (_, i) =>
      Math.round(amplitude * Math.sin((2 * Math.PI * 440 * (packet * 960 + Math.floor(i / 2))) / 48_000)),
    );
    return Uint8Array.from(encoder.encode(pcm));
  });
}

test("before the first packet nothing is known", () => {
  const nothing = { packetAgeMs: null, soundAgeMs: null, levelDbfs: null, dtx: false, clippedRecently: null };
  expect(new VoiceMeter().read(1000)).toEqual(nothing);
});

test("the level is the mean power of what sounded in the last ten seconds, pauses left out", () => {
  const meter = new VoiceMeter();
  second(meter, 0, -3);
  second(meter, 12_000, -20);
  second(meter, 13_000, -85);
  second(meter, 14_000, -30);
  const mean = 10 * Math.log10((10 ** -2 + 10 ** -3) / 2);
  expect(meter.read(15_000).levelDbfs).toBeCloseTo(mean, 5);
  expect(meter.read(15_000)).toMatchObject({ packetAgeMs: 20, soundAgeMs: 20, dtx: false });
  // Ten seconds later nothing of it counts any more, but when it was is still known.
  expect(meter.read(26_000)).toEqual({
    packetAgeMs: 11_020,
    soundAgeMs: 11_020,
    levelDbfs: null,
    dtx: false,
    clippedRecently: null,
  });
});

test("silence has the level of silence, a muted microphone that of zeros", () => {
  const quiet = new VoiceMeter();
  second(quiet, 1000, -84);
  expect(quiet.read(2000)).toMatchObject({ soundAgeMs: null, packetAgeMs: 20, dtx: false });
  expect(quiet.read(2000).levelDbfs).toBeCloseTo(-84, 5);
  const muted = new VoiceMeter();
  second(muted, 1000, -127);
  expect(muted.read(2000).levelDbfs).toBeCloseTo(-127, 5);
});

test("signs that silence goes on are no sound", () => {
  const tiny = new VoiceMeter();
  second(tiny, 1000, -127, Uint8Array.of(0xf8));
  expect(tiny.read(2000)).toMatchObject({ dtx: true, soundAgeMs: null, levelDbfs: null });
  // A browser sends noise now and then instead.
  const few = new VoiceMeter();
  for (let atMs = 1000; atMs < 6000; atMs += 400) few.take(opus(atMs, { levelDbov: -90 }));
  expect(few.read(6000)).toMatchObject({ dtx: true, soundAgeMs: null });
  second(few, 6000, -25);
  expect(few.read(7000).dtx).toBe(false);
});

test.each([-12, -20, -40])(
  "of who does not tell its level, a tone of %i dBFS is measured within 1 dB",
  (levelDb) => {
    const meter = new VoiceMeter();
    for (const [i, payload] of tone(levelDb, 150).entries())
      meter.take(opus(1000 + i * 20, { payload, sequence: (65_500 + i) & 0xffff }));
    const { levelDbfs, soundAgeMs } = meter.read(4000);
    expect(Math.abs(levelDbfs! - levelDb)).toBeLessThan(1);
    expect(soundAgeMs).toBeLessThan(1100);
  },
);

test("zeros encoded are digital silence", () => {
  const encoder = new Encoder({ channels: 2, sample_rate: 48_000, application: "voip" });
  const meter = new VoiceMeter();
  for (let i = 0; i < 100; i++)
    meter.take(opus(i * 20, { payload: Uint8Array.from(encoder.encode(new Int16Array(1920))), sequence: i }));
  expect(meter.read(2000).levelDbfs).toBeLessThanOrEqual(-126);
});

test("what is no Opus, or never six packets in a row, has no level and does no harm", () => {
  const meter = new VoiceMeter();
  const random = Uint8Array.from({ length: 1400 }, (_, i) => (i * 7919) >> 3);
  for (let i = 0; i < 300; i++)
    meter.take(opus(i * 20, { payload: random.map((byte) => byte ^ i), sequence: i }));
  expect(meter.read(6000).packetAgeMs).toBe(20);
  const holes = new VoiceMeter();
  for (const [i, payload] of tone(-20, 100).entries()) holes.take(opus(i * 20, { payload, sequence: i * 2 }));
  expect(holes.read(2000).levelDbfs).toBeNull();
});

const { sin, PI, max, min, log10 } = Math;
/** One period at 150 Hz of a sound with twenty overtones. */
const PERIOD = Array.from({ length: 320 }, (_, i) => {
  let value = 0;
  for (let n = 1; n <= 20; n++) value += sin((2 * PI * n * i) / 320 + n * n * 0.3) / n;
  return 12_000 * value;
});

/** Opus packets of a voice-like hum of three syllables a second that was cut off at full scale. */
function hum(gain: number, packets: number): { payload: Uint8Array; levelDbov: number }[] {
  const encoder = new Encoder({ channels: 1, sample_rate: 48_000, application: "voip" });
  encoder.bitrate = 32_000;
  const frame = new Int16Array(960);
  return Array.from({ length: packets }, (_, packet) => {
    let power = 0;
    for (let i = 0; i < 960; i++) {
      const at = packet * 960 + i;
      const loud = gain * PERIOD[at % 320]! * max(0, sin((2 * PI * 3 * at) / 48_000));
      frame[i] = max(-32_768, min(32_767, loud));
      power += (frame[i]! / 32_768) ** 2 / 960;
    }
    const levelDbov = max(-127, min(0, 10 * log10(power)));
    return { payload: Uint8Array.from(encoder.encode(frame)), levelDbov };
  });
}

test.each([
  ["a quiet voice", 0.1, 0, 0],
  ["a loud voice", 0.8, 0, 0],
  ["a voice 12 dB over", 4, 0.15, 0.7],
  ["nothing but clipping", 40, 0.3, 0.9],
])("%s: clipped frames are counted, whether the level is told or not", (_, gain, least, most) => {
  const packets = hum(gain, 500);
  const [told, untold] = [new VoiceMeter(), new VoiceMeter()];
  for (const [i, { payload, levelDbov }] of packets.entries()) {
    told.take(opus(1000 + i * 20, { payload, sequence: i, levelDbov }));
    untold.take(opus(1000 + i * 20, { payload, sequence: i }));
  }
  for (const meter of [told, untold]) {
    const { clippedRecently } = meter.read(11_000);
    expect(clippedRecently).toBeGreaterThanOrEqual(least);
    expect(clippedRecently).toBeLessThanOrEqual(most);
  }
  // Later nothing is known of it any more.
  expect(told.read(30_000).clippedRecently).toBeNull();
});

test("PCM is measured as it is", () => {
  const meter = new VoiceMeter();
  const samples = Int16Array.from({ length: 960 }, (_, i) => 16_384 * Math.sin((2 * Math.PI * i * 10) / 960));
  for (let i = 0; i < 100; i++)
    meter.take({
      kind: "pcm",
      samples,
      channels: 1,
      sampleRate: 48_000,
      timestamp: i * 960,
      arrivalMs: i * 20,
    });
  expect(meter.read(2000).levelDbfs).toBeCloseTo(-6.02 - 3.01, 1);
});

test("of PCM the samples at full scale are counted", () => {
  const meter = new VoiceMeter();
  for (let i = 0; i < 100; i++) {
    const samples = new Int16Array(480).fill(i < 50 ? 32_767 : 20_000);
    const rest = { channels: 1, sampleRate: 48_000, timestamp: i * 480, arrivalMs: i * 10 };
    meter.take({ kind: "pcm", samples, ...rest });
  }
  expect(meter.read(1000).clippedRecently).toBe(0.5);
});
