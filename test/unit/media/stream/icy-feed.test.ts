import { formatOf } from "../../../../src/media/stream/icy-feed.ts";

/** Frames of so many bytes behind some bytes of the one before, as whoever connects gets them. */
function frames(header: readonly number[], length: number): Uint8Array {
  const frame = Buffer.alloc(length, 0x55);
  frame.set(header);
  return Buffer.concat([Buffer.alloc(100, 0x55), frame, frame, frame]);
}
// MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes.
const MP3 = frames([0xff, 0xfb, 0x90, 0x00], 417);
// ADTS, AAC-LC, 44.1 kHz, stereo, 256 bytes: 13 bits of length.
const AAC = frames([0xff, 0xf1, 0x50, 0x80, 0x20, 0x1f], 256);

test.each([
  ["mp3 is mp3, whatever it is called", MP3, "audio/aacp", "mp3"],
  ["AAC is AAC, whatever it is called", AAC, "audio/mpeg", "aac"],
  ["Ogg", Buffer.from("OggS…"), "audio/mpeg", "ogg"],
  ["FLAC", Buffer.from("fLaC…"), null, "flac"],
  ["WebM, which the decoder knows", Buffer.from("\x1a\x45\xdf\xa3", "latin1"), "audio/mpeg", null],
  ["what does not say is what it is called", Buffer.alloc(4_096), "audio/aacp", "aac"],
  ["what nobody says the decoder must find out", Buffer.alloc(4_096), "audio/x-strange", null],
  ["nothing", new Uint8Array(), null, null],
])("%s", (_, start, contentType, format) => {
  expect(formatOf(start, contentType)).toBe(format);
});
