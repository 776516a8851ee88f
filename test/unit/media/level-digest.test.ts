import { LevelDigest } from "../../../src/media/audio/level-digest.ts";

function digest(...lines: string[]): LevelDigest {
  const found = new LevelDigest();
  for (const line of lines) found.line(line);
  return found;
}

test("reads loudness from tags: R128 before ReplayGain, the input's before the output's", () => {
  expect(digest("    REPLAYGAIN_TRACK_GAIN: -7.50 dB").tagged).toEqual({ lufs: -10.5, truePeakDb: null });
  const both = digest(
    "      replaygain_track_gain: +3 dB",
    "      REPLAYGAIN_TRACK_PEAK: 0.5",
    "      R128_TRACK_GAIN : -512",
    "      R128_TRACK_GAIN : 2560",
  );
  expect(both.tagged).toEqual({ lufs: -21, truePeakDb: 20 * Math.log10(0.5) });
});

test("believes no tag that cannot be true, and takes no other for one", () => {
  for (const line of [
    "    REPLAYGAIN_TRACK_GAIN: -700 dB",
    "    REPLAYGAIN_TRACK_GAIN: NaN",
    "    REPLAYGAIN_TRACK_GAIN: 1e9",
    "    replaygain_album_gain: -3 dB",
    "    R128_TRACK_GAIN : 999999",
    "    R128_TRACK_GAIN : 0x10",
    "    title           : REPLAYGAIN_TRACK_GAIN: -3 dB",
    "    REPLAYGAIN_TRACK_PEAK: 0",
  ])
    expect(digest(line).tagged).toBeNull();
});

test("reads the meter's summary, and silence as nothing", () => {
  expect(digest("    I:         -16.0 LUFS").measured).toBeNull();
  const summary = ["Summary:", "", "  Integrated loudness:"];
  const loud = digest(
    ...["size=N/A time=00:04:00.50 bitrate=N/A speed= 189x", ...summary],
    ...[
      "    I:         -14.3 LUFS",
      "    Threshold: -24.9 LUFS",
      "  True peak:",
      "    Peak:        0.7 dBFS",
    ],
  );
  expect(loud.measured).toEqual({ lufs: -14.3, truePeakDb: 0.7 });
  expect(loud.decodedMs).toBe(240_500);
  const silent = digest(...summary, "    I:         -70.0 LUFS", "  True peak:", "    Peak:       -inf dBFS");
  expect(silent.measured).toEqual({ lufs: -70, truePeakDb: null });
});
