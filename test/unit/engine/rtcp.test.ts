import fc from "fast-check";
import {
  compactNtp,
  msToNtp,
  ntpToMs,
  readRtcp,
  roundTripMs,
  writeRtcp,
} from "../../../src/media/engine/rtcp.ts";
import type { ReportBlock } from "../../../src/media/engine/rtcp.ts";

const block: ReportBlock = {
  ssrc: 0x8000_0001,
  fractionLost: 12,
  cumulativeLost: 345,
  highestSequence: 0x0001_fffe,
  jitter: 96,
  lastSenderReport: 0xb705_2000,
  delaySinceLastSenderReport: 0x0005_4000,
};
const sender = {
  ntpSeconds: 0xe000_0001,
  ntpFraction: 0x8000_0000,
  timestamp: 0xffff_0000,
  packets: 50,
  octets: 6000,
};

describe("compound packets", () => {
  test.each(["", "x", "xy", "xyz", "a-longer-name@host", "ä".repeat(200)])(
    "a sender report with the name %j reads back",
    (cname) => {
      const packet = writeRtcp({ ssrc: 7, cname, sender, blocks: [block], bye: null });
      expect(packet.length % 4).toBe(0);
      expect(readRtcp(packet)).toEqual([{ kind: "sr", ssrc: 7, sender, blocks: [block] }]);
      // The chunk of the description ends with at least one zero (section 6.5).
      expect(packet.at(-1)).toBe(0);
    },
  );

  test("a receiver report, and a goodbye with its reason", () => {
    const negative = { ...block, cumulativeLost: -3, fractionLost: 255 };
    expect(
      readRtcp(writeRtcp({ ssrc: 7, cname: "c", sender: null, blocks: [block, negative], bye: "so long" })),
    ).toEqual([
      { kind: "rr", ssrc: 7, blocks: [block, negative] },
      { kind: "bye", ssrcs: [7], reason: "so long" },
    ]);
    expect(readRtcp(Buffer.from([0x81, 203, 0, 1, 0, 0, 0, 9]))).toEqual([
      { kind: "bye", ssrcs: [9], reason: "" },
    ]);
  });

  test("losses beyond 24 bits are held, and not more than 31 sources named", () => {
    const packet = writeRtcp({
      ssrc: 7,
      cname: "c",
      sender: null,
      blocks: Array.from({ length: 40 }, () => ({ ...block, cumulativeLost: 2 ** 30 })),
      bye: null,
    });
    const [report] = readRtcp(packet)!;
    expect(report).toMatchObject({ kind: "rr" });
    expect(report?.kind === "rr" && report.blocks.map(({ cumulativeLost }) => cumulativeLost)).toEqual(
      Array.from({ length: 31 }, () => 0x7f_ffff),
    );
  });

  test("kinds that nobody needs are skipped; a reduced-size packet is taken", () => {
    const feedback = Buffer.from([0x8f, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]);
    const report = writeRtcp({ ssrc: 7, cname: "c", sender: null, blocks: [], bye: null });
    expect(readRtcp(Buffer.concat([feedback, report]))).toEqual([{ kind: "rr", ssrc: 7, blocks: [] }]);
    expect(readRtcp(feedback)).toEqual([]);
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["another version", Buffer.from([0x40, 201, 0, 1, 0, 0, 0, 1])],
    ["a length beyond the packet", Buffer.from([0x80, 201, 0, 9, 0, 0, 0, 1])],
    ["fewer blocks than counted", Buffer.from([0x81, 201, 0, 1, 0, 0, 0, 1])],
    ["a sender report without its middle", Buffer.from([0x80, 200, 0, 1, 0, 0, 0, 1])],
    ["a report without an SSRC", Buffer.from([0x80, 201, 0, 0])],
    ["a goodbye without its sources", Buffer.from([0x85, 203, 0, 1, 0, 0, 0, 1])],
    ["a reason longer than the goodbye", Buffer.from([0x81, 203, 0, 2, 0, 0, 0, 1, 200, 0, 0, 0])],
    ["padding in the middle", Buffer.from([0xa0, 201, 0, 1, 0, 0, 0, 1, 0x80, 201, 0, 1, 0, 0, 0, 1])],
    ["a rest", Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 1, 0x80])],
  ])("refuses %s", (_, damaged) => {
    expect(readRtcp(damaged)).toBeNull();
  });

  test("no bytes make it throw", () => {
    const words = fc.array(fc.tuple(fc.integer({ min: 198, max: 207 }), fc.uint8Array({ maxLength: 40 })));
    fc.assert(
      fc.property(words, fc.nat(31), (items, count) => {
        const parts = items.map(([type, body]) =>
          Buffer.from([0x80 | count, type, 0, body.length >> 2, ...body]),
        );
        expect(() => readRtcp(Buffer.concat(parts))).not.toThrow();
      }),
    );
  });
});

describe("clocks", () => {
  test("NTP time there and back, also after its overflow in 2036", () => {
    for (const ms of [1_700_000_000_123.5, 2_100_000_000_000]) {
      const { ntpSeconds, ntpFraction } = msToNtp(ms);
      expect(ntpToMs(ntpSeconds, ntpFraction)).toBeCloseTo(ms, 3);
    }
    expect(msToNtp(0)).toEqual({ ntpSeconds: 2_208_988_800, ntpFraction: 0 });
  });

  // RFC 3550 section 6.4.1, figure 2.
  test("the round trip of the specification's example is 6.125 s", () => {
    const now = compactNtp(0xb44d_b710, 0x8000_0000);
    expect(now).toBe(0xb710_8000);
    expect(roundTripMs(block, now)).toBe(6125);
  });

  test("no report of ours, or nonsense, gives no round trip", () => {
    expect(roundTripMs({ ...block, lastSenderReport: 0 }, 5)).toBeNull();
    expect(roundTripMs(block, 5)).toBeNull();
    expect(roundTripMs({ ...block, delaySinceLastSenderReport: 0 }, block.lastSenderReport - 10)).toBe(0);
  });
});
