import { realpath, stat } from "node:fs/promises";
import { extname, isAbsolute, relative, sep } from "node:path";

/** Endings of files that may be played; the decoder decides in the end. */
const AUDIO = new Set(
  ".mp3 .flac .ogg .oga .opus .wav .m4a .m4b .aac .mp4 .mka .webm .weba .wma .aiff .aif .caf .ac3 .mp2 .spx".split(
    " ",
  ),
);

export const isAudioName = (name: string): boolean => AUDIO.has(extname(name).toLowerCase());

/**
 * A path below the media folder as a person wrote it, split; null for whatever is not plainly inside of it: absolute
 * paths, `.`, `..`, hidden names, control characters, endings that are not wanted.
 */
export function plainSegments(path: string, isWanted = isAudioName): string[] | null {
  // oxlint-disable-next-line no-control-regex
  if (path.length > 1024 || /[\u0000-\u001f\\]/.test(path) || isAbsolute(path)) return null;
  const segments = path.split("/");
  if (segments.some((segment) => segment === "" || segment.startsWith("."))) return null;
  return isWanted(path) ? segments : null;
}

/**
 * The real path of `segments` below `root` (a real path itself) when it is a regular file that is really in there,
 * whatever links are on the way and whatever their target is called; else null.
 */
export async function confinedFile(
  root: string,
  segments: readonly string[],
  isWanted = isAudioName,
): Promise<string | null> {
  try {
    const real = await realpath([root, ...segments].join(sep));
    const inside = relative(root, real);
    if (inside === "" || isAbsolute(inside) || inside.split(sep).some((part) => part.startsWith(".")))
      return null;
    if (!isWanted(real)) return null;
    return (await stat(real)).isFile() ? real : null;
  } catch {
    return null; // Not there, not readable, a loop of links: to the person it is the same.
  }
}
