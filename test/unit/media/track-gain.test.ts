import { LoudnessMeter } from "../../../src/media/audio/loudness-meter.ts";
import { FRAME_SAMPLES, FRAME_VALUES } from "../../../src/media/audio/pcm.ts";
import { TrackGain } from "../../../src/media/audio/track-gain.ts";

// Jest runs tests in a vm context, where every use of a global in a loop is slow; a module's own names are not.
const { PI, sin, sqrt, log10 } = Math;

/** Frames of a tone of 1 kHz, which repeats every frame, at so many dBFS (a full-scale sine is 0) in both channels. */
function tone(dbfs: number): Float32Array {
  const frame = new Float32Array(FRAME_VALUES);
  for (let i = 0; i < FRAME_SAMPLES; i++)
    frame.fill(32_768 * 10 ** (dbfs / 20) * sin((2 * PI * 1_000 * i) / 48_000), 2 * i, 2 * i + 2);
  return frame;
}

const times = (count: number, run: () => void): void => {
  for (let i = 0; i < count; i++) run();
};
const none = (): null => null;

/** What becomes of a frame, in dB. */
function gainDb(gain: TrackGain, frame: Float32Array): number {
  const values = frame.slice();
  gain.applyTo(values, FRAME_SAMPLES, none);
  const power = (of: Float32Array): number => of.reduce((sum, value) => sum + value * value, 0);
  return 20 * log10(sqrt(power(values) / power(frame)));
}

describe("loudness as it goes", () => {
  test("is that of BS.1770: a tone of 1 kHz in both channels has its own level", () => {
    const meter = new LoudnessMeter();
    expect(meter.lufs).toBeNull();
    times(100, () => meter.take(tone(-20)));
    expect(meter.lufs).toBeCloseTo(-20, 1);
  });

  test("leaves out silence and what is far below the rest", () => {
    const meter = new LoudnessMeter();
    const [loud, low, silence] = [tone(-18), tone(-40), new Float32Array(FRAME_VALUES)];
    times(200, () => meter.take(loud));
    times(200, () => meter.take(silence));
    times(200, () => meter.take(low));
    expect(Math.abs(meter.lufs! + 18)).toBeLessThan(0.3);
    const quiet = new LoudnessMeter();
    times(100, () => quiet.take(silence));
    expect(quiet.lufs).toBeNull();
  });
});

describe("the gain of a track", () => {
  test("glides in two seconds once it is heard, and is there at once before", () => {
    const gain = new TrackGain({ gainDb: -6 });
    gain.set(-10);
    expect(gainDb(gain, tone(-20))).toBeCloseTo(-10, 3);
    gain.set(0);
    const first = gainDb(gain, tone(-20));
    expect(first).toBeGreaterThan(-10);
    expect(first).toBeLessThan(-9.5);
    times(100, () => void gainDb(gain, tone(-20)));
    expect(gainDb(gain, tone(-20))).toBeCloseTo(0, 3);
  });

  test("is that of the tags where there are any, and nobody knows better", () => {
    const tagged = { lufs: -10, truePeakDb: null };
    const level = { gainDb: -6, tagsToLufs: -16 };
    const [by, known] = [new TrackGain({ ...level, gainDb: -2 }), new TrackGain(level)];
    known.set(-3);
    const values = [by, known].map((gain) => {
      const frame = tone(0);
      gain.applyTo(frame, FRAME_SAMPLES, () => tagged);
      return frame;
    });
    const peak = (frame: Float32Array): number =>
      20 * log10(frame.reduce((a, b) => (b > a ? b : a)) / 32_768);
    expect(peak(values[0]!)).toBeCloseTo(-6, 1);
    expect(peak(values[1]!)).toBeCloseTo(-3, 1);
  });

  test("of a stream follows what is heard of it, until somebody says what it shall be", () => {
    const gain = new TrackGain({ gainDb: -6, tagsToLufs: -16 }, true);
    times(100, () => void gainDb(gain, tone(-8)));
    expect(gainDb(gain, tone(-8))).toBeCloseTo(-6, 3);
    times(150, () => void gainDb(gain, tone(-8)));
    expect(gainDb(gain, tone(-8))).toBeCloseTo(-8, 1);
    // What is quieter now counts for as long as it lasts.
    times(1_500, () => void gainDb(gain, tone(-14)));
    const later = gainDb(gain, tone(-14));
    expect(later).toBeGreaterThan(-5);
    expect(later).toBeLessThan(-2);
    gain.set(0);
    times(500, () => void gainDb(gain, tone(-8)));
    expect(gainDb(gain, tone(-8))).toBeCloseTo(0, 3);
  });

  test("of a file is not touched by what is heard of it", () => {
    const gain = new TrackGain({ gainDb: -6, tagsToLufs: -16 });
    times(300, () => void gainDb(gain, tone(-8)));
    expect(gainDb(gain, tone(-8))).toBeCloseTo(-6, 3);
  });
});
