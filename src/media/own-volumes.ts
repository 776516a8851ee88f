import type { EncoderSettings } from "./audio/adaptation.ts";
import { OwnVoice } from "./audio/own-voice.ts";
import type { EngineConnection, OwnFrame } from "./engine/engine.ts";

export interface OwnVolumesOptions {
  /** Of a peer, while sound goes to it. */
  connection: (peer: string) => EngineConnection | null;
}

/** Each costs a percent of a core: beyond so many in one channel the others hear it as everybody does. */
const MAX_VOICES = 24;
/** Names whose volume is kept for when they come again. */
const MAX_KEPT = 1_000;

interface Voice {
  connection: EngineConnection;
  own: OwnVoice;
}

/** Volumes of single listeners of one channel. Who has none costs nothing. */
export class OwnVolumes {
  readonly #options: OwnVolumesOptions;
  readonly #percents = new Map<string, number>();
  readonly #voices = new Map<string, Voice>();
  /** Who heard the common sound when they asked for their own. */
  readonly #switching = new Map<string, EngineConnection>();

  constructor(options: OwnVolumesOptions) {
    this.#options = options;
  }

  /** @param percent 100: as everybody */
  set(peer: string, percent: number): void {
    const voice = this.#voices.get(peer);
    if (percent !== 100 || voice) {
      if (!this.#percents.has(peer) && this.#percents.size >= MAX_KEPT) return;
      this.#percents.set(peer, percent);
    } else this.#percents.delete(peer);
    const connection = this.#options.connection(peer);
    if (voice) voice.own.volume(percent);
    else if (connection && percent !== 100) this.#switching.set(peer, connection);
  }

  /** What single listeners get in place of a frame. `sum`: the mix before its limiter. Undefined: all get the same. */
  frames(
    sum: Float32Array,
    standstill: boolean,
    encoding: EncoderSettings | null,
  ): ReadonlyMap<EngineConnection, OwnFrame> | undefined {
    if (this.#percents.size === 0) return undefined;
    let frames: Map<EngineConnection, OwnFrame> | undefined;
    for (const [peer, percent] of this.#percents) {
      const own = this.#voiceOf(peer, percent, encoding);
      if (!own) continue;
      const frame = own.own.frame(sum, standstill);
      if (frame) (frames ??= new Map()).set(own.connection, frame);
      if (own.own.done) this.#drop(peer);
    }
    this.#switching.clear();
    return frames;
  }

  configure(encoding: EncoderSettings): void {
    for (const { own } of this.#voices.values()) own.set(encoding);
  }

  close(): void {
    for (const { own } of this.#voices.values()) own.close();
    this.#voices.clear();
    this.#percents.clear();
  }

  /** Of whoever sound goes to; what was made for a former connection is over. */
  #voiceOf(peer: string, percent: number, encoding: EncoderSettings | null): Voice | null {
    const connection = this.#options.connection(peer);
    const known = this.#voices.get(peer);
    if (known && known.connection === connection) return known;
    known?.own.close();
    this.#voices.delete(peer);
    if (!connection || this.#voices.size >= MAX_VOICES) return null;
    if (percent === 100) {
      this.#percents.delete(peer);
      return null;
    }
    const fresh = this.#switching.get(peer) !== connection;
    const voice = { connection, own: new OwnVoice(percent, fresh, encoding) };
    this.#voices.set(peer, voice);
    return voice;
  }

  #drop(peer: string): void {
    this.#voices.get(peer)?.own.close();
    this.#voices.delete(peer);
    this.#percents.delete(peer);
  }
}
