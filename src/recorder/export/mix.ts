import { closeSync, openSync, writeSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { Ffmpeg } from "../../media/audio/ffmpeg.ts";

export interface MixOptions {
  /** The program. */
  ffmpeg: string;
  /** Ogg Opus files of the same start and length. */
  inputs: readonly string[];
  output: string;
  title: string;
  clock: Clock;
  log: Log;
  onBytes: (bytes: number) => void;
}

/** ffmpeg opens a decoder for each; beyond this a mix would be mud anyway. */
const MAX_INPUTS = 64;
const IDLE_MS = 60_000;

/**
 * Mixes tracks at the levels they have, with a limiter behind (which does nothing to what fits), as stereo Ogg Opus.
 * @throws BotError `ffmpeg_failed`
 */
export async function mix({ ffmpeg, inputs, output, title, clock, log, onBytes }: MixOptions): Promise<void> {
  const used = inputs.slice(0, MAX_INPUTS);
  const descriptors = used.map((path) => openSync(path, "r"));
  const file = openSync(output, "wx", 0o640);
  try {
    let written = 0;
    await new Promise<void>((resolve, reject) => {
      const program = new Ffmpeg({
        ...{ program: ffmpeg, clock, log, what: "mix", args: mixArgs(used.length, title), descriptors },
        idleMs: IDLE_MS,
        onData: (chunk) => {
          try {
            for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
          } catch (error) {
            program.close();
            reject(error instanceof Error ? error : new Error(String(error)));
            return;
          }
          written += chunk.length;
          onBytes(written);
        },
        onEnd: ({ ok, reason }) => {
          if (ok) resolve();
          else reject(new BotError("ffmpeg_failed", `mixing failed: ${reason ?? "no reason given"}`));
        },
      });
    });
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    closeSync(file);
  }
}

function mixArgs(count: number, title: string): string[] {
  const inputs = Array.from({ length: count }, (_, index) => [
    ...["-protocol_whitelist", "file", "-format_whitelist", "ogg", "-threads", "1"],
    ...["-i", `/proc/self/fd/${index + 3}`],
  ]).flat();
  // Mono in the middle at full level on both sides, as everybody heard it.
  const stereo = Array.from(
    { length: count },
    (_, index) => `[${index}:a:0]aresample=48000,aformat=channel_layouts=stereo[s${index}]`,
  );
  const all = Array.from({ length: count }, (_, index) => `[s${index}]`).join("");
  const sum = count > 1 ? `${all}amix=inputs=${count}:duration=longest:normalize=0` : `${all}anull`;
  return [
    ...inputs,
    ...["-filter_complex_threads", "1", "-filter_complex"],
    `${stereo.join(";")};${sum},alimiter=level=disabled:limit=0.891:latency=1[out]`,
    ...["-map", "[out]", "-map_metadata", "-1", "-metadata", `title=${title}`],
    ...["-c:a", "libopus", "-b:a", "128k", "-ac", "2", "-ar", "48000", "-f", "ogg", "pipe:1"],
  ];
}
