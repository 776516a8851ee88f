import { SerialQueue } from "../../base/async.ts";
import { BotError } from "../../base/errors.ts";

interface Line {
  queue: SerialQueue;
  abort: AbortController;
  jobs: number;
}

/** Jobs by recording, of which each has one at a time; and by room, the same. All end when it is closed. */
export class WorkList {
  readonly #recordings = new Map<string, Line>();
  readonly #rooms = new Map<string, Line>();
  #closed = false;

  /** Whether something is done with that recording, or waits to be. */
  has(id: string): boolean {
    return this.#recordings.has(id);
  }

  /** @throws BotError `cancelled` when it is closed, and what the job throws */
  run<T>(id: string, job: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#run(this.#recordings, id, job);
  }

  /** For jobs of recordings that are to follow each other in a room. */
  inRoom<T>(roomId: string, job: () => Promise<T>): Promise<T> {
    return this.#run(this.#rooms, roomId, job);
  }

  /** Ends what is being done with that recording; what is asked for from now on is done. */
  abort(id: string): void {
    const line = this.#recordings.get(id);
    if (line === undefined) return;
    line.abort.abort();
    line.abort = new AbortController();
  }

  /** Idempotent. Resolves when all jobs have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    const lines = [...this.#recordings.values(), ...this.#rooms.values()];
    for (const { abort } of lines) abort.abort();
    await Promise.all(lines.map(({ queue }) => queue.idle()));
  }

  #run<T>(lines: Map<string, Line>, name: string, job: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new BotError("cancelled", "closed"));
    const line = lines.get(name) ?? { queue: new SerialQueue(), abort: new AbortController(), jobs: 0 };
    lines.set(name, line);
    line.jobs++;
    const { signal } = line.abort;
    return line.queue
      .run(() => job(signal))
      .finally(() => {
        if (--line.jobs === 0 && lines.get(name) === line) lines.delete(name);
      });
  }
}
