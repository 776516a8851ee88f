import { Emitter } from "../base/emitter.ts";

export interface SkipVotesDeps {
  /** User ids of those in the channel, the bot left out; one with two devices is one. */
  present: () => ReadonlySet<string>;
  /** How many of them, in percent, have to want it; null: there are no votes. */
  share: () => number | null;
  /** The track that is on; null: none. */
  now: () => string | null;
}

/** How many want to skip what is on, and how many it takes. */
export interface SkipTally {
  votes: number;
  needed: number;
}

/** How many of `people` are `share` percent, at least one. */
export const votesNeeded = (people: number, share: number): number =>
  Math.max(1, Math.ceil((people * share) / 100));

/**
 * Who wants to skip what is on. Each vote is for one track, of one person in the channel: it is gone with the track, and when
 * they leave the channel.
 */
export class SkipVotes {
  readonly #deps: SkipVotesDeps;
  readonly #voters = new Set<string>();
  readonly #changed = new Emitter<void>();
  #track: string | null = null;

  constructor(deps: SkipVotesDeps) {
    this.#deps = deps;
  }

  /** Whether this person could vote now. */
  mayVote(userId: string): boolean {
    return this.#deps.share() !== null && this.#deps.now() !== null && this.#deps.present().has(userId);
  }

  /** @returns what stands then. To be asked `mayVote` before. */
  vote(userId: string): SkipTally {
    this.#prune();
    this.#voters.add(userId);
    this.#changed.emit();
    return this.#count();
  }

  /** @returns whether there was one */
  withdraw(userId: string): boolean {
    this.#prune();
    const had = this.#voters.delete(userId);
    if (had) this.#changed.emit();
    return had;
  }

  /** Null while nobody wants it, or there are no votes. */
  tally(): SkipTally | null {
    this.#prune();
    return this.#voters.size === 0 ? null : this.#count();
  }

  /** Who left the channel has left the vote: also when they come back. */
  peopleChanged(): void {
    const before = this.#voters.size;
    this.#prune();
    if (before > 0) this.#changed.emit();
  }

  onChange(listener: () => void): () => void {
    return this.#changed.on(listener);
  }

  #prune(): void {
    const { now, share, present } = this.#deps;
    const track = now();
    if (track !== this.#track || share() === null) this.#voters.clear();
    this.#track = track;
    if (this.#voters.size === 0) return;
    const there = present();
    for (const userId of this.#voters) if (!there.has(userId)) this.#voters.delete(userId);
  }

  #count(): SkipTally {
    const { present, share } = this.#deps;
    return { votes: this.#voters.size, needed: votesNeeded(present().size, share() ?? 100) };
  }
}
