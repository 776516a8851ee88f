import {
  IcyDeinterleaver,
  icyInterval,
  icyTitle,
  TitleGate,
  titleLine,
} from "../../../../src/media/stream/icy.ts";

const encoder = new TextEncoder();

/** A text block of an ICY body: its length byte, and the text filled up. */
function block(text: string): Buffer {
  const bytes = encoder.encode(text);
  const length = Math.ceil(bytes.length / 16);
  const whole = Buffer.alloc(1 + length * 16);
  whole[0] = length;
  whole.set(bytes, 1);
  return whole;
}

test("sound and texts are told apart at every split of the body", () => {
  const sound = Buffer.from(Array.from({ length: 40 }, (_, i) => i + 1));
  const body = Buffer.concat([
    ...[sound.subarray(0, 10), block("StreamTitle='One';")],
    ...[sound.subarray(10, 20), block("")],
    ...[sound.subarray(20, 30), block("StreamTitle='Two, and a good deal more of it';")],
    sound.subarray(30, 40),
  ]);
  for (let first = 0; first <= body.length; first++) {
    for (const second of [first, Math.min(first + 1, body.length), Math.min(first + 17, body.length)]) {
      const split = new IcyDeinterleaver(10);
      const parts = [body.subarray(0, first), body.subarray(first, second), body.subarray(second)].map(
        (chunk) => split.push(chunk),
      );
      expect(Buffer.concat(parts.flatMap((part) => part.sound))).toEqual(sound);
      expect(parts.flatMap((part) => part.texts).map(icyTitle)).toEqual([
        "One",
        "Two, and a good deal more of it",
      ]);
    }
  }
});

test("a body that comes byte by byte is the same", () => {
  const body = Buffer.concat([Buffer.from([1, 2, 3]), block("StreamTitle='x1';"), Buffer.from([4, 5, 6])]);
  const split = new IcyDeinterleaver(3);
  const parts = Array.from(body, (byte) => split.push(Uint8Array.of(byte)));
  expect(parts.flatMap(({ sound }) => sound.flatMap((piece) => [...piece]))).toEqual([1, 2, 3, 4, 5, 6]);
  expect(parts.flatMap(({ texts }) => texts).map(icyTitle)).toEqual(["x1"]);
});

test.each([
  ["StreamTitle='Nina Simone - Don't Explain';StreamUrl='http://x';", "Nina Simone - Don't Explain"],
  ["StreamTitle='Don't';", "Don't"],
  ["StreamUrl='http://x';StreamTitle='After';", "After"],
  ["StreamTitle='No end'", "No end"],
  ["StreamTitle='';", null],
  ["StreamTitle=' - ';", null],
  ["StreamUrl='http://x';", undefined],
  ["garbage", undefined],
  ["StreamTitle='two\nlines \u202e turned\u0007';", "two lines turned"],
])("the title in %j", (text, title) => {
  expect(icyTitle(encoder.encode(text))).toBe(title);
});

test("titles of old servers are read as Latin-1, those of new ones as UTF-8", () => {
  expect(icyTitle(Buffer.from("StreamTitle='Motörhead';", "latin1"))).toBe("Motörhead");
  expect(icyTitle(Buffer.from("StreamTitle='Motörhead – 東京';", "utf8"))).toBe("Motörhead – 東京");
});

test("a title that is a book is cut", () => {
  expect(titleLine("long ".repeat(1_000))?.length).toBeLessThanOrEqual(200);
});

test.each([
  ["16000", 16_000],
  [" 8192 ", 8_192],
  ["0", null],
  ["-1", null],
  ["1e9", null],
  ["99999999", null],
  [undefined, null],
])("icy-metaint %j", (text, interval) => {
  expect(icyInterval(text === undefined ? {} : { "icy-metaint": text })).toBe(interval);
});

test("titles that change faster than anybody reads are shown every two seconds, the last of them", () => {
  const gate = new TitleGate();
  expect(gate.due(0)).toBeUndefined();
  gate.offer("a");
  expect(gate.due(0)).toBe("a");
  gate.offer("b");
  gate.offer("c");
  expect(gate.due(1_999)).toBeUndefined();
  expect(gate.due(2_000)).toBe("c");
  gate.offer("c");
  expect(gate.due(9_000)).toBeUndefined();
  gate.offer(null);
  expect(gate.due(9_000)).toBeNull();
});
