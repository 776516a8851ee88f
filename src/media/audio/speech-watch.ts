/*
 * Whether somebody speaks, by the levels of their packets (RFC 6464, dBov). Pure: levels and times in, yes or no out.
 *
 * - A packet counts when it is louder than a room (-45), than 10 dB over what the speaker's own background is, and than
 *   20 dB under their own voice, as it was lately: so that neither a fan nor a breath is a voice.
 * - So much of it must be together before it is speech: a click or a knock is shorter.
 * - It stays speech for a while after the last of it: between words, and between sentences.
 */

/** Quieter than this is no voice, whoever it is. */
const QUIET_DBOV = -45;
const OVER_BACKGROUND_DB = 10;
const UNDER_VOICE_DB = 20;
/** Of sound that counts, less what did not count in between. */
const ENOUGH_MS = 120;
/** Beyond it there is no more credit: the first packets of a pause take it away. */
const MOST_MS = 200;
const HOLD_MS = 900;
/** The background is found at once where it is lower, and slowly where it is higher: voices pause, fans do not. */
const BACKGROUND_RISE_DB_PER_MS = 0.0025;
/** How soon a voice that has grown quieter is known as that. */
const VOICE_FALL_DB_PER_MS = 0.001;

/** What packets last, if they follow one another. */
const PACKET_MS = { usual: 20, longest: 60 } as const;
const UNITS_PER_MS = 48;

interface Speaker {
  timestamp: number;
  creditMs: number;
  backgroundDbov: number;
  voiceDbov: number;
}

export class SpeechWatch {
  readonly #speakers = new Map<string, Speaker>();
  #untilMs = -Infinity;

  /** A packet of a speaker, with its media time in 48 kHz units. */
  take(speaker: string, levelDbov: number, timestamp: number, nowMs: number): void {
    let known = this.#speakers.get(speaker);
    if (!known) {
      known = { timestamp, creditMs: 0, backgroundDbov: levelDbov, voiceDbov: -Infinity };
      this.#speakers.set(speaker, known);
    }
    const units = (timestamp - known.timestamp) >>> 0;
    // One that was overtaken tells nothing new.
    if (units > 0x7fff_ffff) return;
    known.timestamp = timestamp;
    const sinceMs = units / UNITS_PER_MS;
    const isNext = sinceMs > 0 && sinceMs <= PACKET_MS.longest;
    const durationMs = isNext ? sinceMs : PACKET_MS.usual;
    // Those who send nothing while they are silent.
    if (!isNext) known.creditMs = Math.max(0, known.creditMs - sinceMs);
    const { backgroundDbov, voiceDbov } = known;
    const counts =
      levelDbov > Math.max(QUIET_DBOV, backgroundDbov + OVER_BACKGROUND_DB, voiceDbov - UNDER_VOICE_DB);
    known.backgroundDbov = Math.min(levelDbov, backgroundDbov + BACKGROUND_RISE_DB_PER_MS * durationMs);
    known.voiceDbov = voiceDbov - VOICE_FALL_DB_PER_MS * durationMs;
    known.creditMs = Math.max(0, Math.min(MOST_MS, known.creditMs + (counts ? durationMs : -durationMs)));
    if (known.creditMs < ENOUGH_MS || !counts) return;
    known.voiceDbov = Math.max(known.voiceDbov, levelDbov);
    this.#untilMs = nowMs + HOLD_MS;
  }

  forget(speaker: string): void {
    this.#speakers.delete(speaker);
  }

  /** Whether somebody speaks, or did right before. */
  speaking(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }
}
