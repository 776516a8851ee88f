/** Audio files to PCM by ffmpeg, for tests and the demo. */
import { spawn } from "node:child_process";
import type { Pcm } from "./measure.ts";

/** Decodes a whole file (any format ffmpeg knows) to floats; 48 kHz mono unless asked otherwise. Bounded at 30 s. */
export async function decodeFile(
  path: string,
  { sampleRate = 48_000, channels = 1 }: { sampleRate?: number; channels?: number } = {},
): Promise<Pcm> {
  const ffmpeg = spawn(
    "ffmpeg",
    [
      ...["-nostdin", "-v", "error", "-i", path, "-map", "0:a:0", "-f", "f32le"],
      ...["-ar", String(sampleRate), "-ac", String(channels), "pipe:1"],
    ],
    { stdio: ["ignore", "pipe", "pipe"], timeout: 30_000, killSignal: "SIGKILL" },
  );
  const chunks: Buffer[] = [];
  let complaint = "";
  ffmpeg.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  ffmpeg.stderr.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    ffmpeg.once("error", reject);
    ffmpeg.once("close", resolve);
  });
  if (code !== 0)
    throw new Error(`ffmpeg could not decode ${path} (${code ?? "killed"}): ${complaint.trim()}`);
  const bytes = Buffer.concat(chunks);
  const samples = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)),
  );
  return { sampleRate, channels, samples };
}

/** What ffprobe says of a file: duration in ms, streams and tags (names in lower case). */
export async function probeFile(path: string): Promise<{
  durationMs: number;
  codec: string;
  channels: number;
  sampleRate: number;
  tags: Record<string, string>;
}> {
  const ffprobe = spawn("ffprobe", ["-v", "error", "-of", "json", "-show_format", "-show_streams", path], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 10_000,
    killSignal: "SIGKILL",
  });
  let output = "";
  let complaint = "";
  ffprobe.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  ffprobe.stderr.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    ffprobe.once("error", reject);
    ffprobe.once("close", resolve);
  });
  if (code !== 0)
    throw new Error(`ffprobe could not read ${path} (${code ?? "killed"}): ${complaint.trim()}`);
  type Probed = {
    format?: { duration?: string; tags?: Record<string, string> };
    streams?: {
      codec_type?: string;
      codec_name?: string;
      channels?: number;
      sample_rate?: string;
      tags?: Record<string, string>;
    }[];
  };
  const { format, streams } = JSON.parse(output) as Probed;
  const audio = streams?.find((stream) => stream.codec_type === "audio");
  if (!audio) throw new Error(`no audio in ${path}`);
  const tags = Object.entries({ ...audio.tags, ...format?.tags });
  return {
    durationMs: Number(format?.duration ?? 0) * 1000,
    codec: audio.codec_name ?? "unknown",
    channels: audio.channels ?? 0,
    sampleRate: Number(audio.sample_rate ?? 0),
    tags: Object.fromEntries(tags.map(([name, value]) => [name.toLowerCase(), value])),
  };
}
