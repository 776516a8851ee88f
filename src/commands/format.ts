import { clockTime } from "../base/duration.ts";
import type { Track } from "../player/queue.ts";

/** "Artist – Title". */
export const trackName = ({ title, artist }: Track): string => (artist ? `${artist} – ${title}` : title);

/** "Artist – Title (3:21)"; without the length where it is not known. */
export const trackLine = (track: Track): string =>
  track.durationMs === null ? trackName(track) : `${trackName(track)} (${clockTime(track.durationMs)})`;
