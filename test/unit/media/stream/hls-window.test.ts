import type { HlsMedia } from "../../../../src/media/stream/hls-playlist.ts";
import { dueSegments } from "../../../../src/media/stream/hls-window.ts";

function playlist(first: number, count: number, isEnded = false): HlsMedia {
  const segments = Array.from({ length: count }, (_, i) => ({
    ...{ url: `https://x.example/${first + i}`, range: null, sequence: first + i, durationMs: 4_000 },
    ...{ map: null, key: null, isBreak: false, isGap: false },
  }));
  return { kind: "media", targetMs: 4_000, isEnded, segments };
}

const due = (
  media: HlsMedia,
  next: number | null,
  startMs = 0,
): [number[], missed: number, skipMs: number] => {
  const { segments, missed, skipMs } = dueSegments(media, next, startMs);
  return [segments.map(({ sequence }) => sequence), missed, skipMs];
};

test("live begins three target durations before the end, wherever one was before", () => {
  expect(due(playlist(10, 8), null, 60_000)).toEqual([[15, 16, 17], 0, 0]);
  expect(due(playlist(10, 2), null)).toEqual([[10, 11], 0, 0]);
});

test("live goes on with what is new", () => {
  expect(due(playlist(10, 8), 17)).toEqual([[17], 0, 0]);
  expect(due(playlist(10, 8), 18)).toEqual([[], 0, 0]);
});

test("whoever is too late goes on near the end, and what was missed is counted", () => {
  expect(due(playlist(10, 8), 7)).toEqual([[15, 16, 17], 8, 0]);
  expect(due(playlist(10, 8, true), 7)).toEqual([[10, 11, 12, 13, 14, 15, 16, 17], 3, 0]);
});

test("a playlist of a cache that is a little behind is waited for; one that was begun anew is begun anew", () => {
  expect(due(playlist(10, 8), 21)).toEqual([[], 0, 0]);
  expect(due(playlist(0, 4), 3_000)).toEqual([[1, 2, 3], 0, 0]);
});

test("what is complete begins at its beginning, or where it was left", () => {
  expect(due(playlist(0, 4, true), null)).toEqual([[0, 1, 2, 3], 0, 0]);
  expect(due(playlist(0, 4, true), null, 9_500)).toEqual([[2, 3], 0, 1_500]);
  expect(due(playlist(0, 4, true), null, 99_000)).toEqual([[], 0, 0]);
});

test("an empty playlist gives nothing", () => {
  expect(due(playlist(0, 0), null)).toEqual([[], 0, 0]);
});
