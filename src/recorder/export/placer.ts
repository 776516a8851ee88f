import { GRID, isStereo, packetSamples, silence } from "./opus.ts";

/** One received packet; `atSamples` is its arrival on the recording's timeline, at 48 kHz, fractions allowed. */
export interface ArrivedPacket {
  atSamples: number;
  ssrc: number;
  /** RTP, unsigned 32 bit. */
  timestamp: number;
  payload: Uint8Array;
}

interface Waiting {
  atSamples: number;
  /** The timestamp without wrap-around. */
  extended: number;
  samples: number;
  payload: Uint8Array;
}

/** One run of one sender's clock. */
interface Segment {
  ssrc: number;
  lastExtended: number;
  lastAtSamples: number;
  /** Extended timestamp + offset = place on the timeline; null until the first second is there. */
  offset: number | null;
  /** Since when (extended timestamp) arrival and place disagree. */
  apartSince: number | null;
}

export interface PlacerStats {
  packets: number;
  /** Twice the same, or after its place was taken. */
  dropped: number;
  /** Samples filled with silence between packets. */
  filledSamples: number;
  /** How often the place was corrected because arrival and RTP time had come apart. */
  reanchored: number;
  firstSample: number | null;
}

/** Packets are sorted, and a clock is judged, over this much of arrival. */
const WINDOW = 48_000;
const MAX_WAITING = 1_000;
/** A step of the sender's clock against arrival that no network makes: it counts as a new clock. */
const NEW_CLOCK = 2 * 48_000;
/** Disagreement that is corrected, and how long it must last. */
const APART = 60 * 48;
const APART_FOR = 2 * 48_000;
const FRAME = 960;
const HALF_STEP = GRID / 2;

/**
 * Puts one speaker's packets where they belong on the common timeline: the first ones of a clock by their (least delayed)
 * arrival, those after them by RTP time; what is missing between them is filled with silence. Emits a stream of packets
 * without holes from sample 0 on. Pure but for `emit`.
 */
export class Placer {
  readonly #emit: (packet: Uint8Array, samples: number) => void;
  readonly stats: PlacerStats = {
    packets: 0,
    dropped: 0,
    filledSamples: 0,
    reanchored: 0,
    firstSample: null,
  };
  #segment: Segment | null = null;
  #waiting: Waiting[] = [];
  #cursor = 0;
  #end = Infinity;
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

  /** In order of arrival. Keeps the payload for up to a second: it must not change. */
  push({ atSamples, ssrc, timestamp, payload }: ArrivedPacket): void {
    const samples = packetSamples(payload);
    if (samples === null) {
      this.stats.dropped++;
      return;
    }
    const segment = this.#segmentOf(ssrc, timestamp, atSamples);
    // Unsigned 32 bit difference as signed: late packets step back.
    const extended = segment.lastExtended + ((timestamp - segment.lastExtended) | 0);
    if (extended > segment.lastExtended) {
      segment.lastExtended = extended;
      segment.lastAtSamples = atSamples;
    }
    this.#insert({ atSamples, extended, samples, payload });
    while (this.#waiting.length > MAX_WAITING || this.#oldestWaited(atSamples)) this.#placeFirst();
  }

  /** The next packets come from another file: another connection, another process. */
  newClock(): void {
    this.#drain();
    this.#segment = null;
  }

  /** Places what waits and fills with silence up to `samples` at least. */
  finish(samples: number): void {
    this.#drain();
    if (this.#cursor < samples) this.#fill(Math.ceil((samples - this.#cursor) / GRID) * GRID);
  }

  #segmentOf(ssrc: number, timestamp: number, atSamples: number): Segment {
    const current = this.#segment;
    if (current?.ssrc === ssrc) {
      const step = (timestamp - current.lastExtended) | 0;
      if (Math.abs(step - (atSamples - current.lastAtSamples)) < NEW_CLOCK) return current;
    }
    this.#drain();
    this.#segment = {
      ssrc,
      lastExtended: timestamp,
      lastAtSamples: atSamples,
      offset: null,
      apartSince: null,
    };
    return this.#segment;
  }

  #insert(packet: Waiting): void {
    let index = this.#waiting.length;
    while (index > 0 && this.#waiting[index - 1]!.extended > packet.extended) index--;
    if (this.#waiting[index - 1]?.extended === packet.extended) this.stats.dropped++;
    else this.#waiting.splice(index, 0, packet);
  }

  #oldestWaited(nowSamples: number): boolean {
    const oldest = this.#waiting[0];
    return oldest !== undefined && nowSamples - oldest.atSamples >= WINDOW;
  }

  #drain(): void {
    while (this.#waiting.length > 0) this.#placeFirst();
  }

  #placeFirst(): void {
    const segment = this.#segment;
    if (!segment) return;
    const offset = this.#anchored(segment);
    const packet = this.#waiting.shift();
    if (packet) this.#place(packet, packet.extended + offset);
  }

  /** The segment's offset, set or corrected by what is known of the next second. */
  #anchored(segment: Segment): number {
    const first = this.#waiting[0];
    if (!first) return segment.offset ?? 0;
    // The least delayed packet tells the most: queues only ever add.
    const least = this.#waiting.reduce(
      (min, { atSamples, extended }) => Math.min(min, atSamples - extended),
      Infinity,
    );
    if (segment.offset === null) {
      segment.offset = Math.round((first.extended + least) / GRID) * GRID - first.extended;
      return segment.offset;
    }
    const apart = least - segment.offset;
    if (Math.abs(apart) <= APART) {
      segment.apartSince = null;
      return segment.offset;
    }
    segment.apartSince ??= first.extended;
    if (first.extended - segment.apartSince >= APART_FOR) {
      segment.offset += Math.round(apart / FRAME) * FRAME;
      segment.apartSince = null;
      this.stats.reanchored++;
    }
    return segment.offset;
  }

  #place({ samples, payload }: Waiting, target: number): void {
    const gap = target - this.#cursor;
    if (gap < -HALF_STEP || target >= this.#end) {
      this.stats.dropped++;
      return;
    }
    const fill = Math.floor((gap + HALF_STEP) / GRID) * GRID;
    if (fill > 0) {
      if (this.stats.firstSample !== null) this.stats.filledSamples += fill;
      this.#fill(fill);
    }
    this.#stereo = isStereo(payload);
    this.#anyStereo ||= this.#stereo;
    this.stats.packets++;
    this.stats.firstSample ??= this.#cursor;
    this.#emit(payload, samples);
    this.#cursor += samples;
  }

  #fill(samples: number): void {
    for (const { packet, samples: length } of silence(samples, this.#stereo)) this.#emit(packet, length);
    this.#cursor += samples;
  }
}
