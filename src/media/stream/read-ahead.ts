export interface ReadAheadOptions<T> {
  signal: AbortSignal;
  /** Of those with a size; so many wait at most, and one more is on its way only while fewer do. */
  maxCount: number;
  /** Nothing is begun while what waits has as much. */
  maxBytes: number;
  sizeOf: (item: T) => number;
}

/**
 * Reads a source before its items are asked for, within bounds, and gives them in their order; so with the error in which
 * it ends. Whoever leaves ends the source.
 * @param open its `signal` aborts when nobody wants more
 */
export async function* readAhead<T>(
  open: (signal: AbortSignal) => AsyncGenerator<T, void, void>,
  { signal, maxCount, maxBytes, sizeOf }: ReadAheadOptions<T>,
): AsyncGenerator<T, void, void> {
  const ending = new AbortController();
  const waiting: T[] = [];
  let end: { error: unknown } | "none" | null = null;
  let changed = Promise.withResolvers<void>();
  const change = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const isFull = (): boolean => {
    const sizes = waiting.map(sizeOf).filter((size) => size > 0);
    return sizes.length >= maxCount || sizes.reduce((sum, size) => sum + size, 0) >= maxBytes;
  };
  const read = async (): Promise<void> => {
    try {
      for await (const item of open(AbortSignal.any([signal, ending.signal]))) {
        waiting.push(item);
        change();
        while (isFull() && !ending.signal.aborted) await changed.promise;
        if (ending.signal.aborted) break;
      }
      end = "none";
    } catch (error) {
      end = { error };
    }
    change();
  };
  const reading = read();
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) {
        change();
        yield next;
      } else if (end === null) await changed.promise;
      else if (end === "none") return;
      else throw (end as { error: unknown }).error;
    }
  } finally {
    ending.abort();
    change();
    await reading;
  }
}
