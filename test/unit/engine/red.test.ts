import { primaryBlock, RedWriter } from "../../../src/media/engine/red.ts";
import { RTP_HEADER_BYTES, RtpWriter } from "../../../src/media/engine/rtp.ts";

const OPUS = 111;
const RED = 63;

/** A stream whose packets are taken one by one. */
class Stream {
  readonly red = new RedWriter();
  readonly #rtp = new RtpWriter(7, 100);
  #timestamp = 0;

  next(payload: Uint8Array, units = 960): Buffer {
    this.red.done();
    this.#timestamp += units;
    const packet = this.#rtp.write(payload, this.#timestamp, false);
    this.red.begin(packet);
    return packet;
  }
}

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

/** By RFC 2198 section 3, written anew. */
function blocks(packet: Buffer): { type: number; offset: number; bytes: number[] }[] {
  const heads: { type: number; offset: number; length: number }[] = [];
  let at = RTP_HEADER_BYTES;
  while (packet[at]! >= 0x80) {
    const word = packet.readUInt32BE(at);
    heads.push({ type: (word >>> 24) & 0x7f, offset: (word >>> 10) & 0x3fff, length: word & 0x3ff });
    at += 4;
  }
  const last = packet[at++]!;
  const earlier = heads.reduce((sum, { length }) => sum + length, 0);
  return [...heads, { type: last, offset: 0, length: packet.length - at - earlier }].map(
    ({ type, offset, length }) => {
      const bytes = [...packet.subarray(at, at + length)];
      at += length;
      return { type, offset, bytes };
    },
  );
}

test("carries the packets before, oldest first, with their ages, in the plain packet's header", () => {
  const stream = new Stream();
  stream.next(Uint8Array.of(1));
  expect(stream.red.packet(1, RED, OPUS)).toBeNull();
  stream.next(Uint8Array.of(2, 2));
  const plain = Buffer.from(stream.next(Uint8Array.of(3, 3, 3)));
  const packet = stream.red.packet(2, RED, OPUS)!;
  expect(packet[1]).toBe(RED);
  expect(packet.subarray(2, RTP_HEADER_BYTES)).toEqual(plain.subarray(2, RTP_HEADER_BYTES));
  expect(blocks(packet)).toEqual([
    { type: OPUS, offset: 1920, bytes: [1] },
    { type: OPUS, offset: 960, bytes: [2, 2] },
    { type: OPUS, offset: 0, bytes: [3, 3, 3] },
  ]);
  expect(blocks(stream.red.packet(1, RED, OPUS)!)).toEqual([
    { type: OPUS, offset: 960, bytes: [2, 2] },
    { type: OPUS, offset: 0, bytes: [3, 3, 3] },
  ]);
});

test("each listener's own numbers", () => {
  const stream = new Stream();
  stream.next(Uint8Array.of(1));
  stream.next(Uint8Array.of(2));
  stream.red.packet(1, RED, OPUS);
  const packet = stream.red.packet(1, 99, 98)!;
  expect(packet[1]).toBe(99);
  expect(blocks(packet).map(({ type }) => type)).toEqual([98, 98]);
});

test("leaves out what is too old, too large, or would make the packet too large", () => {
  const stream = new Stream();
  stream.next(Uint8Array.of(1));
  stream.next(Uint8Array.of(2), 20_000);
  expect(stream.red.packet(1, RED, OPUS)).toBeNull();
  stream.next(filled(1200, 3));
  expect(stream.red.packet(2, RED, OPUS)).toBeNull();
  stream.next(Uint8Array.of(4));
  expect(stream.red.packet(2, RED, OPUS)).toBeNull();
  stream.next(filled(500, 5));
  stream.next(filled(500, 6));
  stream.next(filled(500, 7));
  const packet = stream.red.packet(2, RED, OPUS)!;
  expect(blocks(packet).map(({ bytes }) => bytes[0])).toEqual([6, 7]);
});

describe("primaryBlock", () => {
  const read = (bytes: number[]): number | null =>
    primaryBlock(Uint8Array.from(bytes), 0, bytes.length, OPUS);

  test("finds the newest block of what RedWriter wrote", () => {
    const stream = new Stream();
    stream.next(filled(300, 1));
    stream.next(filled(300, 2));
    stream.next(Uint8Array.of(3, 4));
    const packet = stream.red.packet(2, RED, OPUS)!;
    const at = primaryBlock(packet, RTP_HEADER_BYTES, packet.length, OPUS)!;
    expect([...packet.subarray(at)]).toEqual([3, 4]);
  });

  test("takes one without redundancy, refuses another type and damage", () => {
    expect(read([OPUS, 9])).toBe(1);
    expect(read([OPUS])).toBe(1);
    expect(read([13, 9])).toBeNull();
    expect(read([])).toBeNull();
    expect(read([0x80 | OPUS, 0, 0])).toBeNull();
    expect(read([0x80 | OPUS, 0, 0, 5])).toBeNull();
    expect(read([0x80 | OPUS, 0, 0, 5, OPUS, 1])).toBeNull();
  });
});
