import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Timer } from "../base/clock.ts";
import { readBootId } from "../media/tracks/place.ts";
import type { OpenRecording } from "./open-recording.ts";
import {
  Journal,
  JOURNAL_FILE,
  readJournal,
  type JournalEntry,
  type JournalStamp,
  type ReadJournal,
} from "./journal.ts";
import { GOES_ON_WITHIN_MS, goesOn, lastKnown, stoodAt, type Stood } from "./stood.ts";

/** A recording of an earlier run that goes on in this one. */
export interface Reopened {
  recording: OpenRecording;
  stood: Stood;
  entries: readonly JournalEntry[];
  /** Of the recording: it goes on where that of the earlier run was, also after the machine was started again. */
  clock: Clock;
  /** When it began, by that clock. */
  startMs: number;
}

export interface InterruptedDeps {
  clock: Clock;
  /** It does not go on: it is to be finished as it is. */
  onOver: (id: string) => void;
}

/**
 * Recordings that an earlier run has not ended, of each room at most one:
 *
 *   found at start ─► waiting ── take(): the bot is in the channel again ──► goes on
 *                       └ release(), 15 min since it was last written ─────► finished as it is
 */
export class InterruptedRecordings {
  readonly #deps: InterruptedDeps;
  readonly #waiting = new Map<string, { id: string; timer: Timer }>();
  #closed = false;

  constructor(deps: InterruptedDeps) {
    this.#deps = deps;
  }

  /** Looks through recordings, oldest first. Never rejects: what cannot be read does not go on. */
  async find(root: string, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      // There may be a thousand that are over for long.
      if (await this.#isOld(join(root, id, JOURNAL_FILE))) continue;
      const read = await readJournal(join(root, id)).catch(() => null);
      if (read !== null) this.#found(id, read);
    }
  }

  /** The id of the recording that waits to go on in a room; null when there is none. */
  of(roomId: string): string | null {
    return this.#waiting.get(roomId)?.id ?? null;
  }

  has(id: string): boolean {
    return [...this.#waiting.values()].some((waiting) => waiting.id === id);
  }

  get rooms(): string[] {
    return [...this.#waiting.keys()];
  }

  /** Hands it over to whoever goes on with it. */
  take(roomId: string): string | null {
    const waiting = this.#waiting.get(roomId);
    waiting?.timer.cancel();
    this.#waiting.delete(roomId);
    return waiting?.id ?? null;
  }

  /** It cannot go on, or is not to. */
  release(roomId: string): void {
    const id = this.take(roomId);
    if (id !== null) this.#deps.onOver(id);
  }

  /** They wait for the next start. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const roomId of this.rooms) this.take(roomId);
  }

  /** Whether a journal was not written for so long that its recording does not go on, whatever it says. */
  async #isOld(path: string): Promise<boolean> {
    const found = await stat(path).catch(() => null);
    return found === null || this.#deps.clock.wall() - found.mtimeMs > GOES_ON_WITHIN_MS;
  }

  #found(id: string, read: ReadJournal): void {
    const { clock } = this.#deps;
    const { roomId } = read.start;
    if (this.#closed || !goesOn(read, clock.wall())) return;
    // Two of one room there should never be; the newer one is what people think of.
    this.take(roomId);
    const leftMs = GOES_ON_WITHIN_MS - (clock.wall() - lastKnown(read).wallMs);
    this.#waiting.set(roomId, { id, timer: clock.timer(leftMs, () => this.release(roomId)) });
  }
}

/**
 * Opens a recording to go on with it: its journal behind the last whole entry, with a gap since it was last written.
 * Null when it is too old by now, or over. @throws BotError `recording_damaged`; errors of the file system
 */
export async function reopenRecording(
  { id, directory }: { id: string; directory: string },
  clock: Clock,
  onFailed: (error: unknown) => void,
): Promise<Reopened | null> {
  const read = await readJournal(directory);
  if (!goesOn(read, clock.wall())) return null;
  const stood = stoodAt(read);
  const own = recordingClock(clock, read.start, readBootId());
  const last = await lastWritten(directory, read, own);
  const journal = await Journal.reopen(directory, read.validBytes, own, onFailed);
  let { gapAtMs } = stood;
  if (stood.pausedAtMs === null && gapAtMs === null) {
    gapAtMs = last.atMs;
    journal.add({ kind: "gap", reason: "restart" }, last);
  }
  await journal.flush();
  const recording = { id, directory, journal };
  const { entries, start } = read;
  return { recording, stood: { ...stood, gapAtMs }, entries, clock: own, startMs: start.atMs };
}

/**
 * The clock by which a recording goes on. Within one run of the machine that is the monotonic one; after the machine was
 * started again it is brought over by the wall clock, as the times of track files are.
 */
export function recordingClock(clock: Clock, start: ReadJournal["start"], boot: string): Clock {
  if (start.bootId === boot) return clock;
  const shiftMs = start.atMs + (clock.wall() - start.wallMs) - clock.now();
  return {
    now: () => clock.now() + shiftMs,
    wall: () => clock.wall(),
    timer: (delayMs, run) => clock.timer(delayMs, run),
  };
}

/** When something was last written, by the journal and by when the track files were last changed; not before the journal's end. */
async function lastWritten(directory: string, read: ReadJournal, clock: Clock): Promise<JournalStamp> {
  let last = lastKnown(read);
  const [nowMs, wallMs] = [clock.now(), clock.wall()];
  for (const name of await readdir(directory)) {
    const changed = (await stat(join(directory, name)).catch(() => null))?.mtimeMs ?? 0;
    const at = { atMs: nowMs - (wallMs - changed), wallMs: changed };
    if (/^(voice|music)-/.test(name) && at.atMs > last.atMs && changed <= wallMs) last = at;
  }
  return last;
}
