import { withTimeout } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { gainFor, TARGET_LUFS, UNKNOWN_GAIN_DB } from "../../base/loudness.ts";
import type {
  MediaPlane,
  PlaneEvent,
  PlaneRequest,
  PlaneRequestKind,
  PlaneResult,
} from "../../media/plane.ts";
import type { TrackSource } from "../../media/plane.ts";
import type { LoudnessScans } from "./scans.ts";
import type { Scanned } from "./store.ts";

/** Where everything is brought to, in LUFS; "on": where it usually is; "off": nothing is changed. */
export type LoudnessWish = "on" | "off" | number;

export interface LevelledPlaneDeps {
  plane: MediaPlane;
  channel: string;
  scans: Pick<LoudnessScans, "known" | "measure">;
  clock: Clock;
  /** What the room wants now. */
  wish: () => LoudnessWish;
}

/** Of plays that it remembers: what is on, what follows, and what was on when a request took its time. */
const MAX_PLAYS = 4;

/** Then it begins as if nothing was known. */
const KNOWN_MS = 250;

/** How loud a track is to begin. */
type Level = { gainDb?: number; tagsToLufs?: number };

/**
 * A room's media plane for its player, in which every track is as loud as the room wants it: how loud a file is is looked up
 * when it is started or opened to follow, and measured where nobody has done so; what comes of it glides in.
 */
export class LevelledPlane implements Pick<MediaPlane, "state" | "request" | "onEvent" | "onState"> {
  readonly #deps: LevelledPlaneDeps;
  /** What is known of each play that the plane has; null: nothing. The latest last. */
  readonly #plays = new Map<string, Scanned | null>();

  constructor(deps: LevelledPlaneDeps) {
    this.#deps = deps;
  }

  get state(): MediaPlane["state"] {
    return this.#deps.plane.state;
  }

  onEvent(listener: (event: PlaneEvent) => void): () => void {
    return this.#deps.plane.onEvent(listener);
  }

  onState(listener: (state: MediaPlane["state"]) => void): () => void {
    return this.#deps.plane.onState(listener);
  }

  async request<K extends PlaneRequestKind>(
    request: Extract<PlaneRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<PlaneResult<K>> {
    // The generic type says too little for a switch.
    const asked: PlaneRequest = request;
    const { plane } = this.#deps;
    if (asked.kind === "play.start") {
      const level = await this.#level(asked.track, asked.source);
      await plane.request({ ...asked, ...level });
      return {} as PlaneResult<K>;
    }
    if (asked.kind === "play.next" && asked.next !== null) {
      const { next } = asked;
      const level = await this.#level(next.track, next.source);
      await plane.request({ ...asked, next: { ...next, ...level } });
      return {} as PlaneResult<K>;
    }
    return plane.request(request, signal);
  }

  /** The room wants it otherwise: what is on glides there. */
  changed(): void {
    for (const [track, scanned] of this.#plays) this.#glide(track, scanned);
  }

  async #level(track: string, source: TrackSource): Promise<Level> {
    const scanned = "path" in source ? await this.#known(source.path) : null;
    this.#plays.delete(track);
    this.#plays.set(track, scanned);
    const [oldest] = this.#plays.keys();
    if (this.#plays.size > MAX_PLAYS && oldest !== undefined) this.#plays.delete(oldest);
    // Measured also where it is not wanted now: it may be, a minute later.
    if (scanned === null && "path" in source) void this.#measure(track, source.path);
    const target = this.#target();
    if (target === null) return {};
    if (scanned) return { gainDb: gainOf(scanned, target) };
    return { gainDb: UNKNOWN_GAIN_DB, tagsToLufs: target };
  }

  /** A disk that is slow costs nobody their music. */
  async #known(path: string): Promise<Scanned | null> {
    const { clock, scans } = this.#deps;
    return withTimeout(clock, KNOWN_MS, "looking up a loudness", scans.known(path)).catch(() => null);
  }

  async #measure(track: string, path: string): Promise<void> {
    const scanned = await this.#deps.scans.measure(path, this.#deps.plane);
    if (scanned === null || !this.#plays.has(track)) return;
    this.#plays.set(track, scanned);
    this.#glide(track, scanned);
  }

  #glide(track: string, scanned: Scanned | null): void {
    const { plane, channel } = this.#deps;
    const target = this.#target();
    const gainDb = target === null ? 0 : scanned ? gainOf(scanned, target) : UNKNOWN_GAIN_DB;
    // A channel that is gone takes what it played with it.
    plane.request({ kind: "play.gain", channel, track, gainDb }).catch(() => undefined);
  }

  #target(): number | null {
    const wish = this.#deps.wish();
    return wish === "off" ? null : wish === "on" ? TARGET_LUFS : wish;
  }
}

/** Silence stays as it is. */
const gainOf = ({ lufs, truePeakDb }: Scanned, target: number): number =>
  lufs === null ? 0 : gainFor({ lufs, truePeakDb }, target);
