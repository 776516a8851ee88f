import { oneLine } from "../base/messages/catalogue.ts";
import type { TrackTags } from "../media/plane.ts";
import type { Track } from "./queue.ts";

/** The track with what its file says of itself. */
export function describe(track: Track, tags: TrackTags | null): Track {
  if (!tags) return track;
  const title = tags.title?.trim() ? tags.title : track.title;
  const { artist, durationMs } = tags;
  return {
    ...track,
    title: shortLine(title),
    artist: artist && shortLine(artist),
    durationMs: durationMs ?? track.durationMs,
  };
}

const MAX_TITLE = 300;

/** A title as it is kept: one line, cut. */
export const shortLine = (text: string): string => oneLine(oneLine(text).slice(0, MAX_TITLE));

/** ffmpeg's last word for people: one line, without paths and addresses of memory, cut. */
export function cleanDetail(detail: string): string {
  const cleaned = detail
    .replaceAll(/\[[^\]]*@ 0x[0-9a-f]+\]\s*/gi, "")
    .replaceAll(/(?:\/[\w.+-]+){2,}:?/g, "")
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u001f\u007f\s]+/g, " ")
    .trim();
  return cleaned.length > 160 ? `${cleaned.slice(0, 159)}…` : cleaned || "unreadable";
}
