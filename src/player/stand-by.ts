/** Of about 25 MB each: in more rooms at once what comes next is opened shortly before its turn, as everywhere else. */
const MAX_ROOMS = 4;

/** Which rooms have what comes next open long before its turn: its decoder has filled its pipe and waits. One for all rooms. */
export class StandBy {
  readonly #max: number;
  readonly #rooms = new Set<object>();

  constructor(max = MAX_ROOMS) {
    this.#max = max;
  }

  /** Whether this room may; it may until it lets go. */
  claim(room: object): boolean {
    if (!this.#rooms.has(room) && this.#rooms.size >= this.#max) return false;
    this.#rooms.add(room);
    return true;
  }

  /** Idempotent. */
  letGo(room: object): void {
    this.#rooms.delete(room);
  }
}
