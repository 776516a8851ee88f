import { open } from "node:fs/promises";
import { parseFile } from "music-metadata";
import { oneLine } from "../../base/messages/catalogue.ts";
import type { Tags } from "./entry.ts";

const MAX_TEXT = 200;
/** An Ogg page has 65,307 bytes at most (RFC 3533): the last one begins in here. */
const OGG_TAIL = 65_536;

/**
 * What a file says of itself, from its head and, for Ogg, its end: no audio is read. Only for the tag child: what it
 * loads is more than an idle bot needs.
 * @throws when it is no audio file that is understood
 */
export async function readTags(path: string): Promise<Tags> {
  const { common, format } = await parseFile(path, { duration: false, skipCovers: true });
  const { title, artist, album } = common;
  let seconds = format.duration ?? null;
  if (seconds === null && format.container === "Ogg") {
    seconds = await oggSeconds(path, format.codec === "Opus" ? 48_000 : (format.sampleRate ?? 0));
  }
  return {
    title: line(title),
    artist: line(artist),
    album: line(album),
    durationMs: seconds !== null && seconds > 0 && seconds < 1e7 ? Math.round(seconds * 1000) : null,
  };
}

function line(text: string | undefined): string | null {
  const short = oneLine(oneLine(unmangled((text ?? "").slice(0, 2_000))).slice(0, MAX_TEXT)).trim();
  return short === "" ? null : short;
}

/** Some formats (RIFF INFO, ID3v1) do not say how text is written: UTF-8 that was read as Latin-1 is UTF-8. */
function unmangled(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (!/^[\u0000-\u00ff]*$/.test(text) || !/[\u0080-\u00ff]/.test(text)) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(text, "latin1"));
  } catch {
    return text;
  }
}

/** By the sample count at the end of the last page (RFC 3533, section 6: granule position). */
async function oggSeconds(path: string, rate: number): Promise<number | null> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, OGG_TAIL));
    await file.read(tail, 0, tail.length, size - tail.length);
    const page = tail.lastIndexOf("OggS");
    if (page < 0 || page + 14 > tail.length || rate <= 0) return null;
    const samples = Number(tail.readBigInt64LE(page + 6));
    return samples > 0 ? samples / rate : null;
  } finally {
    await file.close();
  }
}
