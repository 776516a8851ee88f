import { sleep } from "../../base/async.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { toBotError, type BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { noDataFor, type FfmpegEnd } from "../audio/ffmpeg.ts";
import type { StreamTarget } from "../messages.ts";
import { silent, soundless, undecodable } from "./failures.ts";
import { hlsFeed, type HlsPlace } from "./hls-feed.ts";
import { icyFeed } from "./icy-feed.ts";
import type { Feed } from "./piece.ts";
import { PATIENCE_MS, retryDelayMs, STALLED_MS, STEADY_MS, TOLD_AFTER_MS } from "./reconnect.ts";
import { StreamDecoder, type Decoder, type StreamDecoderOptions } from "./stream-decoder.ts";
import type { StreamFetch } from "./stream-fetch.ts";

/*
 * A stream that is played as it comes.
 *
 *                    connected, sound comes
 *   connecting ──────────────────────────────► flowing ──── it has ended (VOD) ───► ended
 *      ▲  │                                     │   │
 *      │  └── fails ─┐          breaks off ─────┘   │
 *      │             ▼              ▼               │
 *      └──────── waiting (0.5 s, 1 s, … 15 s) ── for too long, or for good ───────► ended (with the reason)
 *
 *   release() from anywhere, live: resting, nothing is open ── reopen() ──► connecting
 *
 * Each connection has its own feed and each unlike part of it its own decoder; what they give becomes one run of sound.
 * Nothing is read of the network before the decoder has taken what came before: no buffer of ours grows.
 */
type State =
  | { kind: "running"; abort: AbortController }
  /** Nobody listens: there is no connection. */
  | { kind: "resting" }
  | { kind: "closed" };

export type StreamNote =
  /** It is complete, and so long. */
  | { kind: "length"; lengthMs: number }
  | { kind: "title"; title: string | null }
  /** Nothing has come for a while; it is tried again. */
  | { kind: "interrupted"; error: BotError | null };

export interface StreamSourceOptions {
  stream: StreamTarget;
  /** For the log. */
  track: string;
  /** Where to begin in what is complete. */
  positionMs: number;
  program: string;
  /** Arguments of ffmpeg between input and output. */
  filters: readonly string[];
  clock: Clock;
  log: Log;
  fetch: StreamFetch;
  /** Default ffmpeg. */
  decode?: (options: StreamDecoderOptions) => Decoder;
  onNote: (note: StreamNote) => void;
  onData: (chunk: Buffer) => void;
  /** The last call. `error`: why it was given up. */
  onEnd: (end: FfmpegEnd, error: BotError | null) => void;
}

/** Whoever takes nothing for so long (a track that is opened ahead) does not listen. */
const BLOCKED_MS = 5_000;

export class StreamSource {
  readonly #options: StreamSourceOptions;
  #state: State = { kind: "resting" };
  #decoder: Decoder | null = null;
  #isLive = true;
  #place: HlsPlace = { next: null };
  #isBlocked = false;
  #bytes = 0;
  #wasDecoded = false;
  #failures = 0;
  /** When the last sound came, or the first attempt began. */
  #heardAtMs: number;
  /** When the first sound of this connection came. */
  #steadySinceMs: number | null = null;
  #lastError: BotError | null = null;
  #isTold = false;
  #watch: Timer | null = null;
  #blocked: Timer | null = null;

  constructor(options: StreamSourceOptions) {
    this.#options = options;
    this.#heardAtMs = options.clock.now();
    this.#start();
  }

  pause(): void {
    this.#isBlocked = true;
    this.#decoder?.pause();
    this.#blocked?.cancel();
    this.#blocked = this.#options.clock.timer(BLOCKED_MS, () => this.release());
  }

  resume(): void {
    this.reopen();
    if (this.#isBlocked) this.#heardAtMs = this.#options.clock.now();
    this.#isBlocked = false;
    this.#blocked?.cancel();
    this.#decoder?.resume();
  }

  /**
   * Nobody listens for now. Live, its connection is closed, what it gave is of no use any more, and true is returned; else
   * it waits where it is.
   */
  release(): boolean {
    if (this.#state.kind === "closed" || !this.#isLive) return false;
    this.#stop({ kind: "resting" });
    return true;
  }

  /** After `release`: from what is on now. */
  reopen(): void {
    if (this.#state.kind !== "resting") return;
    this.#isBlocked = false;
    this.#blocked?.cancel();
    this.#failures = 0;
    this.#place = { next: null };
    this.#start();
  }

  close(): void {
    this.#stop({ kind: "closed" });
  }

  #start(): void {
    const abort = new AbortController();
    this.#state = { kind: "running", abort };
    this.#heardAtMs = this.#options.clock.now();
    this.#watchSilence(TOLD_AFTER_MS);
    void this.#run(abort);
  }

  #stop(state: State): void {
    if (this.#state.kind === "closed") return;
    if (this.#state.kind === "running") this.#state.abort.abort();
    this.#state = state;
    this.#watch?.cancel();
    this.#watch = null;
    this.#blocked?.cancel();
    this.#decoder?.close();
    this.#decoder = null;
  }

  /** Connects until the stream has ended, is given up, or nobody wants it any more. Never rejects. */
  async #run(abort: AbortController): Promise<void> {
    const { clock, log, track } = this.#options;
    const { signal } = abort;
    for (;;) {
      let error: BotError | null = null;
      try {
        await this.#connection(signal);
      } catch (thrown) {
        error = toBotError(thrown);
      }
      // What came is played out meanwhile.
      const drained = this.#finishDecoder();
      if (error === null) await drained;
      if (signal.aborted) return;
      if (error === null) return this.#end(this.#isSoundless() ? soundless() : null);
      this.#lastError = error;
      const delayMs = this.#nextDelayMs(error);
      log.info("stream_broke_off", { track, code: error.code, message: error.message, retryInMs: delayMs });
      if (delayMs === null) {
        await drained;
        return signal.aborted ? undefined : this.#end(error);
      }
      await Promise.all([drained, sleep(clock, delayMs, signal).catch(() => undefined)]);
      if (signal.aborted) return;
    }
  }

  /** It had bytes, and ended without a sound; where it was to begin at its end there is none. */
  #isSoundless(): boolean {
    return this.#wasDecoded && this.#bytes === 0 && this.#options.positionMs === 0;
  }

  #nextDelayMs(error: BotError): number | null {
    const nowMs = this.#options.clock.now();
    const isSteady = this.#steadySinceMs !== null && this.#heardAtMs - this.#steadySinceMs >= STEADY_MS;
    this.#failures = isSteady ? 1 : this.#failures + 1;
    this.#steadySinceMs = null;
    return retryDelayMs({
      error,
      failures: this.#failures,
      heard: this.#bytes > 0,
      silentMs: nowMs - this.#heardAtMs,
    });
  }

  async #connection(owner: AbortSignal): Promise<void> {
    // A decoder that ends by itself ends its connection.
    const failed = new AbortController();
    const signal = AbortSignal.any([owner, failed.signal]);
    const decoder: { end: FfmpegEnd | null } = { end: null };
    try {
      for await (const piece of this.#feed(signal)) {
        if (signal.aborted) break;
        if (piece.kind === "opened") this.#opened(piece.lengthMs);
        else if (piece.kind === "title") this.#options.onNote({ kind: "title", title: piece.title });
        else if (piece.kind === "bytes") await this.#decoder?.write(piece.bytes, signal);
        else {
          await this.#finishDecoder();
          if (owner.aborted) break;
          this.#openDecoder(piece, (end) => {
            decoder.end = end;
            failed.abort();
          });
        }
      }
    } catch (error) {
      if (decoder.end === null) throw error;
    }
    if (decoder.end && !owner.aborted) throw undecodable(decoder.end, this.#bytes > 0);
  }

  #feed(signal: AbortSignal): Feed {
    const { stream, fetch, clock, log, positionMs } = this.#options;
    if (stream.kind === "icy") return icyFeed(stream.url, { fetch, clock, signal });
    return hlsFeed(stream.url, { fetch, clock, log, signal, startMs: positionMs, place: this.#place });
  }

  #opened(lengthMs: number | null): void {
    this.#isLive = lengthMs === null;
    if (lengthMs !== null && lengthMs > 0) this.#options.onNote({ kind: "length", lengthMs });
  }

  #openDecoder(piece: { format: string | null; skipMs: number }, onFailed: (end: FfmpegEnd) => void): void {
    const { program, clock, log, track, filters } = this.#options;
    const { decode = (options): Decoder => new StreamDecoder(options) } = this.#options;
    this.#wasDecoded = true;
    this.#decoder = decode({
      ...{ program, clock, log, what: `stream ${track}`, filters, ...piece },
      onData: (chunk) => this.#take(chunk),
      onFailed,
    });
    if (this.#isBlocked) this.#decoder.pause();
  }

  async #finishDecoder(): Promise<void> {
    const decoder = this.#decoder;
    await decoder?.finish();
    if (this.#decoder === decoder) this.#decoder = null;
  }

  #take(chunk: Buffer): void {
    this.#heardAtMs = this.#options.clock.now();
    this.#steadySinceMs ??= this.#heardAtMs;
    this.#bytes += chunk.length;
    this.#isTold = false;
    this.#options.onData(chunk);
  }

  #watchSilence(delayMs: number): void {
    const { clock, onNote } = this.#options;
    this.#watch = clock.timer(delayMs, () => {
      const silentMs = this.#isBlocked ? 0 : clock.now() - this.#heardAtMs;
      if (silentMs < TOLD_AFTER_MS) return this.#watchSilence(TOLD_AFTER_MS - silentMs);
      if (!this.#isLive && this.#bytes > 0) {
        // Tried again meanwhile, to no avail. Whoever plays it knows where it was.
        if (silentMs >= STALLED_MS) return this.#end(this.#lastError, silentMs);
        return this.#watchSilence(STALLED_MS - silentMs);
      }
      // Bytes come, and no sound is in them; or none come.
      if (this.#bytes === 0 || silentMs >= PATIENCE_MS)
        return this.#end(this.#lastError ?? this.#nothing(silentMs));
      if (!this.#isTold) {
        this.#isTold = true;
        onNote({ kind: "interrupted", error: this.#lastError });
      }
      this.#watchSilence(Math.min(TOLD_AFTER_MS, PATIENCE_MS - silentMs));
    });
  }

  #nothing(silentMs: number): BotError {
    return this.#wasDecoded && this.#bytes === 0 ? soundless() : silent(this.#options.stream.url, silentMs);
  }

  /** @param stalledMs it has an end, and gave nothing for so long */
  #end(error: BotError | null, stalledMs?: number): void {
    const bytes = this.#bytes;
    this.#stop({ kind: "closed" });
    const ended = { ok: error === null, reason: error?.message ?? null, announcedMs: null, bytes };
    if (stalledMs === undefined) this.#options.onEnd(ended, error);
    else this.#options.onEnd({ ...ended, ok: false, reason: noDataFor(stalledMs), stalled: true }, error);
  }
}
