import type { Clock } from "../../../base/clock.ts";
import { messageOf } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import type { TrackPlan } from "../align/types.ts";
import type { ExportFormat } from "../../exporter.ts";
import { PcmEncoder } from "./encode.ts";
import { Meter, type Levels, type Metered } from "./meter.ts";
import { BLOCK_FRAMES, TrackPlayer, type OpenPackets } from "./player.ts";

/** A mix that is wanted. */
export interface MixOutput {
  /** `mix`: everything that was heard; `voices`: without the music. */
  what: "mix" | "voices";
  path: string;
  tags: Readonly<Record<string, string>>;
}

export interface MixdownOptions {
  ffmpeg: string;
  clock: Clock;
  log: Log;
  tracks: readonly TrackPlan[];
  open: OpenPackets;
  format: ExportFormat;
  outputs: readonly MixOutput[];
  /** Samples of the timeline. */
  total: number;
  /** So many more are done. */
  onFrames: (frames: number) => void;
}

export interface MeteredTrack extends Metered {
  levels: Levels;
  /** Packets that were no Opus, or found no place. */
  damaged: number;
  misplaced: number;
}

export interface Mixdown {
  /** In the order of the tracks. */
  tracks: MeteredTrack[];
  /** In the order of the outputs. */
  mixes: Metered[];
  /** Why there are no mixes; null when they are there. */
  problem: string | null;
}

/**
 * Goes through all tracks once, side by side: measures each, and writes the mixes, everybody at the level they have. That goes
 * on when a mix cannot be made: the levels are wanted without it.
 */
export async function mixdown(options: MixdownOptions): Promise<Mixdown> {
  const { tracks, open, total, onFrames } = options;
  const players = tracks.map((track) => new TrackPlayer(track, open));
  const meters = tracks.map(({ channels }) => new Meter(total, channels));
  const mixer = new Mixes(options);
  try {
    for (let at = 0; at < total;) {
      const frames = Math.min(BLOCK_FRAMES, total - at);
      mixer.begin(frames);
      for (const [index, player] of players.entries()) {
        const sounds = await player.next(frames);
        meters[index]?.take(sounds ? player.block : null, frames);
        if (sounds) mixer.add(player.block, player.track);
      }
      await mixer.end();
      at += frames;
      onFrames(frames);
    }
    const mixes = await mixer.finish();
    const measured = players.map(({ damaged, misplaced }, index) => {
      const meter = meters[index]!;
      // First the result: it closes the last level.
      return {
        ...meter.result(),
        levels: meter.levels,
        damaged,
        misplaced: misplaced.late + misplaced.outside,
      };
    });
    return { tracks: measured, mixes, problem: mixer.problem };
  } finally {
    mixer.close();
    for (const player of players) await player.close();
  }
}

interface Mix extends MixOutput {
  encoder: PcmEncoder;
  meter: Meter;
  sum: Float32Array;
  sounds: boolean;
}

/** The mixes that are made at the same time. */
class Mixes {
  readonly #mixes: Mix[];
  #frames = 0;
  problem: string | null = null;

  constructor({ outputs, total, format, ffmpeg, clock, log }: MixdownOptions) {
    this.#mixes = outputs.map((output) => ({
      ...output,
      encoder: new PcmEncoder({ ffmpeg, clock, log, format, input: "mix", channels: 2, ...output }),
      meter: new Meter(total, 2),
      sum: new Float32Array(BLOCK_FRAMES * 2),
      sounds: false,
    }));
  }

  begin(frames: number): void {
    this.#frames = frames;
    for (const mix of this.#mixes) {
      if (mix.sounds) mix.sum.fill(0);
      mix.sounds = false;
    }
  }

  /** Mono is heard at its full level on both sides, as everybody heard it. */
  add(block: Float32Array, { what, channels }: TrackPlan): void {
    for (const mix of this.#mixes) {
      if (mix.what === "voices" && what === "music") continue;
      mix.sounds = true;
      const { sum } = mix;
      if (channels === 2) for (let i = 0; i < block.length; i++) sum[i]! += block[i]!;
      else {
        for (let i = 0; i < block.length; i++) {
          sum[2 * i]! += block[i]!;
          sum[2 * i + 1]! += block[i]!;
        }
      }
    }
  }

  async end(): Promise<void> {
    for (const { sum, sounds, meter, encoder } of this.#mixes) {
      const part = sum.subarray(0, this.#frames * 2);
      meter.take(sounds ? part : null, this.#frames);
      await this.#try(() => encoder.write(part));
    }
  }

  async finish(): Promise<Metered[]> {
    for (const { encoder } of this.#mixes) await this.#try(() => encoder.finish());
    return this.#mixes.map(({ meter }) => meter.result());
  }

  close(): void {
    for (const { encoder } of this.#mixes) encoder.close();
  }

  async #try(step: () => Promise<void>): Promise<void> {
    if (this.problem !== null) return;
    try {
      await step();
    } catch (error) {
      this.problem = messageOf(error).slice(0, 500);
    }
  }
}
