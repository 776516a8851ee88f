import { StderrDigest } from "../../../src/media/audio/ffmpeg-stderr.ts";
import { judge } from "../../../src/media/audio/playback-end.ts";
import { parseFfmetadata } from "../../../src/media/audio/probe.ts";

function digest(text: string, chunk = 7): StderrDigest {
  const result = new StderrDigest();
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += chunk) result.add(bytes.subarray(i, i + chunk));
  return result;
}

describe("what ffmpeg says", () => {
  test("length and codec of a good file", () => {
    const found = digest(
      "[info] Input #0, mp3, from '/proc/self/fd/3':\n[info]   Duration: 01:02:03.50, start: 0.025057, bitrate: 64 kb/s\n" +
        "[info]   Stream #0:0[0x1](und): Audio: aac (LC) (mp4a / 0x6134706D), 44100 Hz, mono\n",
    );
    expect(found.announcedMs).toBe(3_723_500);
    expect(found.codec).toBe("aac");
    expect(found.reason).toBeNull();
  });

  test("a length guessed from the bit rate is no announcement", () => {
    const found = digest(
      "[mp3 @ 0x55] [warning] Estimating duration from bitrate, this may be inaccurate\n[info]   Duration: 00:00:10.00, start: 0\n",
    );
    expect(found.announcedMs).toBeNull();
    expect(found.durationMs).toBe(10_000);
  });

  test("the specific complaint wins over the general one, without our paths", () => {
    expect(
      digest(
        "[mov,mp4,m4a @ 0x55] [error] moov atom not found\n[error] /proc/self/fd/3: Invalid data found when processing input\n",
      ).reason,
    ).toBe("moov atom not found");
    expect(digest("[error] /proc/self/fd/3: Invalid data found when processing input\n").reason).toBe(
      "Invalid data found when processing input",
    );
  });

  test("a format that is not played is named", () => {
    const text =
      "[hls @ 0x55923c0d8b00] [error] Format not on whitelist 'aac,mp3'\n[error] /proc/self/fd/3: Invalid argument\n";
    expect(digest(text).reason).toBe("hls is not a format that is played");
  });

  test("keeps little of endless lines and control characters", () => {
    const found = digest(`[error] ${"x".repeat(100_000)}\n[error] bad\u001b[31m\n`, 1000);
    expect(found.reason).toBe("bad[31m");
    expect(digest(`[error] ${"y".repeat(5000)}\n`, 1000).reason?.length).toBe(300);
  });
});

describe("whether a track was heard out", () => {
  const end = { ok: true, reason: null, announcedMs: 10_000, bytes: 1 };
  const stalled = { ...end, announcedMs: 20_000, stalled: true as const };
  test.each([
    ["to its end", end, 0, 10_000, "finished", null],
    ["nothing", { ...end, reason: "moov atom not found" }, 0, 0, "failed", "moov atom not found"],
    ["nothing, no reason", end, 0, 0, "failed", "there is no sound in it"],
    ["sought to the end", end, 10_000, 10_000, "finished", null],
    ["sought to the end of a broken file", { ...end, ok: false, reason: "x" }, 9_000, 9_000, "failed", "x"],
    ["most of it, then an error", { ...end, ok: false, reason: "x" }, 0, 9_100, "finished", null],
    ["most of it, then it stalled", stalled, 0, 18_500, "failed", "it ends after 18.5 s of 20.0 s"],
    ["all but a moment, then it stalled", stalled, 0, 19_300, "finished", null],
    ["a part", end, 0, 2_500, "failed", "it ends after 2.5 s of 10.0 s"],
    [
      "a part, with an error",
      { ...end, reason: "x" },
      0,
      2_500,
      "failed",
      "it ends after 2.5 s of 10.0 s: x",
    ],
    ["unknown length", { ...end, announcedMs: null }, 0, 2_500, "finished", null],
    [
      "unknown length, died",
      { ...end, announcedMs: null, ok: false },
      0,
      2_500,
      "failed",
      "the decoder ended",
    ],
  ])("%s", (_name, source, startMs, positionMs, reason, detail) => {
    const held = reason === "failed" && "stalled" in source;
    expect(judge(source, startMs, positionMs)).toEqual({ reason, detail, ...(held && { stalled: true }) });
  });
});

describe("tags", () => {
  test("escapes, line breaks, names in any case, stream tags behind the file's", () => {
    const tags = parseFfmetadata(
      ";FFMETADATA1\nTITLE=A \\= b\\; \\#1 \\\\ x\nempty=\n[STREAM]\ntitle=other\nartist=two\\\nlines\n[CHAPTER]\nalbum=chapter\n",
    );
    expect(Object.fromEntries(tags)).toEqual({ title: "A = b; #1 \\ x", artist: "two\nlines" });
  });

  test("values are bounded", () => {
    expect(parseFfmetadata(`title=${"x".repeat(2000)}`).get("title")).toHaveLength(500);
  });
});
