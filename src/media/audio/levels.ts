import type { Clock, Timer } from "../../base/clock.ts";

export interface SpeakerLevel {
  speaker: string;
  /** 0 (loudest) to -127 (silence), RFC 6464. */
  levelDbov: number;
}

const REPORT_MS = 500;
/** Quieter than this is a room, not a voice. */
export const SOUNDING_DBOV = -70;

/**
 * The loudest level of each speaker since the last report, twice a second and only while somebody sounds; then once more
 * with nobody in it. No timer runs in silence.
 */
export class LevelMeter {
  readonly #clock: Clock;
  readonly #report: (speakers: SpeakerLevel[]) => void;
  readonly #loudest = new Map<string, number>();
  #timer: Timer | null = null;

  constructor(clock: Clock, report: (speakers: SpeakerLevel[]) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  add(speaker: string, levelDbov: number): void {
    if (levelDbov < SOUNDING_DBOV) return;
    if (levelDbov > (this.#loudest.get(speaker) ?? -128)) this.#loudest.set(speaker, levelDbov);
    this.#timer ??= this.#clock.timer(REPORT_MS, () => this.#tick());
  }

  forget(speaker: string): void {
    this.#loudest.delete(speaker);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#loudest.clear();
  }

  #tick(): void {
    const speakers = [...this.#loudest].map(([speaker, levelDbov]) => ({ speaker, levelDbov }));
    this.#loudest.clear();
    this.#timer = speakers.length > 0 ? this.#clock.timer(REPORT_MS, () => this.#tick()) : null;
    this.#report(speakers);
  }
}
