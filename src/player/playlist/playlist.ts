import { BotError } from "../../base/errors.ts";
import type { Steps } from "../../base/slices.ts";
import {
  MAX_PLAYLIST_BYTES,
  type Playlist,
  type PlaylistFormat,
  type PlaylistItem,
  type RawPlaylist,
} from "./item.ts";
import { parseM3u } from "./m3u.ts";
import { parsePls } from "./pls.ts";
import { parseXspf } from "./xspf.ts";

const TYPES: Readonly<Record<string, PlaylistFormat>> = {
  "audio/x-mpegurl": "m3u",
  "audio/mpegurl": "m3u",
  "application/x-mpegurl": "m3u",
  "application/vnd.apple.mpegurl": "m3u",
  "audio/x-scpls": "pls",
  "audio/scpls": "pls",
  "application/pls+xml": "pls",
  "application/xspf+xml": "xspf",
};

/** The format that a media type announces (parameters of it are ignored); null when it is not one of a playlist. */
export function formatOfType(type: string): PlaylistFormat | null {
  const name = type.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return Object.hasOwn(TYPES, name) ? (TYPES[name] ?? null) : null;
}

/** The format that a text has, whatever it is called; null when it is none that has a mark. */
export function formatOfText(text: string): PlaylistFormat | null {
  const start = text.slice(0, 4096).trimStart();
  if (/^#EXTM3U/i.test(start)) return "m3u";
  if (/^\[playlist\]/i.test(start)) return "pls";
  return /^<(\?xml|playlist\b|!--|!DOCTYPE)/i.test(start) && /<playlist\b/i.test(start) ? "xspf" : null;
}

/** Whether an m3u8 is the index of a stream (HLS, RFC 8216), and no list of tracks. */
export const isHls = (text: string): boolean =>
  /^#EXT-X-(TARGETDURATION|STREAM-INF|MEDIA|MEDIA-SEQUENCE|I-FRAME-STREAM-INF|VERSION)\b/im.test(text);

/**
 * The entries of a playlist's text, in steps of few ms however it is written. Pure; nothing is opened, no entity of XML is
 * expanded but the five that every document has.
 * @param options.format what its name or type says; what the text itself begins with counts more
 * @param options.baseUrl its own address: entries become absolute; null leaves paths as they are
 * @throws BotError `media_unreadable` (damaged, hostile), `media_unsupported` (HLS), `media_too_large`
 */
export function* parsePlaylist(
  text: string,
  { format, baseUrl }: { format: PlaylistFormat | null; baseUrl: string | null },
): Steps<Playlist> {
  if (text.length > MAX_PLAYLIST_BYTES) {
    throw new BotError("media_too_large", `a playlist of ${text.length} characters`, {
      say: { key: "playlist.too_large", params: { limit: MAX_PLAYLIST_BYTES / 1e6 } },
    });
  }
  if (isHls(text)) {
    throw new BotError("media_unsupported", "the index of a stream", { say: { key: "playlist.is_stream" } });
  }
  const raw = yield* PARSERS[formatOfText(text) ?? format ?? "m3u"](text);
  const items: PlaylistItem[] = [];
  for (const item of raw.items) {
    yield;
    items.push({ ...item, url: absolute(item.url, baseUrl) });
  }
  return { title: raw.title, items, left: raw.count - items.length };
}

const PARSERS: Readonly<Record<PlaylistFormat, (text: string) => Steps<RawPlaylist>>> = {
  m3u: parseM3u,
  pls: parsePls,
  xspf: function* (text) {
    const { items, ...rest } = yield* parseXspf(text);
    return { ...rest, items: items.map((item) => ({ ...item, url: unescapePath(item.url) })) };
  },
};

/** A scheme has two letters at least: `C:\…` is a path of another machine. */
export const hasScheme = (location: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(location);

function absolute(location: string, baseUrl: string | null): string {
  if (baseUrl === null || hasScheme(location)) return location;
  return URL.canParse(location, baseUrl) ? new URL(location, baseUrl).href : location;
}

/** XSPF has addresses, in which a path has its special characters escaped; other formats have paths as they are. */
function unescapePath(location: string): string {
  if (hasScheme(location)) return location;
  try {
    return decodeURIComponent(location);
  } catch {
    return location;
  }
}
