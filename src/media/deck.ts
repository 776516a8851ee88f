import type { Clock } from "../base/clock.ts";
import { FRAME_SAMPLES } from "./audio/pcm.ts";
import type { PlaybackEnd } from "./audio/playback-end.ts";
import { Playback } from "./audio/playback.ts";
import { TrackGain, type TrackLevel } from "./audio/track-gain.ts";
import type { StreamFetch } from "./stream/stream-fetch.ts";
import { TrackReport, type ReportOptions } from "./track-report.ts";
import { NO_FILTERS, sameFilters, type Filters } from "./filters.ts";
import type { PlaneRequest, TrackEnd, TrackSource } from "./messages.ts";

export interface DeckOptions extends ReportOptions {
  clock: Clock;
  ffmpeg: () => Promise<string>;
  /** Whether that program has the filter `rubberband`. */
  rubberband: () => Promise<boolean>;
  /** The way to streams. */
  network: StreamFetch;
  /** There is sound to take: the frame clock must run. */
  onReady: () => void;
}

export type PlayStart = Extract<PlaneRequest, { kind: "play.start" }>;
export type PlayNext = NonNullable<Extract<PlaneRequest, { kind: "play.next" }>["next"]>;

/** Tracks that still fade out; beyond this the oldest is cut. */
const MAX_FADING = 4;
const IDLE_MS = 10_000;
/** How long what sounds goes on for another track that has no sound yet, and for another place in the same. */
const PATIENCE_FRAMES = 50;
const SAME_PATIENCE_FRAMES = 250;
/** How far ahead the same track is opened anew, in ms of it: about what a decoder takes until its first sound. */
const LEAD_MS = 200;

/** A track and how it was asked for: enough to open it again. */
interface Opened {
  playback: Playback;
  track: string;
  source: TrackSource;
  gain: TrackGain;
}

/** What takes the place of what is heard: another track, or the same at the same place with other filters. */
type Coming = Opened & { waitsFrames: number } & ({ what: "track"; paused: boolean } | { what: "filters" });

/*
 * The tracks of a channel:
 *
 *   next ── the one before has finished ─► current ── stopped, or another takes its place ─► fading ── 30 ms ─► gone
 *     └──────── play.start ─► coming ── has sound ──┘
 *
 * `coming` is opened while `current` goes on, so that a seek, a skip or other filters make no hole.
 */
/** What a channel plays of tracks: one, for 30 ms those that it replaced, and the next one, opened ahead. */
export class Deck {
  readonly #options: DeckOptions;
  readonly #report: TrackReport;
  #current: Opened | null = null;
  #coming: Coming | null = null;
  #next: Opened | null = null;
  #fading: Playback[] = [];
  #filters: Filters = NO_FILTERS;

  constructor(options: DeckOptions) {
    this.#options = options;
    this.#report = new TrackReport(options);
  }

  /** Whether a track (not one that fades) is heard now. */
  get sounding(): boolean {
    return this.#current?.playback.sounding ?? false;
  }

  /** Before each frame. Returns whether there is anything to mix. */
  prepare(): boolean {
    this.#changeOver();
    return this.sounding || this.#fading.length > 0;
  }

  /** @throws BotError `media_unreadable`, `ffmpeg_missing`; what played before goes on then. */
  async start({ track, source, positionMs, paused, ...level }: PlayStart): Promise<void> {
    const ahead = this.#next?.track === track && positionMs === 0 ? this.#next : null;
    const opened = ahead ?? (await this.#open({ track, source, gain: gainOf(source, level) }, positionMs));
    if (ahead) this.#next = null;
    // Found out since it was opened. What its tags say is known to its own gain alone.
    if (ahead && level.gainDb !== undefined && level.tagsToLufs === undefined) ahead.gain.set(level.gainDb);
    this.#dropNext();
    this.#dropComing();
    const same = this.#current && isSameFile(this.#current.source, source);
    const waitsFrames = same ? SAME_PATIENCE_FRAMES : PATIENCE_FRAMES;
    this.#coming = { ...opened, what: "track", paused, waitsFrames };
    this.#changeOver();
  }

  /** @throws BotError `media_unreadable`, `ffmpeg_missing`; nothing follows then. */
  async follow(next: (PlayNext & { gain?: TrackGain }) | null): Promise<void> {
    if (next && this.#next?.track === next.track) return;
    this.#dropNext();
    if (next) this.#next = await this.#open({ ...next, gain: next.gain ?? gainOf(next.source, next) }, 0);
  }

  /** @throws BotError `media_unreadable`, `ffmpeg_missing`; what plays goes on as it did. */
  async filter(filters: Filters): Promise<void> {
    if (sameFilters(filters, this.#filters)) return;
    this.#filters = filters;
    this.#settle();
    // First what follows: it may be on before the other is open.
    const next = this.#next;
    this.#dropNext();
    // What is wrong with it is told when its turn comes.
    if (next) await this.follow(next).catch(() => undefined);
    if (this.#current) await this.#reopen(this.#current);
  }

  /** The same at the same place, as everything is to sound now. */
  async #reopen(current: Opened): Promise<void> {
    const { playback } = current;
    const opened = await this.#open(current, playback.positionMs + (playback.sounding ? LEAD_MS : 0));
    this.#dropComing();
    if (this.#current === current)
      this.#coming = { ...opened, what: "filters", waitsFrames: SAME_PATIENCE_FRAMES };
    else opened.playback.close();
    this.#changeOver();
  }

  /** How much louder than it was made the track of that name is played, in dB; no other. */
  gain(track: string, db: number): void {
    for (const opened of [this.#current, this.#coming, this.#next])
      if (opened?.track === track) opened.gain.set(db);
  }

  pause(): void {
    this.#settle();
    this.#current?.playback.pause();
  }

  resume(): void {
    this.#settle();
    this.#current?.playback.resume();
  }

  stop(): void {
    this.#settle();
    this.#dropNext();
    this.#leave("stopped");
    this.#dropComing();
  }

  /** Adds the next 20 ms to `sum`. */
  mix(sum: Float32Array): void {
    for (const fading of this.#fading) fading.mix(sum);
    this.#fading = this.#fading.filter((fading) => fading.sounding);
    let heard = this.#current;
    if (!heard?.playback.sounding) return;
    heard.playback.isFollowed = this.#next?.playback.ready ?? false;
    const samples = heard.playback.mix(sum);
    if (this.#current !== heard && this.#current?.playback.sounding && samples < FRAME_SAMPLES) {
      heard = this.#current;
      heard.playback.mix(sum, samples);
    }
    if (heard === this.#current) this.#report.progress(heard.track, heard.playback);
  }

  /** Idempotent. */
  close(): void {
    this.stop();
    for (const fading of this.#fading) fading.close();
    this.#fading = [];
  }

  async #open({ track, source, gain }: Omit<Opened, "playback">, positionMs: number): Promise<Opened> {
    const { clock, log, ffmpeg, rubberband, onReady, network } = this.#options;
    const playback: Playback = await Playback.open({
      ...{ track, source, positionMs, clock, log, onReady, idleMs: IDLE_MS, paused: true, gain },
      network,
      program: await ffmpeg(),
      filters: this.#filters,
      rubberband: this.#filters.pitch !== 0 && (await rubberband()),
      onEnd: (end) => this.#onEnd(playback, end),
      onNote: (note) => this.#report.note(track, note),
    });
    return { playback, track, source, gain };
  }

  /** Lets what comes take its place, if it is time. */
  #changeOver(): void {
    const coming = this.#coming;
    if (!coming) return;
    const old = this.#current?.playback;
    const waits = old?.sounding && coming.waitsFrames-- > 0;
    if (coming.what === "filters") {
      const isThere = coming.playback.skipTo(old?.positionMs ?? 0);
      if (waits && !(isThere && coming.playback.ready)) return;
    } else if (waits && !coming.paused && !coming.playback.ready) return;
    this.#handOver(coming);
  }

  #handOver(coming: Coming): void {
    this.#coming = null;
    const old = this.#current;
    if (coming.what === "track") {
      this.#leave("replaced");
      this.#take(coming);
      if (!coming.paused) coming.playback.resume();
    } else if (old) {
      this.#fadeAway(old.playback);
      this.#current = coming;
      if (!old.playback.isHeld) coming.playback.resume();
    } else coming.playback.close();
  }

  /** Another track that comes is what is on from now on, whether or not it has sound. */
  #settle(): void {
    if (this.#coming?.what === "track") this.#handOver(this.#coming);
  }

  #take(opened: Opened): void {
    this.#current = opened;
    this.#report.begin();
  }

  #onEnd(playback: Playback, end: PlaybackEnd): void {
    if (this.#next?.playback === playback) this.#next = null;
    if (this.#coming?.playback === playback) {
      // Without sound at the new place, or with other filters: then it goes on as it was.
      if (this.#coming.what === "filters") this.#coming = null;
      else this.#settle();
    }
    if (this.#current?.playback !== playback) return;
    const follows = end.reason === "finished" && this.#coming?.what !== "track" ? this.#next : null;
    this.#ended(end.reason, end, follows);
    if (this.#coming?.what === "filters") this.#dropComing();
    if (follows) {
      this.#next = null;
      this.#take(follows);
      // Whoever has paused in the last moment of the one before has paused this one.
      if (!playback.isHeld) follows.playback.follow();
    }
    this.#changeOver();
  }

  #dropNext(): void {
    this.#next?.playback.close();
    this.#next = null;
  }

  #dropComing(): void {
    const coming = this.#coming;
    this.#coming = null;
    coming?.playback.close();
  }

  #leave(reason: "replaced" | "stopped"): void {
    if (!this.#current) return;
    this.#fadeAway(this.#current.playback);
    this.#ended(reason);
  }

  #fadeAway(playback: Playback): void {
    if (playback.fadeAway()) this.#fading.push(playback);
    while (this.#fading.length > MAX_FADING) this.#fading.shift()?.close();
  }

  #ended(reason: TrackEnd, end: Partial<PlaybackEnd> = {}, follows: Opened | null = null): void {
    const current = this.#current;
    if (!current) return;
    this.#current = null;
    this.#report.ended(current.playback, reason, end, follows?.track ?? null);
  }
}

const isSameFile = (a: TrackSource, b: TrackSource): boolean =>
  "path" in a && "path" in b && a.path === b.path;

const gainOf = (source: TrackSource, level: TrackLevel): TrackGain =>
  new TrackGain(level, "stream" in source);
