import type { Measured } from "../../base/loudness.ts";

/** What ReplayGain 2 brings tracks to, and what R128_TRACK_GAIN does (RFC 7845 section 5.2.1), in LUFS. */
const REPLAYGAIN_LUFS = -18;
const R128_LUFS = -23;
/** A tag that claims more is damaged, or meant to hurt. */
const MAX_TAG_DB = 51;

/** What a meter said: null where it heard nothing. */
export interface MeterResult {
  lufs: number | null;
  truePeakDb: number | null;
}

/** Picks out of what ffmpeg says how loud its input is: by its tags, and by the summary of its filter `ebur128`. */
export class LevelDigest {
  #gainLufs: number | null = null;
  #r128Lufs: number | null = null;
  #peakDb: number | null = null;
  #inSummary = false;
  #lufs: number | null = null;
  #truePeakDb: number | null = null;
  #decodedMs: number | null = null;
  #usedMs: number | null = null;

  /** By the input's own tags (R128_TRACK_GAIN before ReplayGain); null when they say nothing. */
  get tagged(): Measured | null {
    const lufs = this.#r128Lufs ?? this.#gainLufs;
    return lufs === null ? null : { lufs, truePeakDb: this.#peakDb };
  }

  /** Null until the meter has said it. */
  get measured(): MeterResult | null {
    return this.#inSummary ? { lufs: this.#lufs, truePeakDb: this.#truePeakDb } : null;
  }

  /** Of the output when all is over, in ms. */
  get decodedMs(): number | null {
    return this.#decodedMs;
  }

  /** Of the processor, where it was asked to tell (`-benchmark`). */
  get usedMs(): number | null {
    return this.#usedMs;
  }

  /** One line without what is before its text. */
  line(text: string): void {
    if (/^ *Summary:$/.test(text)) {
      this.#inSummary = true;
      return;
    }
    if (this.#inSummary) this.#summary(text);
    const tag = /^ *(replaygain_track_gain|replaygain_track_peak|r128_track_gain) *: *(.{1,40})$/i.exec(text);
    if (tag) this.#tag(tag[1]!.toLowerCase(), tag[2]!);
    const time = /^(?:size|frame)=.* time=(\d+):(\d\d):(\d\d\.\d+)/.exec(text);
    if (time)
      this.#decodedMs = Math.round(((Number(time[1]) * 60 + Number(time[2])) * 60 + Number(time[3])) * 1000);
    const used = /^bench: utime=(\d+\.\d+)s stime=(\d+\.\d+)s/.exec(text);
    if (used) this.#usedMs = Math.round((Number(used[1]) + Number(used[2])) * 1000);
  }

  #summary(text: string): void {
    const found = /^ +(I|Peak): +(-?\d+(?:\.\d+)?|-inf|nan) (?:LUFS|dBFS)$/.exec(text);
    if (!found) return;
    const value = Number(found[2]);
    if (found[1] === "I") this.#lufs = Number.isFinite(value) ? value : null;
    else this.#truePeakDb = Number.isFinite(value) ? value : null;
  }

  /** Of equal tags the first counts: those of the input come before those of what is made of it. */
  #tag(name: string, text: string): void {
    if (name === "r128_track_gain") {
      // In 256ths of a dB.
      const gainDb = /^-?\d{1,6}$/.test(text.trim()) ? Number(text) / 256 : null;
      if (gainDb !== null && Math.abs(gainDb) <= MAX_TAG_DB) this.#r128Lufs ??= R128_LUFS - gainDb;
      return;
    }
    const value = /^([+-]?\d{1,6}(?:\.\d{1,12})?)(?: *dB)?$/i.exec(text.trim())?.[1];
    if (value === undefined) return;
    if (name === "replaygain_track_peak") {
      if (Number(value) > 0 && Number(value) < 10) this.#peakDb ??= 20 * Math.log10(Number(value));
    } else if (Math.abs(Number(value)) <= MAX_TAG_DB) this.#gainLufs ??= REPLAYGAIN_LUFS - Number(value);
  }
}
