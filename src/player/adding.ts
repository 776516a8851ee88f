import { BotError, toBotError } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { TrackSource, TrackTags } from "../media/plane.ts";
import { isBare } from "./failure.ts";
import { newTrackId } from "./ids.ts";
import { etaMs, sameSource } from "./queue.ts";
import type { QueueEffect, QueueEvent, QueueRules, QueueState, StoredSource, Track } from "./queue.ts";
import type { Found } from "./resolver/resolver.ts";
import type { PlayerPlane } from "./sound.ts";
import type { Starting } from "./starting.ts";
import { reasonOf } from "./reason.ts";
import { describe, shortLine } from "./text.ts";

export interface AddingDeps {
  plane: PlayerPlane;
  /** What the plane plays of a source (Sources.open). */
  open: (source: StoredSource, signal: AbortSignal) => Promise<TrackSource>;
  state: () => QueueState;
  /** Carries it out. @throws BotError what the queue refuses */
  change: (event: QueueEvent) => readonly QueueEffect[];
  rules: () => QueueRules;
  starting: Starting;
  signal: AbortSignal;
}

export interface Added {
  track: Track;
  /** 0: it is on; else its place among those that wait, from 1. */
  position: number;
  /** Until it starts, in ms; null when a track before it has no known length. */
  etaMs: number | null;
  /** The same was on or waited already. */
  again: boolean;
}

export interface AddedMany {
  /** Those that fitted. */
  count: number;
  /** Those that did not, and why: the queue is full, or its requester has too many in it. */
  left: number;
  why: "full" | "limit" | null;
}

/** What is known of a track before anybody has asked for it. */
type Known = Found & { artist?: string | null };

/** Brings what people ask for into the queue, with what its file says of itself. */
export class Adding {
  readonly #deps: AddingDeps;

  constructor(deps: AddingDeps) {
    this.#deps = deps;
  }

  /**
   * Queues what was found. Into silence: starts it at once and resolves with the first sound.
   * @throws BotError `queue_full`, `media_unreadable`, `media_unsupported`, `ffmpeg_missing`, …: it is not queued then.
   */
  async one(found: Known, requester: string, next: boolean): Promise<Added> {
    const { state, change, rules, starting } = this.#deps;
    const track = newTrack(found, requester);
    const add = (what: Track): unknown => change({ kind: "add", track: what, next, rules: rules() });
    if (state().now) {
      const described = describe(track, found.isDescribed ? null : await this.#probe(track));
      const again = this.#has(track.source);
      add(described);
      return this.#added(described, again);
    }
    const again = this.#has(track.source);
    // Something else may have waited (after failures): then that comes first, and this one is not on.
    add(track);
    if (state().now?.track.id === track.id) await starting.sound(track.id);
    const tags = found.isDescribed ? null : await this.#probe(track).catch(() => null);
    if (tags) change({ kind: "describe", ...describe(track, tags) });
    return this.#added(track, again);
  }

  /**
   * Queues as many as fit, without looking into their files. What of them cannot be played is told in the room when its turn
   * comes, the first as well: the others are there.
   * @throws BotError when none fits
   */
  many(found: readonly Known[], requester: string, next: boolean): AddedMany {
    const { change, rules } = this.#deps;
    const tracks = found.map((each) => newTrack(each, requester));
    const effects = change({ kind: "add-many", tracks, next, rules: rules() });
    const out = effects.find((effect) => effect.kind === "left-out");
    const left = out?.count ?? 0;
    return { count: tracks.length - left, left, why: out ? (out.why === "limit" ? "limit" : "full") : null };
  }

  #has(source: StoredSource): boolean {
    const { now, upcoming } = this.#deps.state();
    return [...(now ? [now.track] : []), ...upcoming].some((track) => sameSource(track.source, source));
  }

  async #probe(track: Track): Promise<TrackTags | null> {
    try {
      const source = await this.#deps.open(track.source, this.#deps.signal);
      // What a stream is called it says while it is heard.
      if (!("path" in source)) return null;
      return await this.#deps.plane.request({ kind: "probe", source });
    } catch (error) {
      const { code, message, say } = toBotError(error);
      // A plane that restarts says nothing about the file.
      if (code === "media_plane_down" || code === "timeout") return null;
      if (!isBare(say)) throw error;
      const parts = { reason: [reasonOf(message)] };
      const told: Sentence = { key: "player.failed", params: { title: track.title }, parts };
      throw new BotError(code, message, { say: told, cause: error });
    }
  }

  #added(fallback: Track, again: boolean): Added {
    const state = this.#deps.state();
    const { id } = fallback;
    if (state.now?.track.id === id) return { track: state.now.track, position: 0, etaMs: 0, again };
    const index = state.upcoming.findIndex((track) => track.id === id);
    const track = state.upcoming[index] ?? fallback;
    return { track, position: index + 1, etaMs: etaMs(state, index), again };
  }
}

function newTrack({ source, title, artist = null, durationMs, picture }: Known, requester: string): Track {
  const named = { title: shortLine(title), artist: artist && shortLine(artist) };
  return { id: newTrackId(), ...named, durationMs, requester, source, picture };
}
