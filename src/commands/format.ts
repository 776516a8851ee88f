import { cutText } from "../base/cut-text.ts";
import { clockTime } from "../base/duration.ts";
import { render, type Language } from "../base/messages/catalogue.ts";
import type { NowPlaying, Track } from "../player/queue.ts";

/** Longer ones say no more, and there may be ten in an answer. */
const SHOWN_TITLE = 120;
const SHOWN_ARTIST = 60;

/** "Artist – Title", each cut where it is very long. */
export const trackName = ({ title, artist }: Track): string =>
  artist ? `${shown(artist, SHOWN_ARTIST)} – ${shown(title, SHOWN_TITLE)}` : shown(title, SHOWN_TITLE);

/** What people wrote or files say of themselves, cut with "…" where it is longer than so many UTF-16 units. */
export const shown = (text: string, units: number): string =>
  text.length <= units ? text : `${cutText(text, units - 1).trimEnd()}…`;

/** As `trackName`; of a stream with what is on in it: "Station: Artist - Title". */
export const nowName = ({ track, onAir }: NowPlaying): string =>
  onAir === undefined ? trackName(track) : `${trackName(track)}: ${onAir}`;

/** What is on in it passes whether or not anybody listens. */
export const isLive = ({ source, durationMs }: Track): boolean =>
  source.kind === "stream" && durationMs === null;

/** "1:02 / 3:21", "1:02" where the length is not known, or that it is live. */
export function positionText({ track, positionMs }: NowPlaying, language: Language): string {
  if (isLive(track)) return render({ key: "state.live" }, language).text;
  const total = track.durationMs === null ? "" : ` / ${clockTime(track.durationMs)}`;
  return clockTime(positionMs) + total;
}

/** "Artist – Title (3:21)"; without the length where it is not known. */
export const trackLine = (track: Track): string =>
  track.durationMs === null ? trackName(track) : `${trackName(track)} (${clockTime(track.durationMs)})`;

/** "12 kB", "3.4 MB", "1.2 GB"; a disk that does not say how much it has is "?". */
export function sizeText(bytes: number): string {
  if (!Number.isFinite(bytes)) return "?";
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
