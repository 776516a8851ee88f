/** Loudness of sound by another program than the bot's own code: ffmpeg's ebur128. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Integrated loudness (LUFS) and true peak (dBTP) of a file as stereo. Bounded at 30 s. */
export async function loudnessOf(path: string): Promise<{ lufs: number; truePeakDb: number }> {
  const filter = "aformat=channel_layouts=stereo,ebur128=peak=true:framelog=verbose";
  const args = ["-nostdin", "-hide_banner", "-nostats", "-i", path, "-map", "0:a:0", "-af", filter];
  const { stderr } = await run("ffmpeg", [...args, "-f", "null", "-"], { timeout: 30_000 });
  const summary = stderr.slice(stderr.lastIndexOf("Summary:"));
  const lufs = /I:\s+(-?[\d.]+) LUFS/.exec(summary)?.[1];
  const peak = /Peak:\s+(-?[\d.]+|-inf) dBFS/.exec(summary)?.[1];
  if (lufs === undefined || peak === undefined)
    throw new Error(`no loudness of ${path}: ${stderr.slice(-500)}`);
  return { lufs: Number(lufs), truePeakDb: peak === "-inf" ? -Infinity : Number(peak) };
}

/**
 * Writes a WAV file of a tune as loud as asked (LUFS): three tones that swell and fall, and a drum. Its dynamics are
 * moderate: the loudest moments are 7 dB above the mean.
 */
export async function writeTune(path: string, lufs: number, seconds: number): Promise<string> {
  // Measured once.
  const scale = SCALE_AT_20 * 10 ** ((lufs + 20) / 20);
  const drum = "0.5*exp(-25*mod(t,0.5))*sin(2*PI*90*t)";
  const channel = ([a, b, c]: readonly number[]): string =>
    `${scale}*((0.8+0.2*sin(2*PI*0.7*t))*(sin(2*PI*220*t+${a})+sin(2*PI*554*t+${b})+sin(2*PI*1318*t+${c}))+${drum})`;
  const tune = `aevalsrc=exprs='${channel([0, 1, 2])}|${channel([0.5, 2, 4])}':s=48000:d=${seconds}`;
  await run("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", tune, "-c:a", "pcm_s16le", path]);
  return path;
}

const SCALE_AT_20 = 0.0722;
