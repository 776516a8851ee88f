import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Loudness } from "../messages.ts";
import { Ffmpeg } from "./ffmpeg.ts";
import type { FfmpegEnd } from "./ffmpeg.ts";
import { fileInput, openMediaFile } from "./media-file.ts";
import { stepBack } from "./step-back.ts";

/** Hours of sound on a busy machine. What takes longer is not worth knowing. */
const TOTAL_MS = 5 * 60_000;
/** What comes after the first two hours is as loud as they were; a small file may unpack to weeks. */
const MAX_SECONDS = 7_200;
/** EBU R 128's absolute gate: what never gets above it has no loudness. */
const GATE_LUFS = -70;

/** Sound as the mixer gets it (mono would count 3 LU less), through the meter, and no further. */
const METER: readonly string[] = [
  ...["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-af"],
  "aformat=sample_fmts=s16:sample_rates=48000:channel_layouts=stereo,ebur128=peak=true:framelog=verbose",
  ...["-t", String(MAX_SECONDS), "-f", "null", "pipe:1"],
];

/**
 * Measures all of a file by EBU R 128, with its true peak: one process of the lowest priority, a second for four minutes.
 * @throws BotError `media_unreadable`, `timeout`
 */
export async function scanLoudness(
  program: string,
  file: string,
  context: { clock: Clock; log: Log },
): Promise<Loudness> {
  const handle = await openMediaFile(file);
  try {
    let ffmpeg: Ffmpeg | undefined;
    const end = await new Promise<FfmpegEnd>((resolve, reject) => {
      const timer = context.clock.timer(TOTAL_MS, () => {
        ffmpeg?.close();
        reject(new BotError("timeout", "measuring the file took too long"));
      });
      ffmpeg = new Ffmpeg({
        ...{ ...context, program, what: "loudness", args: [...fileInput(), ...METER] },
        ...{ descriptors: [handle.fd], idleMs: TOTAL_MS, onData: () => undefined },
        onEnd: (result) => {
          timer.cancel();
          resolve(result);
        },
      });
      stepBack(ffmpeg.pid);
    });
    const measured = ffmpeg?.levels.measured;
    // Damage in the middle is skipped; what could be decoded is what is heard.
    if (!measured || !end.ok)
      throw new BotError("media_unreadable", end.reason ?? "ffmpeg could not measure it");
    const { lufs, truePeakDb } = measured;
    const heard = lufs !== null && lufs > GATE_LUFS;
    return { lufs: heard ? lufs : null, truePeakDb, durationMs: ffmpeg?.levels.decodedMs ?? 0 };
  } finally {
    await handle.close();
  }
}
