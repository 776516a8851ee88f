import type { AlignedPacket, Misplaced, TrackPlan } from "../align/types.ts";
import { TrackRenderer } from "./render.ts";

/** Of the timeline, at a time: half a second. */
export const BLOCK_FRAMES = 24_000;
/** A track is opened so long before it sounds: what its map does in front of its first packet is not known. */
const EARLY_FRAMES = 5 * 48_000;

/** Opens a track's packets; what found no place is counted in the second argument. */
export type OpenPackets = (
  track: TrackPlan,
  misplaced: Misplaced,
) => AsyncIterable<AlignedPacket, void, undefined>;

/** One track's PCM from the timeline's beginning on, block by block. Has its files open only while it sounds. */
export class TrackPlayer {
  readonly track: TrackPlan;
  /** Interleaved; what the last `next` gave. */
  block = new Float32Array(0);
  readonly misplaced: Misplaced = { late: 0, outside: 0 };
  readonly #open: OpenPackets;
  #at = 0;
  #state: { phase: "before" } | { phase: "open"; renderer: TrackRenderer } | { phase: "over" } = {
    phase: "before",
  };
  /** Packets that were no Opus. */
  damaged = 0;

  constructor(track: TrackPlan, open: OpenPackets) {
    this.track = track;
    this.#open = open;
  }

  /** Puts the next `frames` (at most `BLOCK_FRAMES`) into `block`. @returns whether they are anything but silence */
  async next(frames: number): Promise<boolean> {
    const { channels, firstSample } = this.track;
    const from = this.#at;
    this.#at += frames;
    if (this.#state.phase === "before" && this.#at > firstSample - EARLY_FRAMES) {
      const packets = this.#open(this.track, this.misplaced);
      this.#state = { phase: "open", renderer: new TrackRenderer(packets, channels, from) };
    }
    if (this.#state.phase !== "open") return false;
    if (this.block.length !== frames * channels) this.block = new Float32Array(frames * channels);
    const { renderer } = this.#state;
    const sounds = await renderer.read(this.block);
    if (!sounds && renderer.over) await this.close();
    return sounds;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#state.phase === "open") {
      this.damaged = this.#state.renderer.damaged;
      await this.#state.renderer.close();
    }
    this.#state = { phase: "over" };
    // Of a thousand who came and went, most are not there at a time.
    this.block = new Float32Array(0);
  }
}
