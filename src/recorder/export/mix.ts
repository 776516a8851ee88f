import { closeSync, openSync, writeSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { Ffmpeg } from "../../media/audio/ffmpeg.ts";

export interface MixOptions {
  /** The program. */
  ffmpeg: string;
  /** Ogg Opus files of the same start and length. */
  inputs: readonly { path: string; channels: 1 | 2 }[];
  output: string;
  title: string;
  /** Of each input, and of the mix: a decoder may make more of damaged packets than they say. */
  durationMs: number;
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
export async function mix({
  ffmpeg,
  inputs,
  output,
  title,
  durationMs,
  clock,
  log,
  onBytes,
}: MixOptions): Promise<void> {
  const used = inputs.slice(0, MAX_INPUTS);
  const descriptors = used.map(({ path }) => openSync(path, "r"));
  const file = openSync(output, "wx", 0o640);
  try {
    let written = 0;
    await new Promise<void>((resolve, reject) => {
      const program = new Ffmpeg({
        ...{ program: ffmpeg, clock, log, what: "mix", args: mixArgs(used, title, durationMs), descriptors },
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

function mixArgs(inputs: MixOptions["inputs"], title: string, durationMs: number): string[] {
  const files = inputs.flatMap((_, index) => [
    ...["-protocol_whitelist", "file", "-format_whitelist", "ogg", "-threads", "1"],
    ...["-i", `/proc/self/fd/${index + 3}`],
  ]);
  // Mono comes at full level on both sides, as everybody heard it (ffmpeg's own way would take 3 dB away).
  const stereo = inputs.map(({ channels }, index) => {
    const both = channels === 1 ? "pan=stereo|c0=c0|c1=c0" : "aformat=channel_layouts=stereo";
    return `[${index}:a:0]aresample=48000,${both}[s${index}]`;
  });
  const all = inputs.map((_, index) => `[s${index}]`).join("");
  const sum = inputs.length > 1 ? `amix=inputs=${inputs.length}:duration=longest:normalize=0` : "anull";
  return [
    ...files,
    ...["-filter_complex_threads", "1", "-filter_complex"],
    `${stereo.join(";")};${all}${sum},alimiter=level=disabled:limit=0.891:latency=1[out]`,
    ...[
      "-t",
      (durationMs / 1000).toFixed(6),
      "-map",
      "[out]",
      "-map_metadata",
      "-1",
      "-metadata",
      `title=${title}`,
    ],
    ...["-c:a", "libopus", "-b:a", "128k", "-ac", "2", "-ar", "48000", "-f", "ogg", "pipe:1"],
  ];
}
