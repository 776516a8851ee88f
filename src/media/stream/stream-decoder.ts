import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { Ffmpeg } from "../audio/ffmpeg.ts";
import type { FfmpegEnd } from "../audio/ffmpeg.ts";
import { PCM_OUTPUT, pipeInput } from "../audio/media-file.ts";
import { BYTES_PER_SAMPLE } from "../audio/pcm.ts";

export interface StreamDecoderOptions {
  program: string;
  clock: Clock;
  log: Log;
  what: string;
  /** ffmpeg's name of the container; null: it looks. */
  format: string | null;
  /** Of its beginning, left out. */
  skipMs: number;
  filters: readonly string[];
  onData: (chunk: Buffer) => void;
  /** It has ended before it was finished. */
  onFailed: (end: FfmpegEnd) => void;
}

/** Whether bytes come is for the connection to watch, which knows when some are due. */
const IDLE_MS = 60_000;

/** What turns the bytes of one run of a stream into sound. */
export type Decoder = Pick<StreamDecoder, keyof StreamDecoder>;

/** A decoder of what it is given through a pipe: it opens nothing itself. */
export class StreamDecoder {
  readonly #ffmpeg: Ffmpeg;
  readonly #ended = Promise.withResolvers<void>();
  #isFinished = false;
  #bytes = 0;

  constructor(options: StreamDecoderOptions) {
    const { program, clock, log, what, format, skipMs, filters, onData, onFailed } = options;
    const skip = skipMs > 0 ? ["-ss", (skipMs / 1000).toFixed(3)] : [];
    this.#ffmpeg = new Ffmpeg({
      ...{ program, clock, log, what, descriptors: [], takesInput: true, idleMs: IDLE_MS },
      args: [...pipeInput(format), ...skip, ...filters, ...PCM_OUTPUT],
      onData: (chunk) => {
        this.#bytes += chunk.length;
        onData(chunk);
      },
      onEnd: (end) => {
        // Whatever comes next begins with a whole sample.
        const part = this.#bytes % BYTES_PER_SAMPLE;
        if (part > 0) onData(Buffer.alloc(BYTES_PER_SAMPLE - part));
        this.#ended.resolve();
        if (!this.#isFinished) onFailed(end);
      },
    });
  }

  pause(): void {
    this.#ffmpeg.pause();
  }

  resume(): void {
    this.#ffmpeg.resume();
  }

  /** Resolves when it may have more, has ended, or `signal` aborts. */
  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const onAbort = (): void => resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) resolve();
    try {
      await Promise.race([this.#ffmpeg.write(bytes), this.#ended.promise, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** There is no more for it. Resolves when all of it was taken, or it is closed. */
  finish(): Promise<void> {
    this.#isFinished = true;
    this.#ffmpeg.endInput();
    return this.#ended.promise;
  }

  /** Idempotent. */
  close(): void {
    this.#isFinished = true;
    this.#ffmpeg.close();
    this.#ended.resolve();
  }
}
