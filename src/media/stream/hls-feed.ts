import { sleep } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { BotError, toBotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { chooseAudio } from "./hls-choice.ts";
import { HlsFetch, mapName } from "./hls-fetch.ts";
import { unsupported } from "./hls-playlist.ts";
import type { HlsMedia, HlsSegment } from "./hls-playlist.ts";
import { dueSegments } from "./hls-window.ts";
import type { Feed, Piece } from "./piece.ts";
import { readAhead } from "./read-ahead.ts";
import type { StreamFetch } from "./stream-fetch.ts";

export interface HlsPlace {
  /** Sequence number of the first segment that was not played; null: none was. */
  next: number | null;
}

export interface HlsFeedOptions {
  fetch: StreamFetch;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** Where to begin in what is complete. */
  startMs: number;
  /** Kept by whoever connects again, so that nothing is heard twice. */
  place: HlsPlace;
}

/** Besides the one that is played: one may take as long as two last. */
const SEGMENTS_AHEAD = 2;
/** Beyond this nothing more is fetched before its turn. */
const BYTES_AHEAD = 4_000_000;
/** A segment that is not there is asked for once more after this, where others wait for it. */
const AGAIN_MS = 500;
/** So many in a row, and something else is wrong. */
const MAX_MISSING = 6;
/** Reloads in a row that may fail. */
const MAX_FAILED_RELOADS = 3;
/** A live playlist to which nothing was added for so long stands still: three target durations, or more. */
const STILL_MS = 30_000;
const SHORTEST_WAIT_MS = 500;

/**
 * One connection to an HLS stream: its playlist again and again, its segments in order, fetched before their turn. What is
 * missing is left out and counted; what cannot be fetched at all ends it.
 */
export async function* hlsFeed(url: string, options: HlsFeedOptions): Feed {
  const { place } = options;
  const parts = readAhead((signal) => partsOf(url, { ...options, signal }), {
    ...{ signal: options.signal, maxCount: SEGMENTS_AHEAD, maxBytes: BYTES_AHEAD },
    sizeOf: (part) => (part.kind === "bytes" ? part.bytes.length : 0),
  });
  for await (const part of parts) {
    // Only what was taken is over: what was fetched ahead in vain is fetched again.
    if (part.kind === "through") place.next = part.sequence + 1;
    else yield part;
  }
}

/** `through`: all of that segment has been given. */
type Part = Piece | { kind: "through"; sequence: number };

async function* partsOf(url: string, options: HlsFeedOptions): AsyncGenerator<Part, void, void> {
  const { fetch, clock, signal } = options;
  let { next } = options.place;
  const resources = new HlsFetch(fetch, clock, signal);
  let { media: playlist, url: mediaUrl } = await mediaPlaylist(resources, url);
  const lengthMs = playlist.segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  yield { kind: "opened", lengthMs: playlist.isEnded ? lengthMs : null };
  const segments = new SegmentFeed(resources, options);
  let addedAtMs = clock.now();
  for (;;) {
    const loadedAtMs = clock.now();
    const due = dueSegments(playlist, next, options.startMs);
    segments.missed(due.missed);
    if (due.segments.length > 0) addedAtMs = loadedAtMs;
    let skipMs = due.skipMs;
    for (const segment of due.segments) {
      yield* segments.play(segment, skipMs);
      yield { kind: "through", sequence: segment.sequence };
      next = segment.sequence + 1;
      skipMs = 0;
    }
    if (playlist.isEnded) return segments.over();
    if (loadedAtMs - addedAtMs > Math.max(STILL_MS, 3 * playlist.targetMs))
      throw new BotError("fetch_failed", "the playlist stands still", {
        retryable: true,
        say: { key: "stream.still" },
      });
    // RFC 8216 section 6.3.4; the time until all of it was taken has passed already.
    const everyMs: number = due.segments.length > 0 ? playlist.targetMs : playlist.targetMs / 2;
    const waitMs = Math.max(
      loadedAtMs + everyMs - clock.now(),
      due.segments.length > 0 ? 0 : SHORTEST_WAIT_MS,
    );
    await sleep(clock, waitMs, signal);
    playlist = await reloaded(resources, mediaUrl, options);
  }
}

async function mediaPlaylist(resources: HlsFetch, url: string): Promise<{ media: HlsMedia; url: string }> {
  const first = await resources.playlist(url);
  if (first.playlist.kind === "media") return { media: first.playlist, url: first.url };
  const chosen = chooseAudio(first.playlist);
  if (chosen === null) throw unsupported("no audio in the master playlist", "stream.no_audio");
  const second = await resources.playlist(chosen);
  if (second.playlist.kind === "media") return { media: second.playlist, url: second.url };
  throw unsupported("a master playlist in a master playlist", "stream.not_hls");
}

async function reloaded(
  resources: HlsFetch,
  url: string,
  { clock, signal, log }: HlsFeedOptions,
): Promise<HlsMedia> {
  for (let failures = 0; ; failures++) {
    try {
      const { playlist } = await resources.playlist(url);
      if (playlist.kind === "media") return playlist;
      throw unsupported("it became a master playlist", "stream.not_hls");
    } catch (error) {
      const { code, message } = toBotError(error);
      if (signal.aborted || code === "fetch_refused" || failures >= MAX_FAILED_RELOADS) throw error;
      log.debug("stream_reload_failed", { code, message });
      await sleep(clock, AGAIN_MS * 2 ** failures, signal);
    }
  }
}

/** Segments one after the other, and what decoders must know between them. */
class SegmentFeed {
  readonly #resources: HlsFetch;
  readonly #options: HlsFeedOptions;
  /** Name of what stands before the segments of the current decoder; undefined: there is no decoder. */
  #map: string | null | undefined;
  #missingInARow = 0;
  /** Of the last one that is missing, while none was there. */
  #nothing: unknown = null;
  #isHeard = false;

  constructor(resources: HlsFetch, options: HlsFeedOptions) {
    this.#resources = resources;
    this.#options = options;
  }

  /** So many are gone before they could be fetched. */
  missed(count: number): void {
    if (count > 0) this.#options.log.info("stream_segments_missing", { count, reason: "too late" });
  }

  /** There are no more. @throws why nothing was there, of all that was to be */
  over(): void {
    if (this.#nothing === null || this.#isHeard) return;
    // Each was tried again already.
    const { code, message, say } = toBotError(this.#nothing);
    throw new BotError(code, message, { retryable: false, say, cause: this.#nothing });
  }

  async *play(segment: HlsSegment, skipMs: number): Feed {
    const bytes = await this.#bytes(segment);
    if (bytes === null) return;
    const map = segment.map && mapName(segment.map);
    if (this.#map === undefined || map !== this.#map || segment.isBreak) {
      const head = segment.map && (await this.#resources.map(segment.map));
      yield { kind: "fresh", format: null, skipMs };
      if (head) yield { kind: "bytes", bytes: head };
      this.#map = map;
    }
    yield { kind: "bytes", bytes };
  }

  /** Null: it is missing. @throws BotError when too many are, or none may be fetched. */
  async #bytes(segment: HlsSegment): Promise<Uint8Array | null> {
    const { clock, log, signal } = this.#options;
    if (segment.isGap) return null;
    for (let attempt = 0; ; attempt++) {
      try {
        const bytes = await this.#resources.segment(segment);
        this.#missingInARow = 0;
        this.#isHeard = true;
        return bytes;
      } catch (error) {
        const { code, message } = toBotError(error);
        if (signal.aborted || code === "fetch_refused") throw error;
        if (attempt === 0) {
          await sleep(clock, AGAIN_MS, signal);
          continue;
        }
        log.info("stream_segments_missing", { count: 1, reason: message });
        this.#nothing = error;
        if (++this.#missingInARow >= MAX_MISSING) throw error;
        return null;
      }
    }
  }
}
