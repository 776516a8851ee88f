import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { OggOpusWriter, oggCrc, PRE_SKIP } from "../../../src/recorder/export/ogg-opus.ts";
import { packetSamples, silence } from "../../../src/recorder/export/opus.ts";

const toc = (config: number, code = 0): number => (config << 3) | code;

test.each([
  [[toc(31)], 960],
  [[toc(28)], 120],
  [[toc(3)], 2880],
  [[toc(12)], 480],
  [[toc(31, 1)], 1920],
  [[toc(31, 2)], 1920],
  [[toc(31, 3), 3], 2880],
  [[toc(3, 3), 3], null], // 180 ms
  [[toc(31, 3), 0], null],
  [[toc(31, 3)], null],
  [[], null],
])("the packet %j stands for %j samples", (bytes, samples) => {
  expect(packetSamples(Uint8Array.from(bytes))).toBe(samples);
});

test("silence has the length asked for, by what its packets say themselves", () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.boolean(), (steps, stereo) => {
      let sum = 0;
      for (const { packet, samples } of silence(steps * 120, stereo)) {
        expect(packetSamples(packet)).toBe(samples);
        sum += samples;
      }
      expect(sum).toBe(steps * 120);
    }),
  );
});

interface Page {
  flags: number;
  granule: bigint;
  sequence: number;
  lacing: number[];
  body: Buffer;
}

/** Pages of a file, each with its checksum checked. */
function pagesOf(bytes: Buffer): Page[] {
  const pages: Page[] = [];
  for (let at = 0; at < bytes.length;) {
    expect(bytes.toString("latin1", at, at + 4)).toBe("OggS");
    const segments = bytes[at + 26] ?? 0;
    const lacing = [...bytes.subarray(at + 27, at + 27 + segments)];
    const end = at + 27 + segments + lacing.reduce((sum, size) => sum + size, 0);
    const page = Buffer.from(bytes.subarray(at, end));
    const crc = page.readUInt32LE(22);
    page.writeUInt32LE(0, 22);
    expect(oggCrc(page)).toBe(crc);
    pages.push({
      ...{ flags: page[5] ?? 0, granule: page.readBigInt64LE(6), sequence: page.readUInt32LE(18), lacing },
      body: page.subarray(27 + segments),
    });
    at = end;
  }
  return pages;
}

describe("the Ogg writer", () => {
  let directory: string;
  beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), "voicebot-ogg-"))));
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test("the checksum is that of RFC 3533", () => {
    // CRC-32/MPEG-2's polynomial with an initial value of 0 and no final inversion.
    expect(oggCrc(new TextEncoder().encode("123456789"))).toBe(0x89a1897f);
  });

  test("gives back the packets it got, whatever their size, over pages in order", async () => {
    const path = join(directory, "x.ogg");
    const writer = new OggOpusWriter({ path, tags: { TITLE: "Ü".repeat(40_000) }, serial: 7 });
    const sizes = [
      1,
      254,
      255,
      256,
      510,
      1_275,
      7_650,
      70_000,
      3,
      255,
      ...Array.from({ length: 300 }, () => 100),
    ];
    const packets = sizes.map((size, index) => Buffer.alloc(size, index));
    for (const packet of packets) writer.packet(packet, 960);
    const samples = packets.length * 960 - PRE_SKIP - 500;
    writer.finish({ samples, channels: 1 });
    const pages = pagesOf(await readFile(path));
    expect(pages.map(({ sequence }) => sequence)).toEqual(pages.map((_, index) => index));
    expect(pages.map(({ flags }) => flags & 6)).toEqual(
      pages.map((_, i) => (i === 0 ? 2 : i === pages.length - 1 ? 4 : 0)),
    );
    expect(pages.at(-1)?.granule).toBe(BigInt(samples + PRE_SKIP));
    const granules = pages.map(({ granule }) => granule).filter((granule) => granule >= 0n);
    expect(granules).toEqual([...granules].sort((a, b) => Number(a - b)));
    const found: Buffer[] = [];
    let open: Buffer[] = [];
    for (const { flags, lacing, body } of pages) {
      expect((flags & 1) === 1).toBe(open.length > 0);
      let at = 0;
      for (const size of lacing) {
        open.push(body.subarray(at, at + size));
        at += size;
        if (size === 255) continue;
        found.push(Buffer.concat(open));
        open = [];
      }
    }
    expect(found[0]?.subarray(0, 10)).toEqual(Buffer.from("OpusHead\u0001\u0001"));
    expect(found[1]?.toString("utf8", 0, 8)).toBe("OpusTags");
    expect(found.slice(2).map((packet) => packet.toString("base64"))).toEqual(
      packets.map((packet) => packet.toString("base64")),
    );
  });
});
