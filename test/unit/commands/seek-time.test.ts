import fc from "fast-check";
import { clockTime } from "../../../src/base/duration.ts";
import { parsePositions } from "../../../src/commands/positions.ts";
import { parseSeek } from "../../../src/commands/seek-time.ts";

test.each([
  ["1:23", "to", 83_000],
  ["0:05", "to", 5_000],
  ["1:02:03", "to", 3_723_000],
  ["90:00", "to", 5_400_000],
  ["1:23.5", "to", 83_500],
  ["1:23,25", "to", 83_250],
  ["90", "to", 90_000],
  ["90s", "to", 90_000],
  ["0", "to", 0],
  ["1m30s", "to", 90_000],
  ["1m 30s", "to", 90_000],
  ["1m30", "to", 90_000],
  ["2M", "to", 120_000],
  ["2min", "to", 120_000],
  ["1h", "to", 3_600_000],
  ["1h2m3s", "to", 3_723_000],
  ["+30", "by", 30_000],
  ["-10", "by", -10_000],
  ["\u221210", "by", -10_000],
  ["+ 1:30", "by", 90_000],
  ["-1m", "by", -60_000],
])("%s is %s %d", (text, kind, ms) => {
  expect(parseSeek(text)).toEqual({ kind, ms });
});

test.each([
  "",
  "+",
  "-",
  "abc",
  "1:75",
  "1:60:00",
  "1:2:3:4",
  "1e3",
  "--5",
  "+-5",
  "1s30m",
  "0x10",
  "1:",
  ":30",
  "9".repeat(400),
])("%j is no time", (text) => {
  expect(parseSeek(text)).toBeNull();
});

test("every time that is shown can be typed", () => {
  fc.assert(
    fc.property(fc.nat(99 * 3600), (seconds) => {
      expect(parseSeek(clockTime(seconds * 1000))).toEqual({ kind: "to", ms: seconds * 1000 });
    }),
  );
});

test("whatever is typed is a finite time or none", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[+-]?[0-9hms:., ]{0,20}$/), (text) => {
      const target = parseSeek(text);
      if (target) expect(Number.isFinite(target.ms)).toBe(true);
    }),
  );
});

test.each([
  ["3", [2]],
  ["2-5", [1, 2, 3, 4]],
  ["5-2", [1, 2, 3, 4]],
  ["2,4-6", [1, 3, 4, 5]],
  ["4 - 6, 2 , 5", [1, 3, 4, 5]],
  ["1 2", [0, 1]],
  ["2–3", [1, 2]],
])("%s of ten", (text, indexes) => {
  expect(parsePositions(text, 10)).toEqual({ kind: "these", indexes });
});

test("places that are not there are named, and what are none are refused", () => {
  expect(parsePositions("2-11", 10)).toEqual({ kind: "not_there", position: 11 });
  expect(parsePositions("0", 10)).toEqual({ kind: "not_there", position: 0 });
  expect(parsePositions("1-999999", 10)).toEqual({ kind: "not_there", position: 999_999 });
  for (const text of ["", ",", "all", "1-", "-3", "1-2-3", "1.5", "9999999"])
    expect(parsePositions(text, 10)).toBeNull();
});
