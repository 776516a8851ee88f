import { open } from "node:fs/promises";
import { ByteSource } from "./byte-source.ts";
import { flacFrames, readFlacHead, type FlacFrame, type FlacHead } from "./flac-reader.ts";
import { renumbered } from "./flac-frame.ts";
import type { PartFile, SplitOptions } from "./parts.ts";

/** Size of a STREAMINFO block without its head (RFC 9639 section 8.2). */
const STREAMINFO_BYTES = 34;
const WRITE_BYTES = 256 * 1024;

/** Cuts between frames; they are numbered anew, everything else in them stays. The parts have no checksum of the sound. */
export async function splitFlac(path: string, options: SplitOptions): Promise<PartFile[]> {
  const source = await ByteSource.open(path);
  let part: FlacPart | null = null;
  try {
    const head = await readFlacHead(source);
    const done: PartFile[] = [];
    for await (const frame of flacFrames(source, head)) {
      if (part !== null && !part.fits(frame, options.maxBytes)) {
        done.push(await part.finish());
        part = null;
      }
      part ??= await FlacPart.open(options.path(done.length), head);
      await part.write(frame);
      options.onBytes(source.position);
    }
    if (part !== null) done.push(await part.finish());
    part = null;
    return done;
  } finally {
    await part?.abandon();
    await source.close();
  }
}

class FlacPart {
  readonly #path: string;
  readonly #file: Awaited<ReturnType<typeof open>>;
  readonly #head: FlacHead;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #bytes: number;
  #frames = 0;
  #samples = 0;
  #smallest = 0xffffff;
  #largest = 0;

  private constructor(path: string, file: Awaited<ReturnType<typeof open>>, head: FlacHead, bytes: number) {
    this.#path = path;
    this.#file = file;
    this.#head = head;
    this.#bytes = bytes;
  }

  static async open(path: string, head: FlacHead): Promise<FlacPart> {
    const file = await open(path, "wx", 0o640);
    const start = Buffer.concat([
      Buffer.from("fLaC"),
      blockHead(0, STREAMINFO_BYTES, head.comments === null),
      head.streamInfo,
      ...(head.comments === null ? [] : [blockHead(4, head.comments.length, true), head.comments]),
    ]);
    await file.write(start, 0, start.length, 0);
    return new FlacPart(path, file, head, start.length);
  }

  /** A number takes no more bytes here than in the whole, where it is greater. */
  fits({ bytes }: FlacFrame, maxBytes: number): boolean {
    return this.#bytes + this.#pendingBytes + bytes.length <= maxBytes;
  }

  async write(frame: FlacFrame): Promise<void> {
    const bytes = renumbered(frame, this.#head.variable ? this.#samples : this.#frames);
    this.#frames++;
    this.#samples += frame.samples;
    this.#smallest = Math.min(this.#smallest, bytes.length);
    this.#largest = Math.max(this.#largest, bytes.length);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= WRITE_BYTES) await this.#flush();
  }

  async finish(): Promise<PartFile> {
    await this.#flush();
    const info = Buffer.from(this.#head.streamInfo);
    info.writeUIntBE(this.#smallest, 4, 3);
    info.writeUIntBE(this.#largest, 7, 3);
    // 20 bits rate, 3 channels, 5 depth, 36 samples; then the checksum of the sound, which nobody has computed: zero.
    const upper = info.readUInt32BE(10);
    const middle = (info[13] ?? 0) & 0xf0;
    info.writeUInt32BE(upper, 10);
    info[13] = middle | (Math.floor(this.#samples / 2 ** 32) & 0x0f);
    info.writeUInt32BE(this.#samples % 2 ** 32, 14);
    info.fill(0, 18);
    await this.#file.write(info, 0, info.length, 8);
    await this.#file.close();
    const durationMs = (this.#samples / this.#head.rate) * 1000;
    return { path: this.#path, bytes: this.#bytes, durationMs };
  }

  async abandon(): Promise<void> {
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    const all = Buffer.concat(this.#pending);
    await this.#file.write(all, 0, all.length, this.#bytes);
    this.#bytes += all.length;
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

function blockHead(type: number, length: number, last: boolean): Buffer {
  return Buffer.of((last ? 0x80 : 0) | type, length >>> 16, (length >>> 8) & 0xff, length & 0xff);
}
