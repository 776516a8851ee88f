const REMEMBERED = 8;

/** What was on when: people mean what they heard as they wrote, not what is on when it arrives. */
export class Heard {
  readonly #changes: { atMs: number; id: string | null }[] = [];

  /** From now on this track is on, or none. */
  note(id: string | null, nowMs: number): void {
    this.#changes.push({ atMs: nowMs, id });
    if (this.#changes.length > REMEMBERED) this.#changes.shift();
  }

  /** The track at a time of the clock; null when none was on, or it is not remembered. */
  at(atMs: number): string | null {
    return this.#changes.findLast((change) => change.atMs <= atMs)?.id ?? null;
  }
}
