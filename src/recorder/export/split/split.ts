import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { BotError } from "../../../base/errors.ts";
import type { TrackPart } from "../../journal.ts";
import type { PartFile, SplitOptions } from "./parts.ts";
import { splitFlac } from "./split-flac.ts";
import { splitOgg } from "./split-ogg.ts";
import { splitWav } from "./split-wav.ts";

/** Into `parts/` of the recording's directory. */
export interface Split {
  directory: string;
  /** A file of `export/`. */
  file: string;
  /** Of each part, at most. */
  maxBytes: number;
  /** The word in "Robin (2 of 3).ogg". */
  of: string;
}

const SPLITTERS: Readonly<Record<string, (path: string, options: SplitOptions) => Promise<PartFile[]>>> = {
  ".ogg": splitOgg,
  ".wav": splitWav,
  ".flac": splitFlac,
};
/** Parts of nearly the same size, rather than a last one of a second. */
const SPARE = 1.02;
const SPARE_BYTES = 8_192;

/**
 * Cuts an exported track into files of at most `maxBytes` that can each be played, without coding it again.
 * @throws BotError `media_too_large` (not of a kind that can be cut, or a limit of nearly nothing), `recording_damaged`
 */
export async function splitTrack(
  { directory, file, maxBytes, of }: Split,
  onProgress: (percent: number) => void,
): Promise<TrackPart[]> {
  const ending = extname(file);
  const splitter = SPLITTERS[ending.toLowerCase()];
  if (!splitter) throw new BotError("media_too_large", `${ending} cannot be cut`);
  const whole = join(directory, "export", file);
  const folder = join(directory, "parts");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const work = join(folder, `${process.pid}.part`);
  await removeLeftovers(folder);
  const { size } = await stat(whole);
  const count = Math.ceil(size / maxBytes);
  const even = Math.min(maxBytes, Math.ceil((size / count) * SPARE) + SPARE_BYTES);
  const made = await splitter(whole, {
    maxBytes: even,
    path: (index) => `${work}-${index}`,
    onBytes: (bytes) => onProgress(Math.min(100, (100 * bytes) / Math.max(1, size))),
  });
  if (made.some(({ bytes }) => bytes > maxBytes)) {
    throw new BotError("media_too_large", "one packet is more than the limit");
  }
  const stem = file.slice(0, file.length - ending.length);
  const parts: TrackPart[] = [];
  let fromMs = 0;
  for (const [index, { path, bytes, durationMs }] of made.entries()) {
    const name = `${stem} (${index + 1} ${of} ${made.length})${ending}`;
    await rename(path, join(folder, name));
    parts.push({ file: name, bytes, fromMs, durationMs });
    fromMs += durationMs;
  }
  return parts;
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^\d+\.part-\d+$/.test(name)) await rm(join(folder, name), { force: true });
  }
}
