import type { ReadJournal } from "../journal.ts";
import { entryTimes } from "./align/timeline.ts";

/** Whose voice came under a key, from when on. */
export interface Owner {
  key: string;
  userId: string | null;
  name: string;
  fromMs: number;
}

type StartEntry = ReadJournal["start"];

/**
 * A time of a track file as ms since the recording's start. Monotonic times of the same run of the machine compare; those
 * of another one (it was restarted) are brought over by the wall clock.
 */
export class TimeMap {
  readonly #start: StartEntry;
  #shiftMs: number;

  constructor(start: StartEntry) {
    this.#start = start;
    this.#shiftMs = -start.atMs;
  }

  epoch({ bootId, monotonicMs, wallMs }: { bootId: string; monotonicMs: number; wallMs: number }): void {
    const same = bootId === this.#start.bootId;
    this.#shiftMs = same ? -this.#start.atMs : wallMs - monotonicMs - this.#start.wallMs;
  }

  sinceStartMs(monotonicMs: number): number {
    return monotonicMs + this.#shiftMs;
  }
}

/** Who spoke under each key, in order of time. */
export function ownersOf(journal: Pick<ReadJournal, "start" | "entries">): Map<string, Owner[]> {
  const times = entryTimes(journal);
  const owners = new Map<string, Owner[]>();
  for (const entry of journal.entries) {
    if (entry.kind !== "joined") continue;
    const of = owners.get(entry.key) ?? [];
    owners.set(entry.key, of);
    const { key, userId, name } = entry;
    const last = of.at(-1);
    // A new name is the same voice; the latest name is the one to go by.
    if (last?.userId === userId) last.name = name;
    else of.push({ key, userId, name, fromMs: times.get(entry) ?? 0 });
  }
  return owners;
}

/** The owner of a key at a time; packets may come a little before their member. */
export function ownerAt(owners: readonly Owner[] | undefined, key: string, sinceStartMs: number): Owner {
  const owner = owners?.findLast(({ fromMs }) => fromMs <= sinceStartMs) ?? owners?.[0];
  return owner ?? { key, userId: null, name: key, fromMs: 0 };
}
