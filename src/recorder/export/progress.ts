import type { ExportFormat } from "../exporter.ts";

/** Of the whole. */
const PLANNING = 10;
const ZIP = 3;
/** Telling costs a message; who hears nothing for two minutes takes the export for dead, however long it is. */
const EVERY_PERCENT = 0.05;

/** How far an export is, in percent, never going back. */
export class Progress {
  readonly #tell: (percent: number) => void;
  #told = -1;
  #samples = 1;
  /** Work in samples of one track, decoded. */
  #total = 1;
  #done = 0;
  #weight = 1;
  #tracks = 0;
  #tracksDone = 0;
  #mixWeight = 1;
  #zipped = 0;

  constructor(tell: (percent: number) => void) {
    this.#tell = tell;
  }

  /** @param part of the first reading, 0 to 1 */
  planning(part: number): void {
    this.#report(PLANNING * part);
  }

  /** What is to be done is known. */
  begin(work: { tracks: number; samples: number; format: ExportFormat; mixes: number }): void {
    this.#samples = work.samples;
    this.#tracks = work.tracks;
    // Packets as they came cost a tenth of what decoding does; an encoder about as much as two tracks.
    this.#weight = work.format === "opus" ? 0.1 : 1;
    this.#mixWeight = work.tracks + 2 * work.mixes;
    this.#total = Math.max(1, work.samples * (work.tracks * this.#weight + this.#mixWeight));
  }

  /** So many samples more of the track. */
  track(samples: number): void {
    this.#done += samples * this.#weight;
    this.#made();
  }

  /** A track is there, made now or before. */
  trackDone(): void {
    this.#tracksDone = Math.min(this.#tracks, this.#tracksDone + 1);
    this.#done = this.#tracksDone * this.#samples * this.#weight;
    this.#made();
  }

  mix(samples: number): void {
    this.#done += samples * this.#mixWeight;
    this.#made();
  }

  /** @param part of the files that are in the zip, more */
  zip(part: number): void {
    this.#zipped += part;
    this.#report(100 - ZIP + ZIP * Math.min(1, this.#zipped));
  }

  #made(): void {
    this.#report(PLANNING + (100 - PLANNING - ZIP) * Math.min(1, this.#done / this.#total));
  }

  #report(percent: number): void {
    if (percent < this.#told + EVERY_PERCENT) return;
    this.#told = percent;
    this.#tell(percent);
  }
}
