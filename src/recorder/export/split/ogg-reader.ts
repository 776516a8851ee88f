import { BotError } from "../../../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";

const CONTINUED = 1;
const LAST = 4;
/** Of one packet: some hundred milliseconds of sound, or tags. */
const MAX_PACKET_BYTES = 1_000_000;

export interface OggPacket {
  bytes: Uint8Array;
  /** Granule position of its page, where it is the last one that ends there; null otherwise. */
  granule: number | null;
  /** It is the last of the stream. */
  last: boolean;
}

/** The packets of an Ogg file with one stream (RFC 3533). @throws BotError `recording_damaged` */
export async function* oggPackets(source: ByteSource): AsyncGenerator<OggPacket, void, undefined> {
  let open: Buffer[] = [];
  let openBytes = 0;
  for (;;) {
    const start = await source.peek(27);
    if (start.length === 0) break;
    const segments = start[26] ?? 0;
    if (start.length < 27 || start.toString("latin1", 0, 4) !== "OggS") throw damaged("no page");
    const head = await source.peek(27 + segments);
    const lacing = [...head.subarray(27, 27 + segments)];
    const bytes = lacing.reduce((sum, size) => sum + size, 0);
    const flags = head[5] ?? 0;
    const page = await source.peek(27 + segments + bytes);
    if (page.length < 27 + segments + bytes) throw damaged("a page is cut off");
    const position = page.readBigInt64LE(6);
    const body = Buffer.from(page.subarray(27 + segments, 27 + segments + bytes));
    source.skip(27 + segments + bytes);
    if ((flags & CONTINUED) === 0) {
      open = [];
      openBytes = 0;
    }
    const lastEnd = lacing.findLastIndex((size) => size < 255);
    let at = 0;
    for (const [index, size] of lacing.entries()) {
      open.push(body.subarray(at, at + size));
      openBytes += size;
      at += size;
      if (openBytes > MAX_PACKET_BYTES) throw damaged("a packet is too long");
      if (size === 255) continue;
      const isLast = index === lastEnd;
      const whole = open.length === 1 && open[0] ? open[0] : Buffer.concat(open);
      yield {
        bytes: whole,
        granule: isLast && position >= 0n ? Number(position) : null,
        last: isLast && (flags & LAST) !== 0,
      };
      open = [];
      openBytes = 0;
    }
  }
}

const damaged = (what: string): BotError =>
  new BotError("recording_damaged", `not a whole Ogg file: ${what}`);
