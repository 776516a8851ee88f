import { BotError } from "../../../../src/base/errors.ts";
import { chooseAudio } from "../../../../src/media/stream/hls-choice.ts";
import { parseHls, type HlsMaster, type HlsMedia } from "../../../../src/media/stream/hls-playlist.ts";
import { atOnce, stepsOf } from "../../../support/steps.ts";

const BASE = "https://radio.example/live/index.m3u8?token=1";

function media(lines: readonly string[]): HlsMedia {
  const playlist = atOnce(parseHls(["#EXTM3U", ...lines].join("\n"), BASE));
  if (playlist.kind !== "media") throw new Error("not a media playlist");
  return playlist;
}

function master(lines: readonly string[]): HlsMaster {
  const playlist = atOnce(parseHls(["#EXTM3U", ...lines].join("\n"), BASE));
  if (playlist.kind !== "master") throw new Error("not a master playlist");
  return playlist;
}

function refusal(text: string): string {
  try {
    atOnce(parseHls(text, BASE));
  } catch (error) {
    if (error instanceof BotError) return error.say.key;
  }
  return "nothing";
}

test("a live playlist: numbers, lengths, addresses that are relative to it", () => {
  const { segments, ...rest } = media([
    "#EXT-X-VERSION:3",
    "#EXT-X-TARGETDURATION:6",
    "#EXT-X-MEDIA-SEQUENCE:41",
    "#EXTINF:5.96,title, with a comma",
    "a.ts",
    "#EXTINF:6",
    "/b.ts?x=1",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-GAP",
    "#EXTINF:6,",
    "https://other.example/c.ts",
  ]);
  expect(rest).toEqual({ kind: "media", targetMs: 6_000, isEnded: false });
  expect(segments.map(({ sequence, url, durationMs }) => [sequence, url, durationMs])).toEqual([
    [41, "https://radio.example/live/a.ts", 5_960],
    [42, "https://radio.example/b.ts?x=1", 6_000],
    [43, "https://other.example/c.ts", 6_000],
  ]);
  expect(segments.map(({ isBreak, isGap }) => [isBreak, isGap])).toEqual([
    [false, false],
    [false, false],
    [true, true],
  ]);
});

test("byte ranges: with an offset, going on behind the one before, and of what stands before segments", () => {
  const { segments, isEnded } = media([
    "#EXT-X-TARGETDURATION:4",
    '#EXT-X-MAP:URI="all.mp4",BYTERANGE="700@0"',
    ...["#EXTINF:4,", "#EXT-X-BYTERANGE:1000@700", "all.mp4"],
    ...["#EXTINF:4,", "#EXT-X-BYTERANGE:500", "all.mp4"],
    ...["#EXTINF:4,", "#EXT-X-BYTERANGE:300", "other.mp4"],
    "#EXT-X-ENDLIST",
  ]);
  expect(isEnded).toBe(true);
  expect(segments.map(({ range }) => range)).toEqual([
    { offset: 700, length: 1_000 },
    { offset: 1_700, length: 500 },
    { offset: 0, length: 300 },
  ]);
  expect(segments[2]?.map).toEqual({
    url: "https://radio.example/live/all.mp4",
    range: { offset: 0, length: 700 },
  });
});

test("keys: AES-128 with and without a vector, and none again", () => {
  const { segments } = media([
    "#EXT-X-TARGETDURATION:4",
    '#EXT-X-KEY:METHOD=AES-128,URI="key"',
    ...["#EXTINF:4,", "a.ts", '#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x0F'],
    ...["#EXTINF:4,", "b.ts", "#EXT-X-KEY:METHOD=NONE"],
    ...["#EXTINF:4,", "c.ts"],
  ]);
  const url = "https://radio.example/live/key";
  expect(segments.map(({ key }) => key)).toEqual([
    { url, iv: null },
    { url, iv: Buffer.from("0000000000000000000000000000000f", "hex") },
    null,
  ]);
});

test.each([
  ["<html>", "stream.not_hls"],
  ["", "stream.not_hls"],
  ["#EXTM3U\n#EXT-X-ENDLIST", "stream.no_audio"],
  ["#EXTM3U\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:4,\na.ts", "stream.no_audio"],
  ['#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n#EXTINF:4,\na.ts', "stream.encrypted"],
  [
    '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="com.widevine"\n#EXTINF:4,\na.ts',
    "stream.encrypted",
  ],
  ['#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"\n#EXTINF:4,\na.ts', "stream.encrypted"],
  [`#EXTM3U\n${"#EXTINF:4,\na.ts\n".repeat(20_001)}`, "stream.too_long"],
])("%.70j is refused", (text, key) => {
  expect(refusal(text)).toBe(key);
});

test("addresses that lead elsewhere than into the web are no segments, and keep their number", () => {
  const { segments } = media([
    "#EXTINF:4,",
    "file:///etc/passwd",
    "#EXTINF:4,",
    "data:,x",
    "#EXTINF:4,",
    "ok.ts",
  ]);
  expect(segments.map(({ isGap, sequence }) => [isGap, sequence])).toEqual([
    [true, 0],
    [true, 1],
    [false, 2],
  ]);
});

test("lengths and numbers that are nonsense change nothing", () => {
  const { targetMs, segments } = media([
    "#EXT-X-TARGETDURATION:999999",
    "#EXT-X-MEDIA-SEQUENCE:-7",
    ...["#EXTINF:1e9,", "a.ts", "#EXTINF:-1,", "b.ts", "#EXT-X-BYTERANGE:0@0", "c.ts"],
  ]);
  expect(targetMs).toBe(1_000);
  expect(segments.map(({ sequence, durationMs, range }) => [sequence, durationMs, range])).toEqual([
    [0, 0, null],
    [1, 0, null],
    [2, 0, null],
  ]);
});

test("a line of a megabyte is looked at once", () => {
  // From each of its places it would take minutes.
  const { variants } = master([`#EXT-X-STREAM-INF:${"A".repeat(400_000)}`, "a.m3u8"]);
  const { segments } = media([`#EXT-X-KEY:METHOD=NONE,${"A-".repeat(400_000)}`, "#EXTINF:4,", "a.ts"]);
  expect([variants.length, segments.length]).toEqual([1, 1]);
});

test.each([
  ["segments without end", "a\n".repeat(400_000)],
  ["numbers that are not there", "\n \n".repeat(300_000)],
  ["lists in lists", "#EXT-X-MEDIA:TYPE=VIDEO\n".repeat(40_000)],
  ["names in all letters", `http://${"ü.".repeat(900)}\n`.repeat(500)],
])("others have their turn while it is read: %s", (_, lines) => {
  const text = `#EXTM3U\n${lines}`;
  expect(stepsOf(parseHls(text, BASE))).toBeGreaterThan(500);
});

test("what stands before its mark, and lines of blanks, are passed over", () => {
  const { segments } = atOnce(
    parseHls("\uFEFF\r\n #EXTM3U\r\n \r\n#EXTINF:4,\r\n\r\na.ts", BASE),
  ) as HlsMedia;
  expect(segments).toHaveLength(1);
});

const variant = (url: string, attributes: string): string[] => [`#EXT-X-STREAM-INF:${attributes}`, url];
const PICTURES = 'RESOLUTION=1280x720,CODECS="avc1.4d401f,mp4a.40.2"';

test.each([
  [
    "sound alone, the best that is not too much",
    [
      ...variant("high.m3u8", 'BANDWIDTH=900000,CODECS="fLaC"'),
      ...variant("low.m3u8", 'BANDWIDTH=64000,CODECS="mp4a.40.5"'),
      ...variant("good.m3u8", 'BANDWIDTH=192000,CODECS="mp4a.40.2"'),
      ...variant("video.m3u8", `BANDWIDTH=100000,${PICTURES}`),
    ],
    "good.m3u8",
  ],
  [
    "sound that comes apart from the pictures, in the language that is the default",
    [
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="de",URI="de.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="en.m3u8"',
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="en",DEFAULT=YES,URI="text.m3u8"',
      ...variant("video.m3u8", `BANDWIDTH=2000000,AUDIO="a",${PICTURES}`),
    ],
    "en.m3u8",
  ],
  [
    "what costs least, where everything has pictures",
    [
      ...variant("hd.m3u8", `BANDWIDTH=5000000,${PICTURES}`),
      ...variant("sd.m3u8", `BANDWIDTH=500000,${PICTURES}`),
    ],
    "sd.m3u8",
  ],
  ["what says nothing of itself", variant("only.m3u8", "BANDWIDTH=128000"), "only.m3u8"],
])("of a master playlist: %s", (_, lines, chosen) => {
  expect(chooseAudio(master(lines))).toBe(`https://radio.example/live/${chosen}`);
});

test("a master playlist without anything to hear", () => {
  expect(chooseAudio(master(["#EXT-X-STREAM-INF:BANDWIDTH=1", "file:///etc/passwd"]))).toBeNull();
});
