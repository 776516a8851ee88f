import type { Clock } from "../../base/clock.ts";
import type { ReceivedOpus, SenderClock } from "../engine/engine.ts";
import { AppendFile } from "./append-file.ts";
import {
  encodeEnd,
  encodeEpoch,
  encodeGap,
  encodeHeader,
  encodePath,
  encodeSenderClock,
  PacketEncoder,
} from "./format.ts";
import type { GapRecord, TrackHeader } from "./format.ts";

export interface TrackWriterOptions {
  path: string;
  header: TrackHeader;
  bootId: string;
  clock: Clock;
}

/** Bytes of one speaker that may wait for the disk: about a minute of music. */
const BUFFER_BYTES = 1024 * 1024;
/** Enough for what arrives while the file is being created. */
const MAX_EARLY = 1_000;
/** One for all: each packet is copied from it before the next. */
const packets = new PacketEncoder();

/** Appends one speaker's packets to its file. Never blocks and never throws while packets come; `flush` and `close` do. */
export class TrackWriter {
  readonly path: string;
  readonly #clock: Clock;
  readonly #bootId: string;
  readonly #opening: Promise<void>;
  #file: AppendFile | null = null;
  #early: Uint8Array[] = [];
  #gap: Omit<GapRecord, "type"> | null = null;
  #sequence = 0;
  /** Of the newest packet. */
  #ssrc: number | null = null;
  #discarded = false;

  constructor(options: TrackWriterOptions) {
    this.path = options.path;
    this.#clock = options.clock;
    this.#bootId = options.bootId;
    this.#opening = this.#open(options.path);
    // Told by the next flush.
    this.#opening.catch(() => undefined);
    this.#append(encodeHeader(options.header));
    this.epoch();
  }

  packet(packet: ReceivedOpus): void {
    this.#ssrc = packet.ssrc;
    this.#data(packet.arrivalMs, packets.encode(packet));
  }

  /** A packet of our own: its clock is ours, its sequence is counted here. */
  music(packet: { payload: Uint8Array; timestamp: number; marker: boolean; atMs: number }): void {
    const { payload, timestamp, marker, atMs } = packet;
    const sequence = this.#sequence++ & 0xffff;
    const record = packets.encode({
      arrivalMs: atMs,
      timestamp,
      ssrc: 0,
      sequence,
      marker,
      levelDbov: null,
      payload,
    });
    this.#data(atMs, record);
  }

  senderClock(clock: SenderClock): void {
    this.#append(encodeSenderClock(clock));
  }

  /** What is known of the way to the speaker, whose first packet may be still to come. */
  roundTrip(ms: number): void {
    if (this.#ssrc === null) return;
    this.#append(encodePath({ atMs: this.#clock.now(), ssrc: this.#ssrc, roundTripMs: ms }));
  }

  epoch(): void {
    const pair = { monotonicMs: this.#clock.now(), wallMs: this.#clock.wall() };
    this.#append(encodeEpoch({ ...pair, bootId: this.#bootId }));
  }

  /** @throws what the system said when the file could not be created or written. */
  async flush(): Promise<void> {
    await this.#opening;
    await this.#file?.flush();
  }

  /** @throws as `flush`; it is closed all the same. */
  async close(): Promise<void> {
    await this.#opening;
    this.#append(encodeEnd(this.#clock.now()));
    await this.#file?.close();
  }

  /** Forgets what waits for the disk, at once, and deletes the file. @throws what the system said when it stays. */
  async discard(): Promise<void> {
    this.#discarded = true;
    this.#early = [];
    const forgotten = this.#file?.discard();
    // A file that could not be created is none.
    await this.#opening.catch(() => undefined);
    await (forgotten ?? this.#file?.discard());
  }

  async #open(path: string): Promise<void> {
    const file = await AppendFile.create(path, "track", BUFFER_BYTES);
    this.#file = file;
    for (const record of this.#early) file.append(record);
    this.#early = [];
  }

  #data(atMs: number, record: Uint8Array): void {
    if (this.#gap) {
      // The gap is told as soon as there is room again, in front of the packet that ends it.
      if (!this.#append(encodeGap(this.#gap))) {
        this.#gap.packets++;
        this.#gap.toMs = atMs;
        return;
      }
      this.#gap = null;
    }
    if (!this.#append(record)) this.#gap = { fromMs: atMs, toMs: atMs, packets: 1, reason: "slow_disk" };
  }

  #append(record: Uint8Array): boolean {
    if (this.#discarded) return false;
    if (this.#file) return this.#file.append(record);
    if (this.#early.length >= MAX_EARLY) return false;
    // A packet's memory is used for the next one.
    this.#early.push(record.slice());
    return true;
  }
}
