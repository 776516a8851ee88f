import { GRID, isStereo, silence } from "../opus.ts";
import type { AlignedPacket } from "./types.ts";

export interface PlacerStats {
  packets: number;
  /** Samples filled with silence between packets. */
  filledSamples: number;
  firstSample: number | null;
  /** Whole frames put in or left out to stay in step: where it was quiet, and where it could not be helped. */
  corrections: { quiet: number; loud: number };
  /** How far packets are from their exact place: of one of a hundred more than `p99Ms`. */
  residue: { maxMs: number; p99Ms: number };
}

/** Apart by this much, it is corrected: where it is quiet soon, elsewhere only when it must be. */
const QUIET = 5 * 48;
const LOUD = 12 * 48;
/** A packet of over 20 ms costs more to leave out. */
const LOUD_LONG = 16 * 48;
const FRAME = 960;
/** At most this loud is a pause, dBov; and a packet of at most these bytes says so itself (DTX). */
const PAUSE_DBOV = -45;
const PAUSE_BYTES = 8;
const HISTOGRAM_MS = 0.25;
const HISTOGRAM = 400;

/**
 * Makes one stream of Opus packets without holes, from sample 0 on, of packets at their exact places. Packets stay as they are: what
 * is missing is silence of whole frames, and where a clock drifts, frames of silence come in or a packet is left out. Positions
 * are exact to 1.25 ms behind silence, within 12 ms in sound without any pause (16 ms with packets of over 20 ms).
 */
export class FramePlacer {
  readonly #emit: (packet: Uint8Array, samples: number) => void;
  readonly #end: number;
  readonly #histogram = new Uint32Array(HISTOGRAM + 1);
  #packets = 0;
  #filled = 0;
  #first: number | null = null;
  #max = 0;
  readonly #corrections = { quiet: 0, loud: 0 };
  #cursor = 0;
  #stereo = false;
  #anyStereo = false;

  /** @param end samples of the recording: nothing is placed at or behind it */
  constructor({ end, emit }: { end: number; emit: (packet: Uint8Array, samples: number) => void }) {
    this.#end = end;
    this.#emit = emit;
  }

  get channels(): 1 | 2 {
    return this.#anyStereo ? 2 : 1;
  }

  get stats(): PlacerStats {
    return {
      ...{ packets: this.#packets, filledSamples: this.#filled, firstSample: this.#first },
      corrections: { ...this.#corrections },
      residue: { maxMs: this.#max / 48, p99Ms: this.#p99() },
    };
  }

  /** In the order of the timeline. */
  push(packet: AlignedPacket): void {
    const { payload, samples, startSample, contiguous } = packet;
    const quiet =
      (packet.levelDbov !== null && packet.levelDbov <= PAUSE_DBOV) || payload.length <= PAUSE_BYTES;
    const limit = quiet ? QUIET : samples > FRAME ? LOUD_LONG : LOUD;
    const early = startSample - this.#cursor;
    if (-early >= limit) {
      this.#corrections[quiet ? "quiet" : "loud"]++;
      return;
    }
    if (!contiguous || this.#first === null) this.#fill(early);
    else if (early >= limit) {
      this.#corrections[quiet ? "quiet" : "loud"]++;
      // In sound one whole frame, so that it is not soon needed again.
      this.#fill(quiet ? early : Math.max(early, FRAME));
    }
    if (this.#cursor >= this.#end) return;
    this.#stereo = isStereo(payload);
    this.#anyStereo ||= this.#stereo;
    this.#packets++;
    this.#first ??= this.#cursor;
    this.#note(Math.abs(this.#cursor - startSample));
    this.#emit(payload, samples);
    this.#cursor += samples;
  }

  /** Fills with silence up to `samples` at least. */
  finish(samples: number): void {
    const missing = Math.ceil((samples - this.#cursor) / GRID) * GRID;
    if (missing > 0) this.#silence(missing);
  }

  #fill(samples: number): void {
    const whole = Math.min(Math.round(samples / GRID), Math.ceil((this.#end - this.#cursor) / GRID)) * GRID;
    if (whole <= 0) return;
    if (this.#first !== null) this.#filled += whole;
    this.#silence(whole);
  }

  #silence(samples: number): void {
    for (const { packet, samples: length } of silence(samples, this.#stereo)) this.#emit(packet, length);
    this.#cursor += samples;
  }

  #note(residue: number): void {
    this.#max = Math.max(this.#max, residue);
    const bin = Math.min(HISTOGRAM, Math.floor(residue / 48 / HISTOGRAM_MS));
    this.#histogram[bin]!++;
  }

  #p99(): number {
    let left = this.#packets * 0.01;
    for (let bin = HISTOGRAM; bin >= 0; bin--) {
      left -= this.#histogram[bin]!;
      if (left < 0) return Math.min(this.#max / 48, (bin + 1) * HISTOGRAM_MS);
    }
    return 0;
  }
}
