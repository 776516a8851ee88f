import type { HlsMedia, HlsSegment } from "./hls-playlist.ts";

/** Behind the end of a live playlist, in target durations (RFC 8216 section 6.3.3). */
const BEHIND_TARGETS = 3;
/** A playlist may come from a cache that is a little behind; one that is further back was begun anew. */
const STALE_SEGMENTS = 5;

export interface HlsDue {
  segments: readonly HlsSegment[];
  /** That were taken out of the playlist before their turn came. */
  missed: number;
  /** Of the first segment, to be left out: only where a place in a recording was asked for. */
  skipMs: number;
}

/**
 * What of a playlist is to be played. Pure.
 * @param next sequence number of the first segment that has not been played; null at the beginning
 * @param startMs where to begin in a playlist that is complete
 */
export function dueSegments(playlist: HlsMedia, next: number | null, startMs: number): HlsDue {
  const { segments } = playlist;
  const [first] = segments;
  const last = segments.at(-1);
  if (!first || !last) return { segments: [], missed: 0, skipMs: 0 };
  if (next === null || last.sequence + 1 + STALE_SEGMENTS < next) return beginning(playlist, startMs);
  if (next >= first.sequence) {
    return { segments: segments.filter(({ sequence }) => sequence >= next), missed: 0, skipMs: 0 };
  }
  // We are late. Live, what is left of the window would be gone as well before it was played.
  const rest = playlist.isEnded ? { segments, skipMs: 0 } : beginning(playlist, 0);
  return { ...rest, missed: (rest.segments[0]?.sequence ?? next) - next };
}

function beginning({ segments, targetMs, isEnded }: HlsMedia, startMs: number): HlsDue {
  if (!isEnded) {
    let behindMs = 0;
    const index = segments.findLastIndex(({ durationMs }) => {
      behindMs += durationMs;
      return behindMs >= BEHIND_TARGETS * targetMs;
    });
    return { segments: segments.slice(Math.max(0, index)), missed: 0, skipMs: 0 };
  }
  let beforeMs = 0;
  const index = segments.findIndex(({ durationMs }) => {
    if (beforeMs + durationMs > startMs) return true;
    beforeMs += durationMs;
    return false;
  });
  if (index === -1) return { segments: [], missed: 0, skipMs: 0 };
  return { segments: segments.slice(index), missed: 0, skipMs: startMs - beforeMs };
}
