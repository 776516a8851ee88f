import { z } from "zod";
import { RECORD_HEADER_BYTES, encodeRecord, sealRecord } from "./framing.ts";

/** Record types of a track file. Numbers are the format: add, never change. */
export const TRACK_RECORDS = {
  ...{ header: 1, epoch: 2, packet: 3, senderClock: 4, gap: 5, end: 6, path: 7 },
} as const;

/** The first record of every track file, as JSON. */
export const trackHeaderSchema = z.object({
  recording: z.string(),
  /** The speaker's key as the channel knows it; for music the bot's own. */
  speaker: z.string(),
  what: z.enum(["voice", "music"]),
  codec: z.literal("opus"),
  /** Rate of RTP timestamps. */
  clockRate: z.literal(48_000),
  /** Which engine received it, and whether its packets carry the sender's clock. */
  engine: z.string(),
  hasClock: z.boolean(),
});
export type TrackHeader = z.infer<typeof trackHeaderSchema>;

/** One Opus packet. Times are monotonic ms of the machine (see epochs), timestamps 48 kHz units. */
export interface PacketRecord {
  type: "packet";
  arrivalMs: number;
  timestamp: number;
  ssrc: number;
  sequence: number;
  marker: boolean;
  /** 0 to -127, RFC 6464; null when the sender did not say. */
  levelDbov: number | null;
  payload: Uint8Array;
}

/** What the sender's report said: its wall clock at an RTP timestamp (RFC 3550 section 6.4.1). */
export interface SenderClockRecord {
  type: "senderClock";
  arrivalMs: number;
  ntpMs: number;
  ssrc: number;
  timestamp: number;
}

/** What the machine's monotonic clock showed at which wall time, and in which run of the machine. */
export interface EpochRecord {
  type: "epoch";
  monotonicMs: number;
  wallMs: number;
  /** Monotonic times compare only within one boot. */
  bootId: string;
}

/** Packets that arrived but could not be written (`slow_disk`). */
export interface GapRecord {
  type: "gap";
  fromMs: number;
  toMs: number;
  packets: number;
  reason: "slow_disk";
}

/** The file was closed in order; nothing follows. */
export interface EndRecord {
  type: "end";
  monotonicMs: number;
}

/** How long the way to the sender of this stream and back took, as it was known then. */
export interface PathRecord {
  type: "path";
  /** Monotonic ms. */
  atMs: number;
  ssrc: number;
  roundTripMs: number;
}

export type TrackRecord =
  | ({ type: "header" } & TrackHeader)
  | PacketRecord
  | SenderClockRecord
  | EpochRecord
  | GapRecord
  | EndRecord
  | PathRecord;

const PACKET_HEAD = 20;
/** What an engine hands over at most (RTP in one datagram). */
const MAX_OPUS_BYTES = 1500;
const MARKER = 1;
const HAS_LEVEL = 2;
const GAP_REASONS = ["slow_disk"] as const;

export function encodeHeader(header: TrackHeader): Uint8Array {
  return encodeRecord(TRACK_RECORDS.header, new TextEncoder().encode(JSON.stringify(header)));
}

export function encodePacket(packet: Omit<PacketRecord, "type">): Uint8Array {
  const memory = new Uint8Array(packetRecordBytes(packet.payload.length));
  return new PacketEncoder(memory).encode(packet);
}

function packetRecordBytes(payloadBytes: number): number {
  return RECORD_HEADER_BYTES + PACKET_HEAD + payloadBytes;
}

/** Encodes packets one after the other into the same memory: there are fifty a second of each speaker. */
export class PacketEncoder {
  #memory: Uint8Array;
  #view: DataView;

  constructor(memory = new Uint8Array(packetRecordBytes(MAX_OPUS_BYTES))) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer, memory.byteOffset);
  }

  /** @returns the record, valid until the next call. */
  encode(packet: Omit<PacketRecord, "type">): Uint8Array {
    const bytes = packetRecordBytes(packet.payload.length);
    if (bytes > this.#memory.length) {
      this.#memory = new Uint8Array(bytes);
      this.#view = new DataView(this.#memory.buffer);
    }
    const view = this.#view;
    view.setFloat64(RECORD_HEADER_BYTES, packet.arrivalMs, true);
    view.setUint32(RECORD_HEADER_BYTES + 8, packet.timestamp, true);
    view.setUint32(RECORD_HEADER_BYTES + 12, packet.ssrc, true);
    view.setUint16(RECORD_HEADER_BYTES + 16, packet.sequence, true);
    const flags = (packet.marker ? MARKER : 0) | (packet.levelDbov === null ? 0 : HAS_LEVEL);
    view.setUint8(RECORD_HEADER_BYTES + 18, flags);
    view.setUint8(RECORD_HEADER_BYTES + 19, packet.levelDbov === null ? 0 : -packet.levelDbov);
    this.#memory.set(packet.payload, RECORD_HEADER_BYTES + PACKET_HEAD);
    return sealRecord(this.#memory.subarray(0, bytes), TRACK_RECORDS.packet, view);
  }
}

export function encodeSenderClock(clock: Omit<SenderClockRecord, "type">): Uint8Array {
  const payload = new Uint8Array(24);
  const view = new DataView(payload.buffer);
  view.setFloat64(0, clock.arrivalMs, true);
  view.setFloat64(8, clock.ntpMs, true);
  view.setUint32(16, clock.ssrc, true);
  view.setUint32(20, clock.timestamp, true);
  return encodeRecord(TRACK_RECORDS.senderClock, payload);
}

export function encodeEpoch(epoch: Omit<EpochRecord, "type">): Uint8Array {
  const boot = new TextEncoder().encode(epoch.bootId);
  const payload = new Uint8Array(16 + boot.length);
  const view = new DataView(payload.buffer);
  view.setFloat64(0, epoch.monotonicMs, true);
  view.setFloat64(8, epoch.wallMs, true);
  payload.set(boot, 16);
  return encodeRecord(TRACK_RECORDS.epoch, payload);
}

export function encodeGap(gap: Omit<GapRecord, "type">): Uint8Array {
  const payload = new Uint8Array(21);
  const view = new DataView(payload.buffer);
  view.setFloat64(0, gap.fromMs, true);
  view.setFloat64(8, gap.toMs, true);
  view.setUint32(16, gap.packets, true);
  view.setUint8(20, GAP_REASONS.indexOf(gap.reason));
  return encodeRecord(TRACK_RECORDS.gap, payload);
}

export function encodeEnd(monotonicMs: number): Uint8Array {
  const payload = new Uint8Array(8);
  new DataView(payload.buffer).setFloat64(0, monotonicMs, true);
  return encodeRecord(TRACK_RECORDS.end, payload);
}

export function encodePath(path: Omit<PathRecord, "type">): Uint8Array {
  const payload = new Uint8Array(16);
  const view = new DataView(payload.buffer);
  view.setFloat64(0, path.atMs, true);
  view.setUint32(8, path.ssrc, true);
  view.setFloat32(12, path.roundTripMs, true);
  return encodeRecord(TRACK_RECORDS.path, payload);
}

/**
 * A record of a track from its type and payload; `"unknown"` for types of later versions (skip them), `"damaged"` when the
 * payload is not what the type says. A packet's payload is a view into `payload`.
 */
export function decodeTrackRecord(type: number, payload: Uint8Array): TrackRecord | "unknown" | "damaged" {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const size = payload.length;
  switch (type) {
    case TRACK_RECORDS.header:
      return decodeHeader(payload);
    case TRACK_RECORDS.epoch:
      if (size < 16) return "damaged";
      return {
        type: "epoch",
        monotonicMs: view.getFloat64(0, true),
        wallMs: view.getFloat64(8, true),
        bootId: new TextDecoder().decode(payload.subarray(16)),
      };
    case TRACK_RECORDS.packet:
      if (size < PACKET_HEAD) return "damaged";
      return {
        type: "packet",
        arrivalMs: view.getFloat64(0, true),
        timestamp: view.getUint32(8, true),
        ssrc: view.getUint32(12, true),
        sequence: view.getUint16(16, true),
        marker: (view.getUint8(18) & MARKER) !== 0,
        levelDbov: (view.getUint8(18) & HAS_LEVEL) === 0 ? null : 0 - view.getUint8(19),
        payload: payload.subarray(PACKET_HEAD),
      };
    case TRACK_RECORDS.senderClock:
      if (size < 24) return "damaged";
      return {
        type: "senderClock",
        arrivalMs: view.getFloat64(0, true),
        ntpMs: view.getFloat64(8, true),
        ssrc: view.getUint32(16, true),
        timestamp: view.getUint32(20, true),
      };
    case TRACK_RECORDS.gap:
      if (size < 21) return "damaged";
      return {
        type: "gap",
        fromMs: view.getFloat64(0, true),
        toMs: view.getFloat64(8, true),
        packets: view.getUint32(16, true),
        reason: GAP_REASONS[view.getUint8(20)] ?? "slow_disk",
      };
    case TRACK_RECORDS.end:
      return size < 8 ? "damaged" : { type: "end", monotonicMs: view.getFloat64(0, true) };
    case TRACK_RECORDS.path:
      if (size < 16) return "damaged";
      return {
        type: "path",
        atMs: view.getFloat64(0, true),
        ssrc: view.getUint32(8, true),
        roundTripMs: view.getFloat32(12, true),
      };
    default:
      return "unknown";
  }
}

function decodeHeader(payload: Uint8Array): TrackRecord | "damaged" {
  try {
    const header = trackHeaderSchema.safeParse(JSON.parse(new TextDecoder().decode(payload)));
    return header.success ? { type: "header", ...header.data } : "damaged";
  } catch {
    return "damaged";
  }
}
