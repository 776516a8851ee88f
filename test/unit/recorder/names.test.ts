import fc from "fast-check";
import { fileNames, safeName } from "../../../src/recorder/names.ts";

test.each([
  ["Ann", "Ann"],
  ["../../etc/passwd", "_.._etc_passwd"],
  ["a/b\\c:d", "a_b_c_d"],
  [".hidden", "hidden"],
  ["", "unknown"],
  ["..", "unknown"],
  ["   ", "unknown"],
  ["\u202Egnp.exe", "gnp.exe"],
  ["a\u0000b\nc", "ab c"],
  ["Zoë 🎙️ 李", "Zoë 🎙️ 李"],
  ["👩‍👩‍👧", "👩‍👩‍👧"],
  ["CON", "CON_"],
  ["x. . ", "x"],
  ["COM1.tar", "COM1_.tar"],
  ["nul", "nul_"],
  ["a\u202e\u2066b\u200f\u061cc", "abc"],
  ["x".repeat(300), "x".repeat(80)],
  ["🎙".repeat(300), "🎙".repeat(40)],
  ["é".normalize("NFD"), "é"],
  ["\u{e0061}tags\ufeff", "tags"],
  ["tab\there", "tab here"],
  ["$(rm -rf ~);`x`|y&", "$(rm -rf ~);`x`_y&"],
])("%j is kept as %j", (name, expected) => {
  expect(safeName(name)).toBe(expected);
});

test("names are unique aside from case, in order", () => {
  expect(fileNames(["Ann", "ann", "Ann", "a/n", "a:n"], ".ogg")).toEqual([
    "Ann.ogg",
    "ann (2).ogg",
    "Ann (3).ogg",
    "a_n.ogg",
    "a_n (2).ogg",
  ]);
});

test("whatever people are called, a name is short, one component, visible and different", () => {
  const name = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.string({ unit: "binary", maxLength: 200 }),
  );
  fc.assert(
    fc.property(fc.array(name, { maxLength: 8 }), (names) => {
      const files = fileNames(names, ".ogg");
      expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(names.length);
      for (const file of files) {
        expect(file).not.toMatch(/[/\\\p{Cc}]|^\.|^\s/u);
        expect(file.length).toBeLessThanOrEqual(80 + " (9).ogg".length);
        expect(Buffer.byteLength(file)).toBeLessThanOrEqual(255);
        expect(file.length).toBeGreaterThan(4);
      }
    }),
    { numRuns: 30 },
  );
});
