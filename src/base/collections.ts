/** A map that forgets its least recently written entries beyond `limit`. */
export class BoundedMap<K, V> {
  readonly #limit: number;
  readonly #entries = new Map<K, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  entries(): IterableIterator<[K, V]> {
    return this.#entries.entries();
  }
}

/** Remembers the last `limit` values seen, to handle each event once. */
export class SeenSet<T> {
  readonly #seen: BoundedMap<T, true>;

  constructor(limit: number) {
    this.#seen = new BoundedMap(limit);
  }

  /** True the first time `value` is shown, false while it is remembered. */
  add(value: T): boolean {
    if (this.#seen.has(value)) return false;
    this.#seen.set(value, true);
    return true;
  }
}
