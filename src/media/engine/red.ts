import { RTP_HEADER_BYTES } from "./rtp.ts";

/**
 * Redundant audio data (RFC 2198): a packet that also carries the Opus packets before it, so that one that was lost comes
 * with the next. Browsers with libwebrtc take it (`red/48000/2`). Pure: bytes to bytes.
 */

/** Of earlier packets in one. */
export const MAX_DEPTH = 2;
/** What a datagram may carry of them in all, so that no way has to cut it up. */
const MAX_BYTES = 1100;
/** 10 and 14 bits of section 3. */
const MAX_BLOCK_BYTES = 1023;
const MAX_OFFSET = 16_383;
const BLOCK_HEADER_BYTES = 4;

interface Past {
  readonly bytes: Uint8Array;
  length: number;
  timestamp: number;
}

interface Built {
  readonly memory: Buffer;
  packet: Buffer | null;
  blocks: number;
}

/** Makes of one stream's RTP packets those with redundancy, each depth at most once a packet whatever the listeners. */
export class RedWriter {
  /** Newest first; those of a stream that never had a listener for it are not copied. */
  readonly #past: Past[] = [];
  readonly #built: readonly Built[] = Array.from({ length: MAX_DEPTH }, () => ({
    memory: Buffer.alloc(RTP_HEADER_BYTES + MAX_DEPTH * BLOCK_HEADER_BYTES + 1 + MAX_BYTES),
    packet: null,
    blocks: 0,
  }));
  #plain: Buffer | null = null;

  /** The next packet of the stream, without extensions; it must stay as it is until `done`. */
  begin(plain: Buffer): void {
    this.#plain = plain;
    for (const built of this.#built) built.packet = null;
  }

  /**
   * The packet begun, with up to `depth` (1 to `MAX_DEPTH`) of those before it; valid until `begin`. Null when none of them
   * fits in.
   */
  packet(depth: number, redType: number, opusType: number): Buffer | null {
    const built = this.#built[depth - 1];
    if (!built || !this.#plain) return null;
    if (!built.packet) this.#build(built, this.#plain, depth);
    const { packet, blocks } = built;
    if (!packet || blocks === 0) return null;
    packet[1] = (packet[1]! & 0x80) | redType;
    for (let block = 0; block < blocks; block++)
      packet[RTP_HEADER_BYTES + block * BLOCK_HEADER_BYTES] = 0x80 | opusType;
    packet[RTP_HEADER_BYTES + blocks * BLOCK_HEADER_BYTES] = opusType;
    return packet;
  }

  /** Keeps the packet begun for those after it. */
  done(): void {
    const plain = this.#plain;
    if (!plain) return;
    this.#plain = null;
    const oldest = this.#past.length < MAX_DEPTH ? null : this.#past.pop()!;
    const past = oldest ?? { bytes: new Uint8Array(MAX_BLOCK_BYTES), length: 0, timestamp: 0 };
    const payload = plain.subarray(RTP_HEADER_BYTES);
    // One that is too large is carried by no other, but counts: the order is that of the stream.
    past.length = payload.length > MAX_BLOCK_BYTES ? 0 : payload.length;
    past.bytes.set(payload.subarray(0, past.length));
    past.timestamp = plain.readUInt32BE(4);
    this.#past.unshift(past);
  }

  #build(built: Built, plain: Buffer, depth: number): void {
    const timestamp = plain.readUInt32BE(4);
    const payload = plain.subarray(RTP_HEADER_BYTES);
    const taken: Past[] = [];
    let bytes = payload.length;
    for (const past of this.#past.slice(0, depth)) {
      const offset = (timestamp - past.timestamp) >>> 0;
      bytes += past.length;
      if (past.length === 0 || offset > MAX_OFFSET || bytes > MAX_BYTES) break;
      taken.unshift(past);
    }
    built.blocks = taken.length;
    const { memory } = built;
    plain.copy(memory, 0, 0, RTP_HEADER_BYTES);
    let header = RTP_HEADER_BYTES;
    let at = header + taken.length * BLOCK_HEADER_BYTES + 1;
    for (const past of taken) {
      const offset = (timestamp - past.timestamp) >>> 0;
      memory.writeUIntBE(offset * 1024 + past.length, header + 1, 3);
      header += BLOCK_HEADER_BYTES;
      memory.set(past.bytes.subarray(0, past.length), at);
      at += past.length;
    }
    if (at + payload.length > memory.length) {
      built.blocks = 0;
      return;
    }
    memory.set(payload, at);
    built.packet = memory.subarray(0, at + payload.length);
  }
}

/**
 * Where the newest block of a redundant payload begins, which ends with the payload; null when it is not well formed or
 * that block is of another type.
 */
export function primaryBlock(
  packet: Uint8Array,
  start: number,
  end: number,
  payloadType: number,
): number | null {
  let header = start;
  let earlier = 0;
  while (header < end && (packet[header]! & 0x80) !== 0) {
    if (header + BLOCK_HEADER_BYTES > end) return null;
    earlier += ((packet[header + 2]! & 0x03) << 8) | packet[header + 3]!;
    header += BLOCK_HEADER_BYTES;
  }
  if (header >= end || packet[header] !== payloadType) return null;
  const primary = header + 1 + earlier;
  return primary > end ? null : primary;
}
