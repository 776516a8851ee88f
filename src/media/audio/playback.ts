import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { NO_FILTERS, type Filters } from "../filters.ts";
import type { TrackSource } from "../messages.ts";
import type { StreamFetch } from "../stream/stream-fetch.ts";
import type { StreamNote } from "../stream/stream-source.ts";
import { soundFilters } from "./filter-chain.ts";
import { Intake } from "./intake.ts";
import { FADE_SAMPLES, mixInto, Ramp, SEAM_SAMPLES } from "./mixer.ts";
import { CHANNELS, FRAME_SAMPLES, FRAME_VALUES, msToSamples, samplesToMs } from "./pcm.ts";
import { judge } from "./playback-end.ts";
import type { PlaybackEnd } from "./playback-end.ts";
import { openSource } from "./source.ts";
import type { PcmSource, SourceEnd } from "./source.ts";
import type { TrackGain } from "./track-gain.ts";

/*
 * One track being played.
 *
 *             first 60 ms here                    pause()
 *   opening ──────────────────► sounding ◄───────────────────► paused
 *      │                         │    ▲     resume()             │
 *      │                    ring │    │ 60 ms                    │
 *      │                   empty ▼    │ here again               │
 *      │                        starving                         │
 *      └──────────── source ended, or ring played out ───────────┴──► ended (once)
 *
 * It consumes sound only while `sounding`, by the frame clock of its channel; the ring is filled meanwhile and ffmpeg
 * blocks on its pipe when the ring is full, so a pause of hours costs nothing. One that begins `paused` is opened ahead:
 * `ready` says from when on `resume` sounds at once.
 */
type PlaybackState = "opening" | "sounding" | "starving" | "paused" | "ended";

export interface PlaybackEvents {
  /** There is something to mix: the frame clock must run. */
  onReady(): void;
  /** The track has played out or failed. Called once, never after `close` or `fadeAway`. */
  onEnd(end: PlaybackEnd): void;
  /** Of a stream: what is on, and that nothing comes. */
  onNote?: (note: StreamNote) => void;
}

export interface PlaybackOptions extends PlaybackEvents {
  track: string;
  positionMs: number;
  paused: boolean;
  program: string;
  source: TrackSource;
  clock: Clock;
  log: Log;
  /** A source that gives nothing for this long has failed. */
  idleMs: number;
  /** For streams. */
  network?: StreamFetch;
  /** Default none. */
  filters?: Filters;
  /** Whether the program has the filter `rubberband`; default not. */
  rubberband?: boolean;
  /** Default: as loud as it was made. */
  gain?: TrackGain;
}

/** What must be there before it sounds, at the start and after an underrun. */
const START_SAMPLES = msToSamples(60);
/** What must be there before it takes the place of what sounds meanwhile: a decoder gives it in one go. */
const READY_SAMPLES = msToSamples(200);
/** What a stream must have once it was too slow: nobody wants to hear it in shreds. */
const AGAIN_SAMPLES = msToSamples(500);
/**
 * So much before the position it is decoded, unheard: after a jump the first frames of an mp3 are silent (their data are in
 * those before, up to 200 ms), and filters have to settle.
 */
const PREROLL_MS = 500;

export class Playback {
  readonly track: string;
  readonly #options: PlaybackOptions;
  readonly #intake: Intake;
  readonly #fade = new Ramp(0);
  readonly #frame = new Float32Array(FRAME_VALUES);
  readonly #speed: number;
  /** Amplitude: what the filters turned down, so that nothing is cut off in 16 bits. */
  readonly #makeup: number;
  #levels: PcmSource["levels"];
  #state: PlaybackState = "opening";
  #wanted: "sounding" | "paused";
  #sourceEnd: SourceEnd | null = null;
  #ending = false;
  #consumed = 0;
  #skipped = 0;
  #attack = FADE_SAMPLES;
  #underruns = 0;
  #leaving = false;
  /** Whether another track follows in the same moment in which this one has played out. */
  isFollowed = false;

  private constructor(options: PlaybackOptions, prerollMs: number, makeupDb: number) {
    this.#options = options;
    this.track = options.track;
    const { speed } = filtersFor(options);
    this.#speed = speed;
    this.#intake = new Intake(msToSamples(prerollMs / speed));
    this.#makeup = 10 ** (makeupDb / 20);
    this.#wanted = options.paused ? "paused" : "sounding";
  }

  /** Opens the source and starts decoding it. @throws BotError `media_unreadable` */
  static async open(options: PlaybackOptions): Promise<Playback> {
    const { args, makeupDb } = soundFilters(filtersFor(options), options.rubberband === true);
    const prerollMs = "path" in options.source ? Math.min(PREROLL_MS, options.positionMs) : 0;
    const playback = new Playback(options, prerollMs, makeupDb);
    const { track, program, clock, log, idleMs, network, onNote } = options;
    const source = await openSource(options.source, {
      ...{ track, program, clock, log, idleMs, filters: args },
      positionMs: options.positionMs - prerollMs,
      onData: (chunk) => playback.#take(chunk),
      onEnd: (end) => playback.#sourceEnded(end),
      ...(network && { network }),
      ...(onNote && { onNote }),
    });
    playback.#intake.begin(source);
    playback.#levels = source.levels;
    return playback;
  }

  /** Position in the track, as it was made, of what was handed out last; in ms. */
  get positionMs(): number {
    return this.#options.positionMs + samplesToMs(this.#consumed + this.#skipped) * this.#speed;
  }

  /** Whether all of it is decoded: less than two seconds are left. */
  get decoded(): boolean {
    return this.#sourceEnd !== null;
  }

  /** Whether it was opened `paused` and has enough to take over from something else. */
  get ready(): boolean {
    return this.#state === "paused" && (this.decoded || this.#intake.available >= READY_SAMPLES);
  }

  /** Whether it is to be silent. */
  get isHeld(): boolean {
    return this.#wanted === "paused";
  }

  /** Times the source was too slow. */
  get underruns(): number {
    return this.#underruns;
  }

  /** Whether any sound was handed out. */
  get begun(): boolean {
    return this.#consumed > 0;
  }

  /** Whether the frame clock has anything to take from it now. */
  get sounding(): boolean {
    return this.#state === "sounding";
  }

  pause(): void {
    this.#wanted = "paused";
    if (this.#state === "sounding") this.#fade.to(0, FADE_SAMPLES);
    else if (this.#state === "starving") this.#rest();
  }

  resume(): void {
    this.#wanted = "sounding";
    if (this.#state === "sounding") {
      this.#ending = false;
      this.#fade.to(1, FADE_SAMPLES);
    } else if (this.#state === "paused") {
      this.#state = this.begun ? "starving" : "opening";
      this.#intake.reopen();
      this.#tryStart();
    }
  }

  /** Fades out and then is done, without `onEnd`. Returns whether there is anything to fade; if not, it is closed. */
  fadeAway(): boolean {
    if (this.#state !== "sounding" || this.#fade.value === 0) {
      this.close();
      return false;
    }
    this.#leaving = true;
    this.#fade.to(0, FADE_SAMPLES);
    return true;
  }

  /** Sounds as what follows another track does: from its first sample on that is one. */
  follow(): void {
    this.#skipped += this.#intake.dropLeadIn();
    this.#attack = SEAM_SAMPLES;
    this.resume();
  }

  /** Leaves out what is here and comes before `positionMs`, unheard. Returns whether it is there now, neither behind nor ahead. */
  skipTo(positionMs: number): boolean {
    const missing = Math.round(msToSamples(positionMs - this.positionMs) / this.#speed);
    this.#skipped += this.#intake.drop(missing);
    return missing >= 0 && this.#intake.available > 0;
  }

  /** Adds what is next to `sum`, if it sounds, from its sample `at` on. Returns how many samples there were. */
  mix(sum: Float32Array, at = 0): number {
    if (this.#state !== "sounding") return 0;
    const { available } = this.#intake;
    if (this.#sourceEnd) this.#prepareEnd(available);
    else if (available < 2 * FRAME_SAMPLES && this.#fade.target > 0) this.#fade.to(0, FRAME_SAMPLES - 1);
    const samples = this.#intake.read(this.#frame, FRAME_SAMPLES - at);
    this.#consumed += samples;
    this.#options.gain?.applyTo(this.#frame, samples, () => this.#levels?.tagged ?? null);
    this.#fade.applyTo(this.#frame, samples);
    if (this.#makeup !== 1) for (let i = 0; i < samples * CHANNELS; i++) this.#frame[i]! *= this.#makeup;
    mixInto(sum, this.#frame, samples, at);
    this.#afterFrame();
    return samples;
  }

  close(): void {
    this.#state = "ended";
    this.#intake.close();
  }

  /** The last 30 ms fade, or 5 before what follows, wherever in a frame they begin. */
  #prepareEnd(available: number): void {
    const fade = this.isFollowed ? SEAM_SAMPLES : FADE_SAMPLES;
    if (this.#ending || this.#fade.target === 0 || available > FRAME_SAMPLES + fade) return;
    this.#ending = true;
    const samples = Math.min(available, fade);
    this.#fade.to(0, samples, available - samples);
  }

  #afterFrame(): void {
    if (this.#state !== "sounding") return;
    const silent = this.#fade.settled && this.#fade.value === 0;
    if (this.#leaving) {
      if (silent || this.#intake.available === 0) this.close();
    } else if (this.#sourceEnd && this.#intake.available === 0) {
      this.#end(this.#sourceEnd);
    } else if (silent && this.#wanted === "paused") {
      this.#rest();
    } else if ((silent && !this.#ending) || (this.#intake.available < FRAME_SAMPLES && !this.#sourceEnd)) {
      this.#underruns++;
      this.#state = "starving";
      this.#tryStart();
    }
  }

  /** Paused in the middle. */
  #rest(): void {
    this.#state = "paused";
    this.#intake.rest();
  }

  #take(chunk: Buffer): void {
    if (this.#state === "ended") return;
    this.#intake.take(chunk);
    this.#tryStart();
  }

  get #hasStart(): boolean {
    const { available } = this.#intake;
    const isSlow = "stream" in this.#options.source && this.begun;
    return (
      available >= (isSlow ? AGAIN_SAMPLES : START_SAMPLES) || (this.#sourceEnd !== null && available > 0)
    );
  }

  #tryStart(): void {
    if (this.#state !== "opening" && this.#state !== "starving") return;
    if (!this.#hasStart) return;
    if (this.#wanted === "paused") {
      this.#state = "paused";
      return;
    }
    this.#state = "sounding";
    this.#ending = false;
    this.#fade.to(1, this.#attack);
    this.#attack = FADE_SAMPLES;
    this.#options.onReady();
  }

  #sourceEnded(end: SourceEnd): void {
    this.#intake.ended();
    this.#sourceEnd = end;
    if (this.#state === "ended") return;
    if (this.#intake.available === 0 && this.#state !== "sounding") this.#end(end);
    else this.#tryStart();
  }

  #end(end: SourceEnd): void {
    this.#state = "ended";
    this.#options.onEnd(judge(end, this.#options.positionMs, this.positionMs));
  }
}

/** What comes in its own time cannot be played faster than it comes. */
const filtersFor = ({ source, filters = NO_FILTERS }: PlaybackOptions): Filters =>
  "stream" in source ? { ...filters, speed: NO_FILTERS.speed } : filters;
