import { BotError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { TrackTags } from "../messages.ts";
import { Ffmpeg } from "./ffmpeg.ts";
import type { FfmpegEnd } from "./ffmpeg.ts";
import { fileInput, openMediaFile } from "./media-file.ts";

const TOTAL_MS = 10_000;
const MAX_TAG_BYTES = 256 * 1024;

/**
 * Duration, codec and tags of a file, from its headers (ffmpeg-static has no ffprobe). Bounded at 10 s.
 * @throws BotError `media_unreadable` when it cannot be opened or has no audio, `timeout`
 */
export async function probeFile(
  program: string,
  file: string,
  context: { clock: Clock; log: Log },
): Promise<TrackTags> {
  const handle = await openMediaFile(file);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    let ffmpeg: Ffmpeg | undefined;
    const end = await new Promise<FfmpegEnd>((resolve, reject) => {
      const timer = context.clock.timer(TOTAL_MS, () => {
        ffmpeg?.close();
        reject(
          new BotError("timeout", "reading the file's header took too long", {
            say: { key: "error.media_unreadable" },
          }),
        );
      });
      ffmpeg = new Ffmpeg({
        ...context,
        program,
        what: "probe",
        // A copy of no packet of the first audio stream: its headers must be readable, nothing is decoded.
        args: [...fileInput(), "-map", "0:a:0", "-c", "copy", "-t", "0", "-f", "ffmetadata", "pipe:1"],
        descriptors: [handle.fd],
        idleMs: TOTAL_MS,
        onData: (chunk) => {
          size += chunk.length;
          if (size <= MAX_TAG_BYTES) chunks.push(chunk);
        },
        onEnd: (result) => {
          timer.cancel();
          resolve(result);
        },
      });
    });
    if (!end.ok)
      throw new BotError("media_unreadable", end.reason ?? "ffmpeg could not read it", {
        say: { key: "error.media_unreadable" },
      });
    const tags = parseFfmetadata(Buffer.concat(chunks).toString("utf8"));
    return {
      durationMs: ffmpeg?.durationMs ?? null,
      codec: ffmpeg?.codec ?? null,
      title: tags.get("title") ?? null,
      artist: tags.get("artist") ?? tags.get("album_artist") ?? null,
      album: tags.get("album") ?? null,
    };
  } finally {
    await handle.close();
  }
}

const MAX_TAG = 500;

/**
 * Global and stream tags of ffmpeg's metadata text (`;FFMETADATA1`, `key=value`, `\` before `=;#\` and line breaks); of
 * equal names the first wins, names are lower-cased, values cut at 500 characters, empty ones left out.
 */
export function parseFfmetadata(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  let section = "";
  for (const line of logicalLines(text)) {
    if (line.startsWith(";") || line.startsWith("#")) continue;
    if (/^\[\w+\]$/.test(line)) {
      section = line;
      continue;
    }
    const match = /^((?:\\.|[^\\=])+)=(.*)$/s.exec(line);
    if (!match || section === "[CHAPTER]") continue;
    const key = unescape(match[1] ?? "").toLowerCase();
    const value = unescape(match[2] ?? "").trim();
    if (value !== "" && !tags.has(key)) tags.set(key, value.slice(0, MAX_TAG).toWellFormed());
  }
  return tags;
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/gs, "$1");
}

/** Splits at line breaks that no backslash escapes. */
function logicalLines(text: string): string[] {
  return [...text.matchAll(/(?:\\[\s\S]|[^\\\n])+/g)].map((match) => match[0]);
}
