import type { Steps } from "../../base/slices.ts";
import { Collected } from "./collect.ts";
import type { RawPlaylist } from "./item.ts";

/**
 * `#EXTINF:seconds attributes,title` belongs to the next line that is no comment; `#PLAYLIST:` has the list's own name.
 * Everything else behind a `#` is a comment.
 */
export function* parseM3u(text: string): Steps<RawPlaylist> {
  const found = new Collected();
  let next: { title: string | null; durationMs: number | null } = { title: null, durationMs: null };
  for (const [line] of text.matchAll(/[^\r\n]+/g)) {
    yield;
    const trimmed = line.trim();
    if (!trimmed.startsWith("#")) {
      if (trimmed === "") continue;
      found.add({ location: trimmed, ...next });
      next = { title: null, durationMs: null };
    } else if (/^#EXTINF:/i.test(trimmed)) {
      next = extinf(trimmed.slice("#EXTINF:".length));
    } else if (/^#PLAYLIST:/i.test(trimmed)) {
      found.title = trimmed.slice("#PLAYLIST:".length);
    }
  }
  return found.result();
}

/** Attributes (`tvg-name="a, b"`) may have commas between their quotes. */
function extinf(rest: string): { title: string | null; durationMs: number | null } {
  const seconds = Number.parseFloat(rest);
  const durationMs = Number.isFinite(seconds) ? seconds * 1000 : null;
  let quoted = false;
  for (let at = 0; at < rest.length; at++) {
    if (rest[at] === '"') quoted = !quoted;
    else if (rest[at] === "," && !quoted) return { title: rest.slice(at + 1), durationMs };
  }
  // A quote that nobody closes: the first comma it is.
  const comma = rest.indexOf(",");
  return { title: comma < 0 ? null : rest.slice(comma + 1), durationMs };
}
