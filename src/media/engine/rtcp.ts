import { readUint32 } from "./rtp.ts";

/**
 * RTCP (RFC 3550 section 6): sender reports, receiver reports, source descriptions and goodbyes in compound packets.
 * Pure: bytes to values and back.
 */

export interface ReportBlock {
  /** The stream reported on. */
  ssrc: number;
  /** Of the packets since the last report, 0..255 of 256. */
  fractionLost: number;
  /** Since the beginning; negative when packets came twice. */
  cumulativeLost: number;
  /** Extended: cycles in the high 16 bits. */
  highestSequence: number;
  /** In units of the stream's clock. */
  jitter: number;
  /** Middle 32 bits of the NTP time in the last sender report; 0 when there was none. */
  lastSenderReport: number;
  /** Since that report came, in 1/65536 s. */
  delaySinceLastSenderReport: number;
}

/** What a sender report says of the sender (section 6.4.1). */
export interface SenderInfo {
  /** NTP time: seconds since 1900 and their fraction in 1/2^32. */
  ntpSeconds: number;
  ntpFraction: number;
  /** The same instant on the media clock. */
  timestamp: number;
  packets: number;
  octets: number;
}

export type RtcpItem =
  | { kind: "sr"; ssrc: number; sender: SenderInfo; blocks: ReportBlock[] }
  | { kind: "rr"; ssrc: number; blocks: ReportBlock[] }
  | { kind: "bye"; ssrcs: number[]; reason: string };

const SR = 200;
const RR = 201;
const SDES = 202;
const BYE = 203;
const BLOCK_BYTES = 24;
const SENDER_BYTES = 20;
const MAX_BLOCKS = 31;
/** Between the epochs of NTP (1900) and Unix (1970). */
const NTP_EPOCH_SECONDS = 2_208_988_800;

/**
 * Reads a compound packet. Kinds that nothing here needs (SDES, feedback, extended reports) are skipped; null when the
 * packet is not well formed to its end. Reduced-size packets (RFC 5506) are taken.
 */
export function readRtcp(packet: Uint8Array): RtcpItem[] | null {
  const items: RtcpItem[] = [];
  let at = 0;
  while (at < packet.length) {
    if (at + 4 > packet.length || packet[at]! >> 6 !== 2) return null;
    const count = packet[at]! & 0x1f;
    const end = at + 4 + ((packet[at + 2]! << 8) | packet[at + 3]!) * 4;
    if (end > packet.length) return null;
    // Padding is allowed in the last packet only (section 6.4.1); what we read does not reach into it.
    if ((packet[at]! & 0x20) !== 0 && (end !== packet.length || packet[end - 1]! > end - at - 4)) return null;
    const type = packet[at + 1]!;
    if (type === SR || type === RR || type === BYE) {
      const item = readItem(packet, at, end, type, count);
      if (!item) return null;
      items.push(item);
    }
    at = end;
  }
  return at === 0 ? null : items;
}

function readItem(packet: Uint8Array, at: number, end: number, type: number, count: number): RtcpItem | null {
  if (type === BYE) {
    if (at + 4 + count * 4 > end) return null;
    const ssrcs = Array.from({ length: count }, (_, i) => readUint32(packet, at + 4 + i * 4));
    const reasonAt = at + 4 + count * 4;
    const length = reasonAt < end ? packet[reasonAt]! : 0;
    if (reasonAt + length >= end && length > 0) return null;
    const reason = Buffer.from(packet.subarray(reasonAt + 1, reasonAt + 1 + length)).toString("utf8");
    return { kind: "bye", ssrcs, reason };
  }
  const blocksAt = at + 8 + (type === SR ? SENDER_BYTES : 0);
  if (blocksAt + count * BLOCK_BYTES > end) return null;
  const ssrc = readUint32(packet, at + 4);
  const blocks = Array.from({ length: count }, (_, i) => readBlock(packet, blocksAt + i * BLOCK_BYTES));
  if (type === RR) return { kind: "rr", ssrc, blocks };
  const sender = {
    ntpSeconds: readUint32(packet, at + 8),
    ntpFraction: readUint32(packet, at + 12),
    timestamp: readUint32(packet, at + 16),
    packets: readUint32(packet, at + 20),
    octets: readUint32(packet, at + 24),
  };
  return { kind: "sr", ssrc, sender, blocks };
}

function readBlock(packet: Uint8Array, at: number): ReportBlock {
  return {
    ssrc: readUint32(packet, at),
    fractionLost: packet[at + 4]!,
    cumulativeLost: ((packet[at + 5]! << 24) | (packet[at + 6]! << 16) | (packet[at + 7]! << 8)) >> 8,
    highestSequence: readUint32(packet, at + 8),
    jitter: readUint32(packet, at + 12),
    lastSenderReport: readUint32(packet, at + 16),
    delaySinceLastSenderReport: readUint32(packet, at + 20),
  };
}

export interface Report {
  /** Our own SSRC; also of a receiver report without a stream. */
  ssrc: number;
  /** ≤ 255 bytes of UTF-8 (section 6.5.1). */
  cname: string;
  /** Null: receiver report. */
  sender: SenderInfo | null;
  blocks: readonly ReportBlock[];
  /** Ends with a goodbye that gives this reason (section 6.6), ≤ 255 bytes of UTF-8; null: it goes on. */
  bye: string | null;
}

/** A compound packet: SR or RR, SDES with the CNAME (section 6.1), and BYE when asked. */
export function writeRtcp(report: Report): Buffer {
  const blocks = report.blocks.slice(0, MAX_BLOCKS);
  const cname = Buffer.from(report.cname, "utf8").subarray(0, 255);
  const reportBytes = 8 + (report.sender ? SENDER_BYTES : 0) + blocks.length * BLOCK_BYTES;
  // SSRC, item type and length, text, then one to four zeros up to the next word: the end of the chunk.
  const sdesBytes = 4 + ((4 + 2 + cname.length + 4) & ~3);
  const reason = report.bye === null ? null : Buffer.from(report.bye, "utf8").subarray(0, 255);
  // SSRC, length and text, then zeros up to the next word.
  const byeBytes = reason ? 8 + ((1 + reason.length + 3) & ~3) : 0;
  const packet = Buffer.alloc(reportBytes + sdesBytes + byeBytes);
  writeHeader(packet, 0, blocks.length, report.sender ? SR : RR, reportBytes);
  packet.writeUInt32BE(report.ssrc, 4);
  if (report.sender) writeSender(packet, 8, report.sender);
  let at = report.sender ? 8 + SENDER_BYTES : 8;
  for (const block of blocks) {
    writeBlock(packet, at, block);
    at += BLOCK_BYTES;
  }
  writeHeader(packet, at, 1, SDES, sdesBytes);
  packet.writeUInt32BE(report.ssrc, at + 4);
  packet[at + 8] = 1; // CNAME
  packet[at + 9] = cname.length;
  packet.set(cname, at + 10);
  at += sdesBytes;
  if (reason) {
    writeHeader(packet, at, 1, BYE, byeBytes);
    packet.writeUInt32BE(report.ssrc, at + 4);
    packet[at + 8] = reason.length;
    packet.set(reason, at + 9);
  }
  return packet;
}

function writeHeader(packet: Buffer, at: number, count: number, type: number, bytes: number): void {
  packet[at] = 0x80 | count;
  packet[at + 1] = type;
  packet.writeUInt16BE(bytes / 4 - 1, at + 2);
}

function writeSender(packet: Buffer, at: number, sender: SenderInfo): void {
  packet.writeUInt32BE(sender.ntpSeconds >>> 0, at);
  packet.writeUInt32BE(sender.ntpFraction >>> 0, at + 4);
  packet.writeUInt32BE(sender.timestamp >>> 0, at + 8);
  packet.writeUInt32BE(sender.packets >>> 0, at + 12);
  packet.writeUInt32BE(sender.octets >>> 0, at + 16);
}

function writeBlock(packet: Buffer, at: number, block: ReportBlock): void {
  packet.writeUInt32BE(block.ssrc, at);
  packet[at + 4] = Math.min(255, Math.max(0, block.fractionLost));
  packet.writeIntBE(Math.max(-0x80_0000, Math.min(0x7f_ffff, block.cumulativeLost)), at + 5, 3);
  packet.writeUInt32BE(block.highestSequence >>> 0, at + 8);
  packet.writeUInt32BE(Math.min(0xffff_ffff, Math.round(block.jitter)), at + 12);
  packet.writeUInt32BE(block.lastSenderReport >>> 0, at + 16);
  packet.writeUInt32BE(block.delaySinceLastSenderReport >>> 0, at + 20);
}

/** Milliseconds since the Unix epoch as NTP seconds and fraction. */
export function msToNtp(unixMs: number): { ntpSeconds: number; ntpFraction: number } {
  const seconds = Math.floor(unixMs / 1000);
  const fraction = Math.min(0xffff_ffff, Math.floor((unixMs / 1000 - seconds) * 2 ** 32));
  return { ntpSeconds: (seconds + NTP_EPOCH_SECONDS) >>> 0, ntpFraction: fraction };
}

/** NTP seconds and fraction as milliseconds since the Unix epoch (until NTP's era ends in 2036 and for 136 years on). */
export function ntpToMs(ntpSeconds: number, ntpFraction: number): number {
  // RFC 4330 section 3: with bit 0 clear the time is after 2036.
  const era = ntpSeconds < 0x8000_0000 ? 2 ** 32 : 0;
  return (ntpSeconds + era - NTP_EPOCH_SECONDS) * 1000 + (ntpFraction / 2 ** 32) * 1000;
}

/** The middle 32 bits of an NTP time: 1/65536 s, modulo 18 hours. */
export function compactNtp(ntpSeconds: number, ntpFraction: number): number {
  return (((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0;
}

/** Round trip in ms from a block about our stream (section 6.4.1); null without a report of ours to measure from. */
export function roundTripMs(block: ReportBlock, nowCompactNtp: number): number | null {
  if (block.lastSenderReport === 0) return null;
  const units = (nowCompactNtp - block.lastSenderReport - block.delaySinceLastSenderReport) | 0;
  // Rounding on both sides can make a very short way negative; minutes are nonsense.
  if (units > 60 * 65_536 || units < -65_536) return null;
  return Math.max(0, (units * 1000) / 65_536);
}
