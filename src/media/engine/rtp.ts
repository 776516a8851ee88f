/**
 * RTP packets (RFC 3550 section 5.1), read and written without allocating: one reader and one writer are used over and over.
 */

/** Fixed part of the header, in bytes. */
export const RTP_HEADER_BYTES = 12;
/** Largest Opus packet that is taken, in bytes: what fits into one datagram. */
export const MAX_PAYLOAD_BYTES = 1500;

const ONE_BYTE_PROFILE = 0xbede;

/** Whether a packet of a muxed connection is RTCP (RFC 5761 section 4). */
export function isRtcp(packet: Uint8Array): boolean {
  const type = packet[1];
  return type !== undefined && type >= 192 && type <= 223;
}

/** The fields of the packet that `read` last accepted. */
export class RtpReader {
  payloadType = 0;
  marker = false;
  sequence = 0;
  timestamp = 0;
  ssrc = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** RFC 6464 section 3: 0 (loudest) to -127 (silence); null when the packet does not say. */
  levelDbov: number | null = null;

  /** @param levelExtension the header extension id negotiated for the audio level, or null. @returns false: malformed. */
  read(packet: Uint8Array, levelExtension: number | null): boolean {
    if (packet.length < RTP_HEADER_BYTES || packet[0]! >> 6 !== 2) return false;
    const first = packet[0]!;
    this.marker = (packet[1]! & 0x80) !== 0;
    this.payloadType = packet[1]! & 0x7f;
    this.sequence = (packet[2]! << 8) | packet[3]!;
    this.timestamp = readUint32(packet, 4);
    this.ssrc = readUint32(packet, 8);
    this.levelDbov = null;
    let at = RTP_HEADER_BYTES + (first & 0x0f) * 4;
    if ((first & 0x10) !== 0) {
      if (at + 4 > packet.length) return false;
      const profile = (packet[at]! << 8) | packet[at + 1]!;
      const end = at + 4 + ((packet[at + 2]! << 8) | packet[at + 3]!) * 4;
      if (end > packet.length) return false;
      if (levelExtension !== null) this.levelDbov = findLevel(packet, at + 4, end, profile, levelExtension);
      at = end;
    }
    let end = packet.length;
    if ((first & 0x20) !== 0) {
      const padding = packet[end - 1]!;
      if (padding === 0 || padding > end - at) return false;
      end -= padding;
    }
    if (at > end) return false;
    this.payloadStart = at;
    this.payloadEnd = end;
    return true;
  }
}

/** Walks the elements of a header extension (RFC 8285 sections 4.2 and 4.3); damage in it only hides the level. */
function findLevel(
  packet: Uint8Array,
  start: number,
  end: number,
  profile: number,
  wanted: number,
): number | null {
  const oneByte = profile === ONE_BYTE_PROFILE;
  if (!oneByte && (profile & 0xfff0) !== 0x1000) return null;
  let at = start;
  while (at < end) {
    const head = packet[at]!;
    if (head === 0) {
      at++; // padding
      continue;
    }
    const id = oneByte ? head >> 4 : head;
    if (oneByte && id === 15) return null; // "stop here", section 4.2
    if (!oneByte && at + 1 >= end) return null;
    const length = oneByte ? (head & 0x0f) + 1 : packet[at + 1]!;
    const data = at + (oneByte ? 1 : 2);
    if (data + length > end) return null;
    if (id === wanted) return length === 0 ? null : -(packet[data]! & 0x7f) || 0;
    at = data + length;
  }
  return null;
}

/** Builds the packets of one outgoing stream, each in the same memory. */
export class RtpWriter {
  readonly ssrc: number;
  readonly #memory = Buffer.alloc(RTP_HEADER_BYTES + MAX_PAYLOAD_BYTES);
  readonly #other = Buffer.alloc(RTP_HEADER_BYTES + MAX_PAYLOAD_BYTES);
  #sequence: number;

  /** @param sequence the first packet's sequence number; random in use (RFC 3550 section 5.1). */
  constructor(ssrc: number, sequence: number) {
    this.ssrc = ssrc >>> 0;
    this.#sequence = sequence & 0xffff;
    this.#memory[0] = 0x80;
    this.#memory.writeUInt32BE(this.ssrc, 8);
  }

  /** The packet last written with another payload; of its own memory, valid until the next call. */
  again(payload: Uint8Array): Buffer {
    if (payload.length > MAX_PAYLOAD_BYTES) throw new RangeError(`Opus packet of ${payload.length} bytes`);
    this.#memory.copy(this.#other, 0, 0, RTP_HEADER_BYTES);
    this.#other.set(payload, RTP_HEADER_BYTES);
    return this.#other.subarray(0, RTP_HEADER_BYTES + payload.length);
  }

  /** @returns the packet, valid until the next call; its payload type is 0 until `setPayloadType`. */
  write(payload: Uint8Array, timestamp: number, marker: boolean): Buffer {
    if (payload.length > MAX_PAYLOAD_BYTES) throw new RangeError(`Opus packet of ${payload.length} bytes`);
    const memory = this.#memory;
    memory[1] = marker ? 0x80 : 0;
    memory.writeUInt16BE(this.#sequence, 2);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    memory.writeUInt32BE(timestamp >>> 0, 4);
    memory.set(payload, RTP_HEADER_BYTES);
    return memory.subarray(0, RTP_HEADER_BYTES + payload.length);
  }
}

/** Listeners may have negotiated different numbers for the same codec: one byte differs between their packets. */
export function setPayloadType(packet: Uint8Array, payloadType: number): void {
  packet[1] = (packet[1]! & 0x80) | payloadType;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
