import { clockTime } from "../base/duration.ts";
import type { Track } from "../player/queue.ts";

/** "Artist – Title". */
export const trackName = ({ title, artist }: Track): string => (artist ? `${artist} – ${title}` : title);

/** "Artist – Title (3:21)"; without the length where it is not known. */
export const trackLine = (track: Track): string =>
  track.durationMs === null ? trackName(track) : `${trackName(track)} (${clockTime(track.durationMs)})`;

/** "12 kB", "3.4 MB", "1.2 GB"; a disk that does not say how much it has is "?". */
export function sizeText(bytes: number): string {
  if (!Number.isFinite(bytes)) return "?";
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
