import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { stepBack } from "../../base/step-back.ts";
import { Ffmpeg, type FfmpegOptions } from "../audio/ffmpeg.ts";

export interface OutputOptions extends Pick<FfmpegOptions, "program" | "what" | "args"> {
  clock: Clock;
  log: Log;
  /** See `FfmpegOptions`; default: none. */
  descriptors?: readonly number[];
  /** For `pipe:0`; default: nothing. */
  input?: Buffer;
  /** Of what it writes; with more it is ended, and there is no result. */
  maxBytes: number;
  totalMs: number;
}

/**
 * What an ffmpeg of the lowest priority writes; null when it failed, or wrote nothing or too much.
 * @throws BotError `timeout`
 */
export function ffmpegOutput(options: OutputOptions): Promise<Buffer | null> {
  const { clock, log, program, what, args, descriptors = [], input, maxBytes, totalMs } = options;
  const pieces: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const ffmpeg = new Ffmpeg({
      ...{ program, clock, log, what, args, descriptors, idleMs: totalMs, takesInput: input !== undefined },
      onData: (chunk) => {
        bytes += chunk.length;
        if (bytes <= maxBytes) {
          pieces.push(chunk);
          return;
        }
        timer.cancel();
        ffmpeg.close();
        resolve(null);
      },
      onEnd: ({ ok }) => {
        timer.cancel();
        resolve(ok && bytes > 0 ? Buffer.concat(pieces) : null);
      },
    });
    const timer = clock.timer(totalMs, () => {
      ffmpeg.close();
      reject(new BotError("timeout", `${what} took too long`));
    });
    stepBack(ffmpeg.pid);
    if (input) void ffmpeg.write(input).then(() => ffmpeg.endInput());
  });
}
