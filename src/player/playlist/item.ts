/** `m3u` is m3u8 as well: the latter is UTF-8 by its name, and the former is taken so where it can be. */
export type PlaylistFormat = "m3u" | "pls" | "xspf";

/** One entry as its playlist has it: a claim. */
export interface PlaylistItem {
  /** An address, or a path: absolute where the playlist's own address is known. What has more than `MAX_LOCATION` characters was cut. */
  url: string;
  title: string | null;
  durationMs: number | null;
}

export interface Playlist {
  /** What it calls itself. */
  title: string | null;
  /** At most `MAX_ITEMS`, in its order. */
  items: PlaylistItem[];
  /** How many more there were. */
  left: number;
}

/** What a parser of one format finds; the first entries that fit, and how many there were. */
export interface RawPlaylist {
  title: string | null;
  items: PlaylistItem[];
  count: number;
}

export const MAX_ITEMS = 500;
export const MAX_LOCATION = 2048;
export const MAX_PLAYLIST_BYTES = 1_000_000;

const ENDINGS: Readonly<Record<string, PlaylistFormat>> = {
  m3u: "m3u",
  m3u8: "m3u",
  pls: "pls",
  xspf: "xspf",
};

/** The format that a file's name announces; null when it is not one of a playlist. */
export function formatOfName(name: string): PlaylistFormat | null {
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(ENDINGS, ending) ? (ENDINGS[ending] ?? null) : null;
}

export const isPlaylistName = (name: string): boolean => formatOfName(name) !== null;
