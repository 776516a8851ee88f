import fc from "fast-check";
import { isRtcp, RtpReader, RtpWriter, setPayloadType } from "../../../src/media/engine/rtp.ts";

/** A packet by hand: header fields, then extension words, payload, padding. */
function packet({
  first = 0x80,
  csrc = 0,
  extension,
  payload = [1, 2, 3],
}: {
  first?: number;
  csrc?: number;
  extension?: { profile: number; data: number[] };
  payload?: number[];
} = {}): Buffer {
  const head = [
    first | csrc | (extension ? 0x10 : 0),
    0x80 | 111,
    0x12,
    0x34,
    0xff,
    0xff,
    0xfc,
    0x40,
    0xde,
    0xad,
    0xbe,
    0xef,
  ];
  const sources = Array.from({ length: csrc * 4 }, () => 9);
  const words = extension
    ? [extension.profile >> 8, extension.profile & 0xff, 0, extension.data.length / 4, ...extension.data]
    : [];
  return Buffer.from([...head, ...sources, ...words, ...payload]);
}

describe("RtpReader", () => {
  const reader = new RtpReader();

  test("reads the fixed header", () => {
    expect(reader.read(packet(), 1)).toBe(true);
    expect(reader).toMatchObject({
      payloadType: 111,
      marker: true,
      sequence: 0x1234,
      timestamp: 0xffff_fc40,
      ssrc: 0xdead_beef,
      payloadStart: 12,
      payloadEnd: 15,
      levelDbov: null,
    });
  });

  test("skips contributing sources and takes padding off", () => {
    expect(reader.read(packet({ csrc: 3, first: 0xa0, payload: [1, 2, 3, 0, 2] }), 1)).toBe(true);
    expect([reader.payloadStart, reader.payloadEnd]).toEqual([24, 27]);
    expect(reader.read(packet({ first: 0xa0, payload: [0, 0, 0, 4] }), 1)).toBe(true);
    expect(reader.payloadEnd).toBe(reader.payloadStart);
  });

  test.each([
    ["one-byte elements", 0xbede, [0x20, 9, 0, 0x10, 0x80 | 37, 0, 0, 0], 1, -37],
    ["two-byte elements", 0x1000, [2, 1, 9, 0, 1, 1, 64, 0], 1, -64],
    ["another id", 0xbede, [0x50, 5, 0, 0], 5, -5],
    ["the loudest", 0xbede, [0x10, 0x80, 0, 0], 1, 0],
    ["no such element", 0xbede, [0x20, 9, 0, 0], 1, null],
    ["the end mark before it", 0xbede, [0xf0, 0, 0x10, 5], 1, null],
    ["an element that runs out of the extension", 0xbede, [0x2f, 9, 0, 0], 1, null],
    ["an unknown profile", 0x1234, [0x10, 5, 0, 0], 1, null],
  ])("finds the audio level with %s", (_, profile, data, id, level) => {
    expect(reader.read(packet({ extension: { profile, data } }), id)).toBe(true);
    expect(reader.levelDbov).toBe(level);
    expect([reader.payloadStart, reader.payloadEnd]).toEqual([16 + data.length, 19 + data.length]);
  });

  test.each([
    ["too short", Buffer.alloc(11, 0x80)],
    ["another version", packet({ first: 0x40 })],
    ["cut contributing sources", packet({ csrc: 15 }).subarray(0, 40)],
    [
      "an extension longer than the packet",
      Buffer.from([...packet({ first: 0x90 }).subarray(0, 12), 0xbe, 0xde, 0, 9, 1]),
    ],
    ["a cut extension header", Buffer.from([...packet({ first: 0x90 }).subarray(0, 12), 0xbe])],
    ["no length of padding", packet({ first: 0xa0, payload: [1, 0] })],
    ["more padding than packet", packet({ first: 0xa0, payload: [1, 200] })],
  ])("refuses %s", (_, damaged) => {
    expect(reader.read(damaged, 1)).toBe(false);
  });

  test("no bytes make it throw or point outside of the packet", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const damaged = Uint8Array.from(bytes);
        if (damaged.length > 0) damaged[0] = 0x80 | (damaged[0]! & 0x3f);
        if (!reader.read(damaged, 1)) return;
        expect(reader.payloadStart).toBeGreaterThanOrEqual(12);
        expect(reader.payloadEnd).toBeGreaterThanOrEqual(reader.payloadStart);
        expect(reader.payloadEnd).toBeLessThanOrEqual(damaged.length);
      }),
    );
  });
});

describe("RtpWriter", () => {
  test("what it writes reads back, with sequence numbers that wrap, in one memory", () => {
    const writer = new RtpWriter(0xcafe_babe, 0xffff);
    const reader = new RtpReader();
    const first = writer.write(Uint8Array.of(7, 8), 0xffff_ffff, true);
    setPayloadType(first, 109);
    expect(reader.read(first, null)).toBe(true);
    expect(reader).toMatchObject({
      payloadType: 109,
      marker: true,
      sequence: 0xffff,
      timestamp: 0xffff_ffff,
    });
    const second = writer.write(Uint8Array.of(1, 2, 3), 959, false);
    expect(reader.read(second, null)).toBe(true);
    expect(reader).toMatchObject({ marker: false, sequence: 0, timestamp: 959, ssrc: 0xcafe_babe });
    expect([...second.subarray(reader.payloadStart, reader.payloadEnd)]).toEqual([1, 2, 3]);
    expect(second.buffer).toBe(first.buffer);
    expect(() => writer.write(new Uint8Array(1501), 0, false)).toThrow("1501");
  });

  test("a marker does not make RTP look like RTCP", () => {
    const writer = new RtpWriter(1, 1);
    const packet = writer.write(Uint8Array.of(1), 0, true);
    setPayloadType(packet, 111);
    expect(isRtcp(packet)).toBe(false);
    expect(isRtcp(Uint8Array.of(0x80, 200))).toBe(true);
    expect(isRtcp(Uint8Array.of(0x80))).toBe(false);
  });
});
