import { open, type FileHandle } from "node:fs/promises";

const CHUNK_BYTES = 256 * 1024;

/** Reads a file from its beginning to its end, a bounded piece at a time. */
export class ByteSource {
  readonly #file: FileHandle;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #buffer: Buffer = Buffer.alloc(0);
  /** Where the buffer begins in the file. */
  #at = 0;
  #ended = false;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<ByteSource> {
    return new ByteSource(await open(path));
  }

  /** Where the next byte is in the file. */
  get position(): number {
    return this.#at;
  }

  /** Everything that is in memory: at least `bytes` of it unless the file ends before. Good until the next call. */
  async peek(bytes: number): Promise<Buffer> {
    while (this.#buffer.length < bytes && !this.#ended) {
      const { bytesRead } = await this.#file.read(
        this.#chunk,
        0,
        CHUNK_BYTES,
        this.#at + this.#buffer.length,
      );
      if (bytesRead === 0) this.#ended = true;
      else this.#buffer = Buffer.concat([this.#buffer, this.#chunk.subarray(0, bytesRead)]);
    }
    return this.#buffer;
  }

  /** Goes on behind `bytes` that were peeked at. */
  skip(bytes: number): void {
    this.#buffer = this.#buffer.subarray(bytes);
    this.#at += bytes;
  }

  /** Goes on at another place. */
  seek(position: number): void {
    this.#buffer = Buffer.alloc(0);
    this.#at = position;
    this.#ended = false;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
