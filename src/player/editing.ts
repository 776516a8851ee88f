import { randomInt } from "node:crypto";
import type { Sentence } from "../base/messages/catalogue.ts";
import { nothingPlaying } from "./failure.ts";
import type { Loop, NowPlaying, QueueEffect, QueueEvent, QueueState, Track } from "./queue.ts";

export interface EditingDeps {
  state: () => QueueState;
  /** Carries it out. @throws BotError what the queue refuses; `nothing`: what is said when there is nothing of it */
  change: (event: QueueEvent, nothing?: Sentence) => readonly QueueEffect[];
  isFair: () => boolean;
  /** How far what is on was heard, in ms, as well as it is known. */
  positionMs: () => number;
}

/** Where to go on: a place in the track, or so far from here; in ms. */
export type SeekTarget = { kind: "to"; ms: number } | { kind: "by"; ms: number };

const NOTHING_WAITS: Sentence = { key: "player.nothing_waits" };

/** What people change about the queue and about what is on, beyond adding and skipping. Each keeps it for the next run. */
export class Editing {
  readonly #deps: EditingDeps;

  constructor(deps: EditingDeps) {
    this.#deps = deps;
  }

  /** @returns those that were there still. @throws BotError `nothing_playing` when none was */
  remove(ids: readonly string[]): readonly Track[] {
    return removedBy(this.#deps.change({ kind: "remove", ids }, NOTHING_WAITS));
  }

  /** @param to from 0; beyond the end is the end. @throws BotError `nothing_playing` when it does not wait (any more) */
  move(id: string, to: number): void {
    this.#deps.change({ kind: "move", id, to }, NOTHING_WAITS);
  }

  /** Empties what waits; what is on goes on. @throws BotError `nothing_playing` */
  clear(): readonly Track[] {
    return removedBy(this.#deps.change({ kind: "clear" }, NOTHING_WAITS));
  }

  /** @throws BotError `nothing_playing` */
  shuffle(): void {
    const { change, isFair } = this.#deps;
    change({ kind: "shuffle", seed: randomInt(2 ** 32), fair: isFair() }, NOTHING_WAITS);
  }

  loop(loop: Loop): void {
    this.#deps.change({ kind: "loop", loop });
  }

  /** @throws BotError `nothing_playing` when nothing was on before, `queue_full` */
  previous(): NowPlaying {
    this.#deps.change({ kind: "previous" });
    return this.#on();
  }

  /** What is on, else what was on last, from its beginning. @throws BotError `nothing_playing` */
  replay(): NowPlaying {
    this.#deps.change({ kind: "replay" });
    return this.#on();
  }

  /**
   * @returns where it goes on; before the beginning is the beginning
   * @throws BotError `nothing_playing`, `media_unsupported` without a length, `bad_command` beyond the end
   */
  seek(target: SeekTarget): NowPlaying {
    const fromMs = target.kind === "by" ? this.#deps.positionMs() : 0;
    this.#deps.change({ kind: "seek", positionMs: fromMs + target.ms });
    return this.#on();
  }

  #on(): NowPlaying {
    const { now } = this.#deps.state();
    if (!now) throw nothingPlaying();
    return now;
  }
}

function removedBy(effects: readonly QueueEffect[]): readonly Track[] {
  return effects.find((effect) => effect.kind === "removed")?.tracks ?? [];
}
