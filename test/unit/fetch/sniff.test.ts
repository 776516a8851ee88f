import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { sniff } from "../../../src/fetch/sniff.ts";

const latin = (text: string): Buffer => Buffer.from(text, "latin1");
/** Two frames of MPEG 1 layer 3, 128 kbit/s at 44.1 kHz: 417 bytes each. */
const MP3 = Buffer.concat([
  Buffer.from("fffb9000", "hex"),
  Buffer.alloc(413),
  Buffer.from("fffb9000", "hex"),
  Buffer.alloc(413),
]);
/** ADTS of 256 bytes, twice. */
const FRAME = Buffer.concat([Buffer.from("fff15080201ffc", "hex"), Buffer.alloc(249)]);
const AAC = Buffer.concat([FRAME, FRAME]);

test.each([
  ["mp3 with tags", latin("ID3\x04\x00")],
  ["mp3", MP3],
  ["mp3 from its middle", Buffer.concat([Buffer.alloc(333, 0xaa), MP3])],
  ["aac", AAC],
  ["flac", latin("fLaC\x00")],
  ["ogg", latin("OggS\x00")],
  ["wav", latin("RIFF\x24\x08\x00\x00WAVEfmt ")],
  ["aiff", latin("FORM\x00\x00\x00\x00AIFF")],
  ["m4a", latin("\x00\x00\x00\x20ftypM4A ")],
  ["webm", latin("\x1a\x45\xdf\xa3")],
  ["wma", latin("\x30\x26\xb2\x75\x8e\x66\xcf\x11")],
])("%s is sound", (_, bytes) => {
  expect(sniff(bytes)).toBe("audio");
});

test.each([
  ["a page", latin("<!doctype html>")],
  ["a list", Buffer.from("\ufeff#EXTM3U\r\n")],
  ["a list in Latin-1", latin("St\xfcck.mp3\n")],
  ["JSON", latin('{"a": 1}')],
])("%s is text", (_, bytes) => {
  expect(sniff(bytes)).toBe("text");
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["zeros", Buffer.alloc(20_000)],
  ["ones", Buffer.alloc(20_000, 0xff)],
  ["png", Buffer.from("89504e470d0a1a0a0000", "hex")],
  ["gzip", Buffer.from("1f8b0800000000000003", "hex")],
  ["zip", latin("PK\x03\x04\x00\x00")],
  ["a program", latin("\x7fELF\x02\x01\x01\x00")],
  ["a picture in RIFF", latin("RIFF\x24\x08\x00\x00WEBPVP8 ")],
  ["text with a NUL", latin("#EXTM3U\x00\n")],
  ["one frame alone", MP3.subarray(0, 417)],
])("%s is neither", (_, bytes) => {
  expect(sniff(bytes)).toBe("other");
});

test("any bytes are judged", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
      expect(["audio", "text", "other"]).toContain(sniff(bytes));
    }),
  );
});
