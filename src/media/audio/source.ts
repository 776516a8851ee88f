import type { FileHandle } from "node:fs/promises";
import { withTimeout } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { StreamTarget, TrackSource } from "../messages.ts";
import type { StreamFetch } from "../stream/stream-fetch.ts";
import { StreamSource, type StreamNote } from "../stream/stream-source.ts";
import { Ffmpeg } from "./ffmpeg.ts";
import type { FfmpegEnd } from "./ffmpeg.ts";
import { fileInput, openMediaFile, PCM_OUTPUT } from "./media-file.ts";

/** What fills a playback's ring: the decoder of a file, or a stream with its decoders. */
export interface PcmSource {
  /** No `onData` until `resume`: whatever feeds it must wait, or be given up. */
  pause(): void;
  resume(): void;
  /** No call of `onData` or `onEnd` follows. Idempotent. */
  close(): void;
  /** Nobody listens for now. Whether it has given up its connection: then what it gave is of the past. */
  release?(): boolean;
  /** After `release`: from what is on then. */
  reopen?(): void;
  /** What its tags say of how loud it is, once its first sound is there. */
  readonly levels?: Ffmpeg["levels"];
}

export interface SourceOptions {
  /** For the log. */
  track: string;
  positionMs: number;
  program: string;
  clock: Clock;
  log: Log;
  /** A source that gives nothing for this long has failed. */
  idleMs: number;
  /** Arguments of `soundFilters`. */
  filters: readonly string[];
  /** s16le, 48 kHz, stereo; at most 128 KiB at once. */
  onData: (chunk: Buffer) => void;
  /** The last call. */
  onEnd: (end: SourceEnd) => void;
  /** For streams, which cannot be opened without. */
  network?: StreamFetch;
  onNote?: (note: StreamNote) => void;
}

/** How a source ended; `error`: why a stream was given up. */
export interface SourceEnd extends FfmpegEnd {
  error?: BotError;
}

/** Before the control plane gives up on the request. */
const OPEN_MS = 3_000;

/** Opens a source and starts decoding it. @throws BotError `media_unreadable` */
export async function openSource(source: TrackSource, options: SourceOptions): Promise<PcmSource> {
  if (!("path" in source)) return openStream(source.stream, options);
  const handle = await openInTime(options.clock, source.path);
  try {
    // Whoever opens it can stop it from the moment in which it gives something: nothing is waited for after this.
    const { program, clock, log, idleMs, onData, onEnd } = options;
    return new Ffmpeg({
      ...{ program, clock, log, idleMs, onData, onEnd },
      what: `track ${options.track}`,
      args: [...fileInput(options.positionMs), ...options.filters, ...PCM_OUTPUT],
      descriptors: [handle.fd],
    });
  } finally {
    // The decoder has one of its own.
    handle.close().catch(() => undefined);
  }
}

function openStream(stream: StreamTarget, options: SourceOptions): StreamSource {
  const { network, onEnd, onNote = () => undefined, ...rest } = options;
  if (!network) throw new BotError("media_unsupported", "a stream where only files are played");
  return new StreamSource({
    ...rest,
    ...{ stream, fetch: network, onNote },
    onEnd: (end, error) => onEnd({ ...end, ...(error && { error }) }),
  });
}

/** A disk that hangs must not hold up all that is asked for behind it. @throws BotError also `timeout` */
async function openInTime(clock: Clock, path: string): Promise<FileHandle> {
  const opening = openMediaFile(path);
  try {
    return await withTimeout(clock, OPEN_MS, "opening the file", opening);
  } catch (error) {
    opening.then(
      (late) => late.close(),
      () => undefined,
    );
    throw error;
  }
}
