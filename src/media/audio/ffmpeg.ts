import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { StderrDigest } from "./ffmpeg-stderr.ts";
import type { LevelDigest } from "./level-digest.ts";
import { startWithOnly } from "./inherited.ts";

export interface FfmpegOptions {
  /** The program, from `findFfmpeg`. */
  program: string;
  clock: Clock;
  log: Log;
  /** For the log: what is being read. */
  what: string;
  /** Everything after `-nostdin -hide_banner … -max_alloc …`, as a list; output goes to `pipe:1`. */
  args: readonly string[];
  /** Open descriptors, which the program sees as 3, 4, … The caller closes its own copies, at any time. */
  descriptors: readonly number[];
  /** `pipe:0` of the arguments is what `write` takes; else there is nothing on it. */
  takesInput?: boolean;
  /** No byte on standard output for this long, while we do read, ends the program. */
  idleMs: number;
  /** Bytes of standard output, at most 128 KiB at once. The chunk belongs to the listener. */
  onData: (chunk: Buffer) => void;
  /** It has said something on standard error, which may have been about its input. */
  onSaid?: () => void;
  /** The last call: it has ended and its output was read to the end, or it never started. Not called after `close`. */
  onEnd: (end: FfmpegEnd) => void;
}

export interface FfmpegEnd {
  /** Exit code 0. */
  ok: boolean;
  /** Its last meaningful complaint or ours (a deadline), fit for logs; null when there was none. At most 300 characters. */
  reason: string | null;
  /** The length that the input's header announces, in ms; null when it says none or it was a guess. */
  announcedMs: number | null;
  /** Bytes of standard output. */
  bytes: number;
  /** It was ended because nothing came for too long. */
  stalled?: true;
}

/** The verdict on what gives nothing, in the words by which `src/player/reason.ts` knows it. */
export const noDataFor = (ms: number): string => `no data for ${Math.round(ms / 1000)} s`;

/** Of memory in one piece: the index of a day of sound takes less, and a header that claims more is made to hurt. */
const MAX_ALLOC_BYTES = 128 * 1024 * 1024;
/** SIGTERM lets it end what it writes; after this it is killed. */
const KILL_AFTER_MS = 1_000;

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

/**
 * The one owner of an ffmpeg process: it always reads its standard error, notices when nothing comes, and ends it.
 */
export class Ffmpeg {
  readonly #options: FfmpegOptions;
  readonly #child: Child;
  readonly #stderr = new StderrDigest();
  #idle: Timer | null = null;
  #kill: Timer | null = null;
  #heardAtMs: number;
  #paused = false;
  #bytes = 0;
  #ended = false;
  #closed = false;
  #verdict: string | null = null;
  #stalled = false;

  constructor(options: FfmpegOptions) {
    this.#options = options;
    this.#heardAtMs = options.clock.now();
    const quiet = ["-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info"];
    const args = [...quiet, "-max_alloc", String(MAX_ALLOC_BYTES), ...options.args];
    const input = options.takesInput === true ? "pipe" : "ignore";
    this.#child = startWithOnly([input, "pipe", "pipe", ...options.descriptors] as const, (stdio) =>
      spawn(options.program, args, { stdio }),
    ) as unknown as Child;
    // It may end before it has read everything; how it ended says what was wrong.
    this.#child.stdin?.on("error", () => undefined);
    this.#child.on("error", (error) => {
      this.#verdict ??= messageOf(error);
      if (this.#child.pid === undefined) this.#end(null);
    });
    this.#child.on("close", (code) => this.#end(code));
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.#stderr.add(chunk);
      if (!this.#closed) options.onSaid?.();
    });
    // Not "data": Node lets paused streams flow when the process exits, with all that is in its pipe.
    this.#child.stdout.on("readable", () => this.#read());
    this.#watch(options.idleMs);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What the header announced, as soon as it was read. */
  get announcedMs(): number | null {
    return this.#stderr.announcedMs;
  }

  /** As `announcedMs`, guesses from the bit rate included. */
  get durationMs(): number | null {
    return this.#stderr.durationMs;
  }

  /** Codec name of the first audio stream, as soon as it was read. */
  get codec(): string | null {
    return this.#stderr.codec;
  }

  /** What its tags say of how loud it is, and what a meter among its filters has said, as soon as that was read. */
  get levels(): Pick<LevelDigest, "tagged" | "measured" | "decodedMs" | "usedMs"> {
    return this.#stderr.levels;
  }

  /** Stops reading (no `onData` until `resume`); the program blocks when its pipe is full. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#heardAtMs = this.#options.clock.now();
    this.#read();
  }

  /**
   * Gives it input; resolves when it may have more, or takes no more. The memory must not be changed until then.
   */
  write(values: ArrayBufferView): Promise<void> {
    const { stdin } = this.#child;
    const { buffer, byteOffset, byteLength } = values;
    return new Promise((resolve) => {
      if (!stdin?.writable) resolve();
      else stdin.write(new Uint8Array(buffer, byteOffset, byteLength), () => resolve());
    });
  }

  /** There is no more input. */
  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Ends the program; no call of `onData` or `onEnd` follows. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#terminate();
  }

  #terminate(): void {
    this.#idle?.cancel();
    this.#idle = null;
    if (this.#ended || this.#kill) return;
    this.#read(); // What nobody reads would keep "close" from coming.
    this.#child.kill("SIGTERM");
    this.#kill = this.#options.clock.timer(KILL_AFTER_MS, () => this.#child.kill("SIGKILL"));
  }

  #read(): void {
    const over = (): boolean => this.#closed || this.#verdict !== null;
    while (!this.#paused || over()) {
      const chunk = this.#child.stdout.read() as Buffer | null;
      if (chunk === null) return;
      this.#bytes += chunk.length;
      this.#heardAtMs = this.#options.clock.now();
      if (!over()) this.#options.onData(chunk);
    }
  }

  #watch(delayMs: number): void {
    this.#idle = this.#options.clock.timer(delayMs, () => {
      const { idleMs, clock } = this.#options;
      const quietMs = this.#paused ? 0 : clock.now() - this.#heardAtMs;
      if (quietMs < idleMs - 1) {
        this.#watch(idleMs - quietMs);
        return;
      }
      this.#verdict = noDataFor(idleMs);
      this.#stalled = true;
      this.#terminate();
    });
  }

  #end(code: number | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#idle?.cancel();
    this.#kill?.cancel();
    const { log, what } = this.#options;
    const reason = this.#verdict ?? this.#stderr.reason;
    log.debug("ffmpeg_exit", { what, code, bytes: this.#bytes, reason, closed: this.#closed });
    if (this.#closed) return;
    this.#options.onEnd({
      ok: code === 0 && this.#verdict === null,
      reason,
      announcedMs: this.#stderr.announcedMs,
      bytes: this.#bytes,
      ...(this.#stalled && { stalled: true }),
    });
  }
}
