import type { AlignedPacket } from "../align/types.ts";
import { PRE_SKIP } from "../ogg-opus.ts";
import { OpusDecoder } from "./decode.ts";
import { HALF_WIDTH, interpolate } from "./sinc.ts";

/** Edges of sound that begins or ends abruptly: 2.5 ms. */
const FADE = 120;
/** Sound that goes on this close to where it ended (0.5 % of a packet of 20 ms) is stretched to meet; else it ends and begins. */
const MEET = 5;
/** Of missing sound, when all of it cannot be concealed: only its beginning, which fades. */
const CONCEALED_MS = 40;
const SAMPLES_PER_MS = 48;
/** Decoded sound of one run that is kept: what waits, one packet with its concealment, and the taps of the filter. */
const SOURCE_SAMPLES = 32_768;
const LONGEST_PACKET = 5_760;

/** A stretch of decoded sound with its place, not yet resampled. */
interface Stretch {
  /** Its first sample in the source. */
  from: number;
  samples: number;
  start: number;
  end: number;
}

/**
 * One track as PCM on the timeline's own samples: decodes packets, moves them to their exact place (with the drift of the
 * sender's clock and fractions of a sample), conceals short losses, fades edges, and is silent where nothing was said. Reads
 * packets only as far as they are needed.
 */
export class TrackRenderer {
  readonly channels: 1 | 2;
  readonly #packets: AsyncIterator<AlignedPacket, void, undefined>;
  readonly #decoder: OpusDecoder;
  readonly #source: Float32Array;
  #sourceEnd = 0;
  /** The run's stretches that were not resampled, at most one but within a packet's concealment. */
  #waiting: Stretch[] = [];
  /** The run has only begun: its first sound is faded in. */
  #begins = true;
  /** Everything of a block, and what reaches into the next. */
  #output: Float32Array;
  #outputFrom = 0;
  #outputUsed = 0;
  /** Before it nothing more comes. */
  #final = 0;
  #ended = false;

  /** @param from the first sample that is read: nothing sounds before it */
  constructor(packets: AsyncIterable<AlignedPacket, void, undefined>, channels: 1 | 2, from = 0) {
    this.channels = channels;
    this.#outputFrom = from;
    this.#packets = packets[Symbol.asyncIterator]();
    this.#decoder = new OpusDecoder(channels);
    this.#source = new Float32Array(SOURCE_SAMPLES * channels);
    this.#output = new Float32Array(0);
  }

  /** Packets that were no Opus. */
  get damaged(): number {
    return this.#decoder.damaged;
  }

  /** There is nothing but silence any more. */
  get over(): boolean {
    return this.#ended && this.#outputUsed === 0;
  }

  /**
   * The next samples of the timeline, interleaved, full scale 1, into all of `block`.
   * @returns whether there is anything but silence
   */
  async read(block: Float32Array): Promise<boolean> {
    const { channels } = this;
    const frames = block.length / channels;
    const to = this.#outputFrom + frames;
    this.#grow(frames + 4 * LONGEST_PACKET);
    while (this.#final < to && !this.#ended) {
      const next = await this.#packets.next();
      if (next.done === true) {
        this.#endRun();
        this.#ended = true;
      } else this.#take(next.value);
    }
    block.set(this.#output.subarray(0, block.length));
    const sounds = this.#outputUsed > 0;
    if (sounds) {
      this.#output.copyWithin(0, block.length);
      this.#output.fill(0, this.#output.length - block.length);
      this.#outputUsed = Math.max(0, this.#outputUsed - frames);
    }
    this.#outputFrom = to;
    return sounds;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#packets.return?.();
    this.#ended = true;
    this.#decoder.close();
  }

  #grow(frames: number): void {
    if (this.#output.length >= frames * this.channels) return;
    const larger = new Float32Array(frames * this.channels);
    larger.set(this.#output);
    this.#output = larger;
  }

  #take(packet: AlignedPacket): void {
    // A decoder gives sound as late as its encoder looked ahead; an Ogg file says so in its head.
    const [start, end] = [packet.startSample - PRE_SKIP, packet.endSample - PRE_SKIP];
    const last = this.#waiting.at(-1);
    if (packet.fresh) {
      this.#endRun();
      this.#decoder.reset();
    } else if (last && start - last.end > MEET) {
      if (packet.lostBefore > 0) this.#conceal(last.end, start, packet.concealable);
      if (start - (this.#waiting.at(-1)?.end ?? last.end) > MEET) this.#endRun();
    }
    const pcm = this.#decoder.decode(packet.payload, packet.samples) ?? this.#decoder.conceal();
    if (pcm) this.#append(pcm, start, end);
    else this.#endRun();
    this.#final = Math.max(this.#final, Math.ceil(this.#waiting[0]?.start ?? end));
  }

  /** Fills what is missing: all of it where it is short, else a little that fades away. */
  #conceal(from: number, to: number, all: boolean): void {
    const length = this.#decoder.concealedSamples;
    if (length === 0) return;
    const frames = Math.max(1, Math.round((to - from) / length));
    // With the sender's drift, so that it meets what comes then.
    const exact = (to - from) / frames;
    const each = all && Math.abs(exact - length) <= MEET ? exact : length;
    const count = all ? frames : Math.min(frames, Math.ceil((CONCEALED_MS * SAMPLES_PER_MS) / length));
    for (let i = 0; i < count && from + (i + 1) * each <= to + MEET; i++) {
      const pcm = this.#decoder.conceal();
      if (!pcm) return;
      this.#append(pcm, from + i * each, from + (i + 1) * each);
    }
  }

  /** Sound that follows what waits, or begins a run. */
  #append(pcm: Int16Array, start: number, end: number): void {
    const { channels } = this;
    const samples = pcm.length / channels;
    const last = this.#waiting.at(-1);
    if (last && (Math.abs(start - last.end) > MEET || end - last.end < samples / 2)) this.#endRun();
    if (this.#waiting.length === 0) {
      // Nothing is before a run: silence for the filter to reach into.
      this.#source.fill(0, 0, HALF_WIDTH * channels);
      this.#sourceEnd = HALF_WIDTH;
    }
    this.#makeRoom(samples + HALF_WIDTH);
    const at = this.#sourceEnd * channels;
    for (let i = 0; i < pcm.length; i++) this.#source[at + i] = pcm[i]! / 32_768;
    const from = this.#sourceEnd;
    this.#sourceEnd += samples;
    this.#waiting.push({ from, samples, start: this.#waiting.at(-1)?.end ?? start, end });
    // The last one waits: its end needs what follows.
    while (this.#waiting.length > 1) this.#resample(this.#waiting.shift()!, false);
  }

  /** Keeps the source from growing: drops what was resampled, but for what the filter reaches back to. */
  #makeRoom(samples: number): void {
    if (this.#sourceEnd + samples <= SOURCE_SAMPLES) return;
    const first = this.#waiting[0];
    const drop = (first?.from ?? this.#sourceEnd) - HALF_WIDTH;
    this.#source.copyWithin(0, drop * this.channels, this.#sourceEnd * this.channels);
    this.#sourceEnd -= drop;
    for (const stretch of this.#waiting) stretch.from -= drop;
  }

  #endRun(): void {
    const last = this.#waiting.pop();
    if (last) {
      const at = this.#sourceEnd * this.channels;
      this.#source.fill(0, at, at + HALF_WIDTH * this.channels);
      this.#resample(last, true);
    }
    this.#begins = true;
  }

  #resample({ from, samples, start, end }: Stretch, ends: boolean): void {
    const { channels } = this;
    const first = Math.max(Math.ceil(start), this.#outputFrom);
    const count = Math.ceil(end) - first;
    if (count <= 0) return;
    const to = first - this.#outputFrom;
    this.#grow(to + count);
    const step = samples / (end - start);
    interpolate(this.#source, from + (first - start) * step, step, this.#output, to, count, channels);
    if (this.#begins) this.#fade(to, count, 1);
    if (ends) this.#fade(to + count - 1, count, -1);
    this.#begins = false;
    this.#outputUsed = Math.max(this.#outputUsed, to + count);
  }

  /** From `at` on in one direction, from nothing to all. */
  #fade(at: number, available: number, direction: 1 | -1): void {
    const length = Math.min(FADE, available);
    for (let i = 0; i < length; i++) {
      const gain = 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / length);
      const index = (at + i * direction) * this.channels;
      for (let channel = 0; channel < this.channels; channel++) this.#output[index + channel]! *= gain;
    }
  }
}
