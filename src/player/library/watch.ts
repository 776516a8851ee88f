import { watch, type FSWatcher } from "node:fs";
import { join } from "node:path";
import type { Clock, Timer } from "../../base/clock.ts";

/** Each costs some memory of ours and one of the user's inotify watches (often 8,192). */
const MAX_WATCHED = 4_000;
/** After a first change, for those that come with it. */
const GATHER_MS = 1_000;

/** Tells which folders have changed. One watcher a folder: Node's own recursive one opens one for each file. */
export class Watch {
  readonly #clock: Clock;
  readonly #onChanged: (folders: ReadonlySet<string>) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #changed = new Set<string>();
  #timer: Timer | null = null;
  #refused = false;

  constructor(clock: Clock, onChanged: (folders: ReadonlySet<string>) => void) {
    this.#clock = clock;
    this.#onChanged = onChanged;
  }

  /** False when there are folders that are not watched: then somebody has to look. */
  get complete(): boolean {
    return !this.#refused;
  }

  /** @param root a real path. Idempotent. */
  add(root: string, folder: string): void {
    if (this.#watchers.has(folder)) return;
    if (this.#watchers.size >= MAX_WATCHED) {
      this.#refused = true;
      return;
    }
    try {
      const watcher = watch(join(root, folder), { persistent: false }, () => this.#note(folder));
      watcher.on("error", () => {
        this.remove(folder);
        this.#note(folder);
      });
      this.#watchers.set(folder, watcher);
    } catch {
      this.#refused = true; // No more watches for this user, or a file system that has none.
    }
  }

  remove(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  close(): void {
    this.#timer?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #note(folder: string): void {
    this.#changed.add(folder);
    this.#timer ??= this.#clock.timer(GATHER_MS, () => {
      const changed = this.#changed;
      this.#timer = null;
      this.#changed = new Set();
      this.#onChanged(changed);
    });
  }
}
