/** As much of RTP (RFC 3550 section 5) and RTCP (section 6) as a member needs that speaks and hears Opus. */

export type RtpPacket = {
  readonly payloadType: number;
  readonly sequence: number;
  /** Of the first sample, in units of 1/48000 s. */
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
};

/** RTP and RTCP share a port; RFC 5761 section 4 tells them apart. */
export function isRtcp(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && bytes[1]! >= 192 && bytes[1]! <= 223;
}

/** Null for what is no RTP packet. */
export function readRtp(bytes: Buffer): RtpPacket | null {
  if (bytes.length < 12 || bytes[0]! >> 6 !== 2) return null;
  let start = 12 + 4 * (bytes[0]! & 0x0f);
  if (bytes[0]! & 0x10) {
    if (bytes.length < start + 4) return null;
    start += 4 + 4 * bytes.readUInt16BE(start + 2);
  }
  const padding = bytes[0]! & 0x20 ? bytes[bytes.length - 1]! : 0;
  if (start + padding > bytes.length) return null;
  return {
    payloadType: bytes[1]! & 0x7f,
    sequence: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    payload: bytes.subarray(start, bytes.length - padding),
  };
}

export function writeRtp(packet: RtpPacket): Buffer {
  const bytes = Buffer.allocUnsafe(12 + packet.payload.length);
  bytes[0] = 0x80;
  bytes[1] = packet.payloadType;
  bytes.writeUInt16BE(packet.sequence & 0xffff, 2);
  bytes.writeUInt32BE(packet.timestamp >>> 0, 4);
  bytes.writeUInt32BE(packet.ssrc, 8);
  bytes.set(packet.payload, 12);
  return bytes;
}

/** What is told of a source that is heard. */
export type ReceptionReport = {
  readonly ssrc: number;
  readonly fractionLost: number;
  readonly packetsLost: number;
  readonly highestSequence: number;
  /** In units of 1/48000 s. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of their last sender report, and the time since, in 1/65536 s; 0 when none came. */
  readonly lastReport: number;
  readonly sinceLastReport: number;
};

/** A sender report with one report block or none, and the CNAME that RFC 3550 wants with it. */
export function writeSenderReport(
  ssrc: number,
  nowMs: number,
  timestamp: number,
  packets: number,
  octets: number,
  report: ReceptionReport | null,
): Buffer {
  const bytes = Buffer.alloc((report ? 52 : 28) + 16);
  bytes[0] = 0x80 | (report ? 1 : 0);
  bytes[1] = 200;
  bytes.writeUInt16BE((report ? 52 : 28) / 4 - 1, 2);
  bytes.writeUInt32BE(ssrc, 4);
  const [seconds, fraction] = ntp(nowMs);
  bytes.writeUInt32BE(seconds, 8);
  bytes.writeUInt32BE(fraction, 12);
  bytes.writeUInt32BE(timestamp >>> 0, 16);
  bytes.writeUInt32BE(packets >>> 0, 20);
  bytes.writeUInt32BE(octets >>> 0, 24);
  if (report) {
    bytes.writeUInt32BE(report.ssrc, 28);
    bytes.writeUInt32BE((Math.min(255, Math.floor(report.fractionLost * 256)) << 24) >>> 0, 32);
    bytes.writeUIntBE(Math.max(0, report.packetsLost) & 0x7fffff, 33, 3);
    bytes.writeUInt32BE(report.highestSequence >>> 0, 36);
    bytes.writeUInt32BE(report.jitter >>> 0, 40);
    bytes.writeUInt32BE(report.lastReport >>> 0, 44);
    bytes.writeUInt32BE(report.sinceLastReport >>> 0, 48);
  }
  const description = bytes.length - 16;
  bytes[description] = 0x81;
  bytes[description + 1] = 202;
  bytes.writeUInt16BE(3, description + 2);
  bytes.writeUInt32BE(ssrc, description + 4);
  bytes[description + 8] = 1;
  bytes[description + 9] = 5;
  bytes.write("voice", description + 10, "ascii");
  return bytes;
}

/** Seconds and fraction of NTP's era, from milliseconds since 1970. */
export function ntp(ms: number): [seconds: number, fraction: number] {
  const seconds = Math.floor(ms / 1000);
  return [(seconds + 2_208_988_800) >>> 0, Math.floor(((ms / 1000) % 1) * 4_294_967_296)];
}

export type RtcpNews = {
  /** Middle 32 bits of the NTP time of a sender report. */
  readonly senderReport: number | null;
  /** What is said of `ssrc`: share lost since the last report (0..1), lost at all, round trip when it can be told. */
  readonly aboutUs: { fractionLost: number; packetsLost: number; roundTripMs: number | null } | null;
  readonly bye: boolean;
};

/** Reads a compound packet as far as it concerns us (`ssrc` is ours). */
export function readRtcp(bytes: Buffer, ssrc: number, nowMs: number): RtcpNews {
  let senderReport: number | null = null;
  let aboutUs: RtcpNews["aboutUs"] = null;
  let bye = false;
  for (let at = 0; at + 8 <= bytes.length;) {
    const end = at + 4 * (bytes.readUInt16BE(at + 2) + 1);
    if (end > bytes.length) break;
    const type = bytes[at + 1]!;
    if (type === 203) bye = true;
    if (type === 200 && end - at >= 28) senderReport = bytes.readUInt32BE(at + 10);
    if (type === 200 || type === 201) {
      for (let block = at + (type === 200 ? 28 : 8); block + 24 <= end; block += 24) {
        if (bytes.readUInt32BE(block) !== ssrc) continue;
        const last = bytes.readUInt32BE(block + 16);
        const [seconds, fraction] = ntp(nowMs);
        const now = ((seconds & 0xffff) * 65_536 + (fraction >>> 16)) >>> 0;
        const delay = (now - last - bytes.readUInt32BE(block + 20)) >>> 0;
        aboutUs = {
          fractionLost: bytes[block + 4]! / 256,
          packetsLost: bytes.readIntBE(block + 5, 3),
          roundTripMs: last === 0 || delay > 0x7fffffff ? null : (delay * 1000) / 65_536,
        };
      }
    }
    at = end;
  }
  return { senderReport, aboutUs, bye };
}
