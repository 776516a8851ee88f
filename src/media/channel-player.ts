import { amplitude } from "../base/loudness.ts";
import { Announcer } from "./announcer.ts";
import { Limiter } from "./audio/limiter.ts";
import { GLIDE_SAMPLES, Ramp } from "./audio/mixer.ts";
import { FRAME_SAMPLES, FRAME_VALUES, msToSamples } from "./audio/pcm.ts";
import { Deck, type DeckOptions } from "./deck.ts";

/** What plays while an announcement is heard: -12 dB, gone there and back without a step. */
const DUCKED = 10 ** (-12 / 20);
const DUCK_SAMPLES = msToSamples(150);
const UNDUCK_SAMPLES = msToSamples(600);

/**
 * What a channel plays: one track, for 30 ms those that it replaced, and announcements over it, whose level the volume
 * does not change. Mixed to one frame at a time.
 */
export class ChannelPlayer {
  readonly #gain = new Ramp(1);
  readonly #duck = new Ramp(1);
  /** Amplitude beside voices. */
  #voices = 1;
  readonly #deck: Deck;
  readonly #announcer: Announcer;
  readonly #limiter = new Limiter();
  readonly #sum = new Float32Array(FRAME_VALUES);

  constructor(options: DeckOptions) {
    this.#deck = new Deck(options);
    this.#announcer = new Announcer(options);
  }

  /** @throws BotError `media_unreadable`, `ffmpeg_missing`, `queue_full` */
  announce(file: string): Promise<void> {
    return this.#announcer.play(file);
  }

  /** The track that is on, what follows it, and how they sound. */
  get deck(): Deck {
    return this.#deck;
  }

  volume(percent: number): void {
    // Where nobody hears it there is nothing to glide.
    this.#gain.to(percent / 100, this.#deck.sounding ? GLIDE_SAMPLES : 0);
  }

  /** From the next frame on the music is so much quieter, because somebody speaks; it glides. In dB; 0: as loud as ever. */
  turnDownBy(db: number): void {
    this.#voices = amplitude(-db);
  }

  /** What was mixed last, before the limiter: one frame. */
  get unlimited(): Float32Array {
    return this.#sum;
  }

  /** Mixes the next frame into `out`, and says what is in it: of both it is music. */
  mix(out: Int16Array): "silence" | "announcement" | "music" {
    const music = this.#deck.prepare();
    this.#turnDown(music);
    this.#sum.fill(0);
    if (!music && !this.#announcer.sounding) {
      // The limiter hands out what it still has: the last two milliseconds.
      if (this.#limiter.empty) out.fill(0);
      else this.#limiter.apply(this.#sum, out);
      return "silence";
    }
    // Voices of one frame share the channel's gain: it moves once a frame, whatever their number.
    this.#deck.mix(this.#sum);
    this.#gain.applyTo(this.#sum, FRAME_SAMPLES);
    this.#duck.applyTo(this.#sum, FRAME_SAMPLES);
    this.#announcer.mix(this.#sum);
    this.#limiter.apply(this.#sum, out);
    return music ? "music" : "announcement";
  }

  close(): void {
    this.#deck.close();
    this.#announcer.close();
  }

  /** Before a frame: the music's level beside an announcement or a voice. Where nothing is heard there is nothing to glide. */
  #turnDown(music: boolean): void {
    const target = Math.min(this.#announcer.speaking ? DUCKED : 1, this.#voices);
    if (target === this.#duck.target) return;
    const samples = target < this.#duck.target ? DUCK_SAMPLES : UNDUCK_SAMPLES;
    this.#duck.to(target, music ? samples : 0);
  }
}
