import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { BotError } from "../../../base/errors.ts";
import { OggOpusWriter } from "../ogg-opus.ts";
import { packetSamples, SAMPLES_PER_MS } from "../opus.ts";
import { ByteSource } from "./byte-source.ts";
import { oggPackets } from "./ogg-reader.ts";
import type { PartFile, SplitOptions } from "./parts.ts";

/**
 * RFC 7845 section 4.6 gives a decoder that starts within a stream 80 ms; of a loud steady tone a quarter is still wrong
 * then, after 600 ms nothing that could be heard.
 */
const PREROLL_SAMPLES = 600 * SAMPLES_PER_MS;
const PAGE_HEAD = 27;
const SEGMENTS = 255;
const PAGE_SAMPLES = 48_000;

interface Packet {
  bytes: Uint8Array;
  samples: number;
}

/** A part that is being written. */
interface Part {
  path: string;
  writer: OggOpusWriter;
  preSkip: number;
  /** Where its sound begins, as granule position of the whole. */
  from: number;
  /** No less than what it takes on disk so far. */
  bytes: number;
  segments: number;
  samples: number;
  own: number;
}

/**
 * Cuts between packets, as they are. A part begins with what is just before it, which its pre-skip leaves out, so that it
 * sounds right from its first sample on and all parts after each other are the whole.
 */
export async function splitOgg(path: string, options: SplitOptions): Promise<PartFile[]> {
  const source = await ByteSource.open(path);
  const done: PartFile[] = [];
  let part: Part | null = null;
  try {
    const packets = oggPackets(source);
    const head = (await packets.next()).value?.bytes;
    const tags = (await packets.next()).value?.bytes;
    if (!head || !tags || head.length < 19 || latin1(head.subarray(0, 8)) !== "OpusHead") {
      throw new BotError("recording_damaged", "not an Ogg Opus file");
    }
    const headPreSkip = new DataView(head.buffer, head.byteOffset).getUint16(10, true);
    const channels = head[9] === 1 ? 1 : 2;
    const comments = readTags(tags);
    let recent: Packet[] = [];
    let recentSamples = 0;
    let granule = 0;
    let end: number | null = null;
    const start = (): Part => {
      const first = done.length === 0 && granule === 0;
      const preSkip = first ? headPreSkip : recentSamples;
      const partPath = options.path(done.length);
      const serial = randomBytes(4).readUInt32LE();
      const writer = new OggOpusWriter({ path: partPath, tags: comments, serial, preSkip });
      const from = first ? headPreSkip : granule;
      const opened: Part = {
        ...{ path: partPath, writer, preSkip, from, segments: 0, samples: 0, own: 0 },
        bytes: head.length + tags.length + 1_000,
      };
      for (const packet of first ? [] : recent) write(opened, packet);
      return opened;
    };
    for await (const { bytes, granule: position, last } of packets) {
      const samples = packetSamples(bytes);
      if (samples === null) continue;
      const packet = { bytes, samples };
      part ??= start();
      if (part.own > 0 && sizeWith(part, packet) > options.maxBytes) {
        done.push(await finish(part, granule, channels));
        part = start();
      }
      write(part, packet);
      part.own++;
      granule += samples;
      recent.push(packet);
      recentSamples += samples;
      while (recentSamples - (recent[0]?.samples ?? Infinity) >= PREROLL_SAMPLES) {
        recentSamples -= recent[0]?.samples ?? 0;
        recent = recent.slice(1);
      }
      if (last && position !== null) end = position;
      options.onBytes(source.position);
    }
    if (part !== null) done.push(await finish(part, Math.min(granule, end ?? granule), channels));
    part = null;
    return done;
  } finally {
    part?.writer.abandon();
    await source.close();
  }
}

function write(part: Part, { bytes, samples }: Packet): void {
  part.writer.packet(bytes, samples);
  part.bytes += bytes.length;
  part.segments += Math.floor(bytes.length / SEGMENTS) + 1;
  part.samples += samples;
}

/** No less than the file's size when the packet is in it. */
function sizeWith(part: Part, { bytes, samples }: Packet): number {
  const segments = part.segments + Math.floor(bytes.length / SEGMENTS) + 1;
  const pages =
    Math.ceil(((part.samples + samples) / PAGE_SAMPLES) * 1.2) + Math.ceil(segments / SEGMENTS) + 2;
  return part.bytes + bytes.length + segments + pages * PAGE_HEAD;
}

async function finish(part: Part, granule: number, channels: 1 | 2): Promise<PartFile> {
  const samples = Math.max(0, granule - part.from);
  part.writer.finish({ samples, channels });
  const { size } = await stat(part.path);
  return { path: part.path, bytes: size, durationMs: samples / SAMPLES_PER_MS };
}

/** RFC 7845 section 5.2. */
function readTags(packet: Uint8Array): Record<string, string> {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const tags: Record<string, string> = {};
  try {
    let at = 8 + 4 + view.getUint32(8, true);
    const count = view.getUint32(at, true);
    at += 4;
    for (let index = 0; index < Math.min(count, 100); index++) {
      const length = view.getUint32(at, true);
      const text = new TextDecoder().decode(packet.subarray(at + 4, at + 4 + length));
      at += 4 + length;
      const equals = text.indexOf("=");
      if (equals > 0) tags[text.slice(0, equals).toUpperCase()] = text.slice(equals + 1);
    }
  } catch {
    // Shorter than it says: what could be read.
  }
  return tags;
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
