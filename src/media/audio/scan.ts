import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Measurement } from "../../base/loudness.ts";
import { stepBack } from "../../base/step-back.ts";
import type { Loudness } from "../messages.ts";
import { Ffmpeg } from "./ffmpeg.ts";
import type { FfmpegEnd } from "./ffmpeg.ts";
import { fileInput, openMediaFile } from "./media-file.ts";

/** Hours of sound on a busy machine. What takes longer is not worth knowing. */
const TOTAL_MS = 5 * 60_000;
/** What comes after the first two hours is as loud as they were; a small file may unpack to weeks. */
const MAX_SECONDS = 7_200;
/** EBU R 128's absolute gate: what never gets above it has no loudness. */
const GATE_LUFS = -70;
/** Of the processor: to start ffmpeg and to read a header. */
const TAGS_MS = 60;

/**
 * Sound as the mixer gets it (mono would count 3 LU less), through the meter. A trickle of it comes here, for nobody to hear: with
 * nobody there to read it the program ends, else what a kill left behind would measure on for minutes.
 */
const METER: readonly string[] = [
  ...["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-af"],
  "aformat=sample_fmts=s16:sample_rates=48000:channel_layouts=stereo,ebur128=peak=true:framelog=verbose," +
    "aresample=2000:filter_size=4,aformat=channel_layouts=mono",
  ...["-t", String(MAX_SECONDS), "-c:a", "pcm_u8", "-f", "u8", "-flush_packets", "1", "pipe:1"],
];

export interface ScanContext {
  clock: Clock;
  log: Log;
}

/**
 * Measures all of a file by EBU R 128, with its true peak: one process of the lowest priority, a second for four minutes.
 * @throws BotError `media_unreadable`, `timeout`
 */
export async function scanLoudness(program: string, file: string, context: ScanContext): Promise<Loudness> {
  const { lufs, truePeakDb, soundMs } = await measure(program, file, context);
  return { lufs, truePeakDb, durationMs: soundMs };
}

/**
 * The same for a file that nobody waits for: `rate` times as fast as it plays at most (null: as it goes), and no further than to
 * its tags where those say how loud it is.
 * @throws BotError `media_unreadable`, `timeout`, `cancelled`; `ffmpeg_missing` when the program cannot be started
 */
export function measureBeforehand(
  program: string,
  file: string,
  context: ScanContext & { rate: number | null; signal: AbortSignal },
): Promise<Measurement> {
  return measure(program, file, context);
}

async function measure(
  program: string,
  file: string,
  { clock, log, rate = null, signal }: ScanContext & { rate?: number | null; signal?: AbortSignal },
): Promise<Measurement> {
  const handle = await openMediaFile(file);
  const cancelled = (): BotError => new BotError("cancelled", "not wanted any more");
  try {
    if (signal?.aborted) throw cancelled();
    let ffmpeg: Ffmpeg | undefined;
    const pace = rate === null ? [] : ["-readrate", rate.toFixed(2)];
    const totalMs = TOTAL_MS + (rate === null ? 0 : (MAX_SECONDS / rate) * 1_000);
    // Null: its tags say enough.
    const end = await new Promise<FfmpegEnd | null>((resolve, reject) => {
      const settled = (): void => {
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
      };
      const giveUp = (error: BotError | null): void => {
        settled();
        ffmpeg?.close();
        if (error) reject(error);
        else resolve(null);
      };
      const timer = clock.timer(totalMs, () => giveUp(new BotError("timeout", "measuring it took too long")));
      const onAbort = (): void => giveUp(cancelled());
      signal?.addEventListener("abort", onAbort);
      ffmpeg = new Ffmpeg({
        ...{ clock, log, program, what: "loudness", args: ["-benchmark", ...pace, ...fileInput(), ...METER] },
        ...{ descriptors: [handle.fd], idleMs: totalMs, onData: () => undefined },
        onSaid: () => {
          if (signal && ffmpeg?.levels.tagged) giveUp(null);
        },
        onEnd: (result) => {
          settled();
          resolve(result);
        },
      });
      stepBack(ffmpeg.pid);
    });
    const { measured = null, decodedMs = null, usedMs = null } = ffmpeg?.levels ?? {};
    if (end === null)
      return { ...{ lufs: null, truePeakDb: null, isTagged: true }, soundMs: 0, usedMs: TAGS_MS };
    if (ffmpeg?.pid === undefined)
      throw new BotError("ffmpeg_missing", end.reason ?? "ffmpeg could not be started");
    // Damage in the middle is skipped; what could be decoded is what is heard.
    if (!measured || !end.ok)
      throw new BotError("media_unreadable", end.reason ?? "ffmpeg could not measure it");
    const { lufs, truePeakDb } = measured;
    const heard = lufs !== null && lufs > GATE_LUFS;
    return {
      ...{ lufs: heard ? lufs : null, truePeakDb, isTagged: false },
      ...{ soundMs: decodedMs ?? 0, usedMs },
    };
  } finally {
    await handle.close();
  }
}
