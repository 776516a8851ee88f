import { LevelDigest } from "./level-digest.ts";

const MAX_LINE = 1_000;
const MAX_REASON = 300;

/**
 * Reads what ffmpeg says on standard error (`-loglevel level+info`) as it comes and keeps only what matters: the length
 * and codec of the input, and the last complaint that says something. Bounded, whatever it says.
 */
export class StderrDigest {
  #partial = "";
  #skipping = false;
  #guessed = false;
  #durationMs: number | null = null;
  #codec: string | null = null;
  #specific: string | null = null;
  #general: string | null = null;
  /** What it says about how loud the input is. */
  readonly levels = new LevelDigest();

  add(chunk: Uint8Array): void {
    const lines = (this.#partial + Buffer.from(chunk).toString("utf8")).split(/[\r\n]+/);
    this.#partial = lines.pop() ?? "";
    for (const line of lines) {
      if (!this.#skipping) this.#line(line);
      this.#skipping = false;
    }
    if (this.#partial.length > MAX_LINE) {
      if (!this.#skipping) this.#line(this.#partial);
      this.#partial = "";
      this.#skipping = true;
    }
  }

  /** Null when there is none (a stream) or ffmpeg guessed it from the bit rate. */
  get announcedMs(): number | null {
    return this.#guessed ? null : this.#durationMs;
  }

  /** As `announcedMs`, guesses included. */
  get durationMs(): number | null {
    return this.#durationMs;
  }

  get codec(): string | null {
    return this.#codec;
  }

  get reason(): string | null {
    return this.#specific ?? this.#general;
  }

  #line(line: string): void {
    const match = /^(?:\[([^\]@]+)@ [^\]]*\] )?\[(\w+)\] ?(.*)$/.exec(line.slice(0, MAX_LINE));
    this.levels.line(match?.[3] ?? line.slice(0, MAX_LINE));
    if (!match) return;
    const [, part, level, text = ""] = match;
    if (level === "info") this.#info(text);
    else if (level === "warning") this.#guessed ||= text.includes("Estimating duration from bitrate");
    else this.#complaint(part?.trim().split(",")[0] ?? null, text.trim());
  }

  #info(text: string): void {
    const duration = /^ *Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?),/.exec(text);
    if (duration && this.#durationMs === null)
      this.#durationMs = Math.round(
        (Number(duration[1]) * 3600 + Number(duration[2]) * 60 + Number(duration[3])) * 1000,
      );
    const stream = /^ *Stream #\d+:\d+.*?: Audio: ([\w-]+)/.exec(text);
    if (stream?.[1]) this.#codec ??= stream[1];
  }

  #complaint(part: string | null, text: string): void {
    // The muxer's opinion on timestamps and the summary of what was said before explain nothing.
    if (text === "" || part === "s16le" || /^(Last message repeated|Conversion failed)/.test(text)) return;
    const own = /^(?:\/proc\/self\/fd\/\d+|pipe:\d*): (.*)$/.exec(text);
    if (own) {
      this.#general = clean(own[1] ?? "");
      return;
    }
    // Said of covers as well, which nobody misses: only if there is nothing else to say.
    const codec = /^Codec \((\w+)\) not on whitelist/.exec(text);
    if (codec) {
      this.#general ??= `${codec[1]} is not a kind of sound that is played`;
      return;
    }
    const list = /^Format not on whitelist/.exec(text);
    if (list) this.#specific = `${part ?? "this"} is not a format that is played`;
    else this.#specific = clean(text);
  }
}

function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f]/g, "").slice(0, MAX_REASON);
}
