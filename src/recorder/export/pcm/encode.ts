import type { Clock } from "../../../base/clock.ts";
import { BotError } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import { Ffmpeg } from "../../../media/audio/ffmpeg.ts";
import type { ExportFormat } from "../../exporter.ts";

export interface EncoderOptions {
  /** The program. */
  ffmpeg: string;
  clock: Clock;
  log: Log;
  /** The file that it makes. */
  path: string;
  format: ExportFormat;
  /** What comes in: 16 bit values of one track, or 32 bit floats of a mix, which may be louder than full scale and are limited. */
  input: "track" | "mix";
  channels: 1 | 2;
  /** Tags of the file: names as ffmpeg has them, e.g. `title`. */
  tags: Readonly<Record<string, string>>;
}

/** It says how far it is twice a second. */
const IDLE_MS = 60_000;
const SAMPLES_PER_SECOND = 48_000;

/** Encodes PCM at 48 kHz into a file, by ffmpeg in a process beside this one. */
export class PcmEncoder {
  readonly #program: Ffmpeg;
  readonly #ended: Promise<void>;
  #written: Promise<void> = Promise.resolve();
  #failure: BotError | null = null;

  constructor(options: EncoderOptions) {
    const { ffmpeg, clock, log, input } = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#program = new Ffmpeg({
      ...{ program: ffmpeg, clock, log, what: input, args: argumentsOf(options), descriptors: [] },
      ...{ takesInput: true, idleMs: IDLE_MS },
      onData: () => undefined,
      onEnd: ({ ok, reason }) => {
        if (!ok)
          this.#failure = new BotError("ffmpeg_failed", `encoding failed: ${reason ?? "no reason given"}`);
        resolve();
      },
    });
  }

  /**
   * Interleaved samples; they are copied, so that the next ones can be made while these are encoded.
   * @throws BotError `ffmpeg_failed`
   */
  async write(pcm: Int16Array | Float32Array): Promise<void> {
    await this.#written;
    if (this.#failure) throw this.#failure;
    this.#written = Promise.race([this.#program.write(pcm.slice()), this.#ended]);
  }

  /** All was written: resolves when the file is whole. @throws BotError `ffmpeg_failed` */
  async finish(): Promise<void> {
    await this.#written;
    this.#program.endInput();
    await this.#ended;
    if (this.#failure) throw this.#failure;
  }

  /** Ends it; the file is not whole. Idempotent. */
  close(): void {
    this.#program.close();
  }
}

function argumentsOf({ format, input, channels, path, tags }: EncoderOptions): string[] {
  const pcm = input === "mix" ? "f32le" : "s16le";
  // A look-ahead of 5 ms, taken off again: what fits is not changed, and stays where it is.
  const limited = input === "mix" ? ["-af", "alimiter=level=disabled:limit=0.891:latency=1"] : [];
  return [
    ...["-protocol_whitelist", "pipe", "-threads", "1", "-f", pcm, "-ar", String(SAMPLES_PER_SECOND)],
    ...["-ac", String(channels), "-i", "pipe:0", "-map", "0:a", "-map_metadata", "-1", ...limited],
    ...Object.entries(tags).flatMap(([name, value]) => ["-metadata", `${name}=${value}`]),
    ...CODECS[format],
    // Progress is what it is watched by; the file itself needs to be sought in for its length.
    ...["-flush_packets", "0", "-progress", "pipe:1", "-y", `file:${path}`],
  ];
}

const CODECS: Record<ExportFormat, readonly string[]> = {
  opus: ["-c:a", "libopus", "-b:a", "128k", "-f", "ogg"],
  flac: ["-c:a", "flac", "-sample_fmt", "s16", "-f", "flac"],
  wav: ["-c:a", "pcm_s16le", "-rf64", "auto", "-f", "wav"],
};
