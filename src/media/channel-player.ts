import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { PlaneEvent, PlaneRequest, TrackEnd } from "./messages.ts";
import { Announcer } from "./announcer.ts";
import { Limiter, GLIDE_SAMPLES, Ramp } from "./audio/mixer.ts";
import { FRAME_SAMPLES, FRAME_VALUES, msToSamples } from "./audio/pcm.ts";
import { Playback } from "./audio/playback.ts";

export interface ChannelPlayerOptions {
  channel: string;
  clock: Clock;
  log: Log;
  ffmpeg: () => Promise<string>;
  emit: (event: PlaneEvent) => void;
  /** There is sound to take: the frame clock must run. */
  onReady: () => void;
}

export type PlayStart = Extract<PlaneRequest, { kind: "play.start" }>;

/** Tracks that still fade out; beyond this the oldest is cut. */
const MAX_FADING = 4;
const IDLE_MS = 10_000;
const POSITION_EVERY_FRAMES = 50;
/** What plays while an announcement is heard: -12 dB, gone there and back without a step. */
const DUCKED = 10 ** (-12 / 20);
const DUCK_SAMPLES = msToSamples(150);
const UNDUCK_SAMPLES = msToSamples(600);

/**
 * What a channel plays: one track, for 30 ms those that it replaced, and announcements over it, whose level the volume
 * does not change. Mixed to one frame at a time.
 */
export class ChannelPlayer {
  readonly #options: ChannelPlayerOptions;
  readonly #gain = new Ramp(1);
  readonly #duck = new Ramp(1);
  readonly #announcer: Announcer;
  readonly #limiter = new Limiter();
  readonly #sum = new Float32Array(FRAME_VALUES);
  #current: Playback | null = null;
  #fading: Playback[] = [];
  #announced = false;
  #sincePosition = 0;

  constructor(options: ChannelPlayerOptions) {
    this.#options = options;
    this.#announcer = new Announcer(options);
  }

  /** @throws BotError `media_unreadable`, `ffmpeg_missing`, `queue_full` */
  announce(file: string): Promise<void> {
    return this.#announcer.play(file);
  }

  /** @throws BotError `media_unreadable`, `ffmpeg_missing`; what played before goes on then. */
  async start(request: PlayStart): Promise<void> {
    const { clock, log, ffmpeg, onReady } = this.#options;
    const playback: Playback = await Playback.open({
      track: request.track,
      positionMs: request.positionMs,
      paused: request.paused,
      program: await ffmpeg(),
      source: request.source,
      clock,
      log,
      idleMs: IDLE_MS,
      onReady,
      onEnd: (end) => {
        if (this.#current === playback) this.#ended(end.reason, end.detail);
      },
    });
    this.#leave("replaced");
    this.#current = playback;
    this.#announced = false;
    this.#sincePosition = 0;
  }

  pause(): void {
    this.#current?.pause();
  }

  resume(): void {
    this.#current?.resume();
  }

  stop(): void {
    this.#leave("stopped");
  }

  volume(percent: number): void {
    // Where nobody hears it there is nothing to glide.
    this.#gain.to(percent / 100, this.#current?.sounding ? GLIDE_SAMPLES : 0);
  }

  /** Mixes the next frame into `out`, and says what is in it: of both it is music. */
  mix(out: Int16Array): "silence" | "announcement" | "music" {
    const current = this.#current?.sounding ? this.#current : null;
    const music = current !== null || this.#fading.length > 0;
    this.#turnDown(music);
    if (!music && !this.#announcer.sounding) {
      out.fill(0);
      return "silence";
    }
    this.#sum.fill(0);
    // Voices of one frame share the channel's gain: it moves once a frame, whatever their number.
    for (const fading of this.#fading) fading.mix(this.#sum);
    current?.mix(this.#sum);
    this.#gain.applyTo(this.#sum, FRAME_SAMPLES);
    this.#duck.applyTo(this.#sum, FRAME_SAMPLES);
    this.#announcer.mix(this.#sum);
    this.#fading = this.#fading.filter((fading) => fading.sounding);
    this.#limiter.apply(this.#sum, out);
    if (current && current === this.#current) this.#progress(current);
    return music ? "music" : "announcement";
  }

  close(): void {
    this.#leave("stopped");
    for (const fading of this.#fading) fading.close();
    this.#fading = [];
    this.#announcer.close();
  }

  /** Before a frame: the music's level beside an announcement. Where nothing is heard there is nothing to glide. */
  #turnDown(music: boolean): void {
    const target = this.#announcer.speaking ? DUCKED : 1;
    if (target === this.#duck.target) return;
    const samples = target < 1 ? DUCK_SAMPLES : UNDUCK_SAMPLES;
    this.#duck.to(target, music ? samples : 0);
  }

  #progress(current: Playback): void {
    const { channel, emit } = this.#options;
    if (!this.#announced) {
      this.#announced = true;
      emit({ kind: "track.started", channel, track: current.track });
    }
    if (++this.#sincePosition < POSITION_EVERY_FRAMES) return;
    this.#sincePosition = 0;
    emit({ kind: "track.position", channel, track: current.track, positionMs: current.positionMs });
  }

  #leave(reason: "replaced" | "stopped"): void {
    const playback = this.#current;
    if (!playback) return;
    if (playback.fadeAway()) this.#fading.push(playback);
    while (this.#fading.length > MAX_FADING) this.#fading.shift()?.close();
    this.#ended(reason, null);
  }

  #ended(reason: TrackEnd, detail: string | null): void {
    const playback = this.#current;
    if (!playback) return;
    this.#current = null;
    const { channel, emit, log } = this.#options;
    const { track, positionMs, underruns } = playback;
    if (underruns > 0) log.warn("track_underrun", { channel, track, underruns });
    // A track of less than a frame began and ended in the same one.
    if (playback.begun && !this.#announced) emit({ kind: "track.started", channel, track });
    emit({
      kind: "track.ended",
      channel,
      track,
      reason,
      positionMs,
      detail: detail === null ? null : detail.slice(0, 500),
    });
  }
}
