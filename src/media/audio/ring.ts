import { BYTES_PER_SAMPLE, CHANNELS } from "./pcm.ts";

/**
 * A bounded queue of PCM between a decoder's pipe and the mixer. It never grows: the writer asks `hasRoom` after each
 * chunk and pauses its pipe, the reader's progress lets it go on.
 */
export class PcmRing {
  readonly #values: Int16Array;
  readonly #bytes: Uint8Array;
  readonly #highWater: number;
  /** Bytes of the ring in use, and where the next one is written and read. */
  #used = 0;
  #writeAt = 0;
  #readAt = 0;

  /** `capacity` and `highWater` in samples per channel; what lies between them must hold the largest single chunk. */
  constructor(capacity: number, highWater: number) {
    this.#values = new Int16Array(capacity * CHANNELS);
    this.#bytes = new Uint8Array(this.#values.buffer);
    this.#highWater = highWater * BYTES_PER_SAMPLE;
  }

  /** Whole samples (per channel) that can be read. */
  get available(): number {
    return Math.floor(this.#used / BYTES_PER_SAMPLE);
  }

  /** False from the high water mark on: stop writing. */
  get hasRoom(): boolean {
    return this.#used < this.#highWater;
  }

  /** True under half of the high water mark: a paused writer may go on. */
  get wantsMore(): boolean {
    return this.#used < this.#highWater / 2;
  }

  /** Forgets everything. */
  clear(): void {
    this.#used = 0;
    this.#writeAt = 0;
    this.#readAt = 0;
  }

  /** Takes s16le bytes; a chunk may end inside a sample. @throws RangeError when they do not fit. */
  write(chunk: Uint8Array): void {
    const size = this.#bytes.length;
    if (chunk.length > size - this.#used)
      throw new RangeError(`${chunk.length} bytes do not fit into the ring`);
    const first = Math.min(chunk.length, size - this.#writeAt);
    this.#bytes.set(chunk.subarray(0, first), this.#writeAt);
    this.#bytes.set(chunk.subarray(first), 0);
    this.#writeAt = (this.#writeAt + chunk.length) % size;
    this.#used += chunk.length;
  }

  /** How many of the first samples, at most `limit`, are no louder than `peak` (of 16 bits) on either side. */
  quiet(limit: number, peak: number): number {
    const count = Math.min(limit, this.available);
    for (let i = 0; i < count * CHANNELS; i++) {
      const value = this.#values[(this.#readAt / 2 + i) % this.#values.length] ?? 0;
      if (Math.abs(value) > peak) return Math.floor(i / CHANNELS);
    }
    return count;
  }

  /** Moves up to `samples` (per channel) to the start of `target` and returns how many there were. */
  read(target: Int16Array | Float32Array, samples: number): number {
    const count = Math.min(samples, this.available);
    const values = count * CHANNELS;
    const from = this.#readAt / 2;
    const first = Math.min(values, this.#values.length - from);
    target.set(this.#values.subarray(from, from + first), 0);
    target.set(this.#values.subarray(0, values - first), first);
    this.#readAt = (this.#readAt + values * 2) % this.#bytes.length;
    this.#used -= values * 2;
    return count;
  }
}
