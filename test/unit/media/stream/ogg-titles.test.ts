import { expect, test } from "@jest/globals";
import { OggTitles } from "../../../../src/media/stream/ogg-titles.ts";

const FIRST = 2;

/** A page with whole packets (RFC 3533 section 6); its checksum nobody looks at. */
function page(serial: number, packets: readonly Uint8Array[], flags = 0): Buffer {
  const lacing = packets.flatMap(({ length }) => [
    ...Array.from({ length: Math.floor(length / 255) }, () => 255),
    length % 255,
  ]);
  const head = Buffer.alloc(27);
  head.write("OggS");
  head[5] = flags;
  head.writeUInt32LE(serial, 14);
  head[26] = lacing.length;
  return Buffer.concat([head, Uint8Array.from(lacing), ...packets]);
}

function comments(...fields: readonly string[]): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const texts = ["someone's encoder", ...fields].map((text) => Buffer.from(text));
  const [vendor, ...rest] = texts.map((text) => Buffer.concat([number(text.length), text]));
  return Buffer.concat([vendor ?? Buffer.alloc(0), number(fields.length), ...rest]);
}

const MARKS = {
  opus: ["OpusHead....", "OpusTags"],
  vorbis: ["\x01vorbis....", "\x03vorbis"],
  flac: ["\x7fFLAC........", "\x04\x00\x00\x10"],
} as const;

function chain(serial: number, codec: keyof typeof MARKS, ...fields: readonly string[]): Buffer {
  const [first, before] = MARKS[codec].map((mark) => Buffer.from(mark, "latin1"));
  return Buffer.concat([
    page(serial, [first ?? Buffer.alloc(0)], FIRST),
    page(serial, [Buffer.concat([before ?? Buffer.alloc(0), comments(...fields)])]),
    page(serial, [Buffer.alloc(300, "TITLE=no"), Buffer.alloc(255, 1)]),
  ]);
}

function titles(bytes: Uint8Array, step: number): (string | null)[] {
  const ogg = new OggTitles();
  const found: (string | null)[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    const title = ogg.push(bytes.subarray(at, at + step));
    if (title !== undefined) found.push(title);
  }
  return found;
}

test.each([1, 7, 64])("each chain says what is on, cut into pieces of %d bytes", (step) => {
  const stream = Buffer.concat([
    chain(1, "opus", "title=Löwe", "ARTIST=Band"),
    chain(2, "vorbis", "COMMENT=x", `PICTURE=${"p".repeat(3_000)}`, "TITLE=Second"),
    chain(3, "flac", "ARTIST=Only"),
    chain(4, "opus"),
  ]);
  expect(titles(stream, step)).toEqual(["Band - Löwe", "Second", "Only", null]);
});

test("whoever comes in the middle finds the next page, and what is beside the sound is passed over", () => {
  const picture = Buffer.concat([
    page(9, [Buffer.from("\x80theora....")], FIRST),
    page(9, [Buffer.alloc(50)]),
  ]);
  const middle = Buffer.concat([Buffer.from("...Og.OOgg"), page(1, [Buffer.alloc(500, "O")])]);
  const stream = Buffer.concat([middle, picture, chain(2, "opus", "TITLE=<b>x</b>\n\u202Ey"), picture]);
  expect(titles(stream, 50)).toEqual(["<b>x</b> y"]);
});

test("lies about lengths, pages without end and floods of fields cost neither time nor memory", () => {
  const lie = Buffer.concat([Buffer.from("OpusTags"), Buffer.from([255, 255, 255, 127])]);
  const many = comments(...Array.from({ length: 3_000 }, () => "x=y"), "TITLE=late");
  const big = Array.from({ length: 300 }, () => page(7, [Buffer.alloc(254 * 255, 1)]).fill(255, 27, 281));
  const stream = Buffer.concat([
    ...[page(5, [Buffer.from("OpusHead")], FIRST), page(5, [lie])],
    ...[page(6, [Buffer.from("OpusHead")], FIRST), page(6, [Buffer.concat([Buffer.from("OpusTags"), many])])],
    ...[page(7, [Buffer.from("OpusHead")], FIRST), ...big],
    chain(8, "opus", "TITLE=good"),
  ]);
  expect(titles(stream, 5_000)).toEqual([null, null, "good"]);
});
