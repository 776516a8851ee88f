import type { Clock } from "../../base/clock.ts";
import type { RecordingRow } from "../../store/recordings.ts";
import { keptUntil } from "./retention-plan.ts";
import type { RecordingDetails, RecordingShelf } from "./shelf.ts";

export interface RoomRecordingsDeps {
  roomId: string;
  shelf: RecordingShelf;
  /** How many days the room's recordings are kept, the operator's bounds considered; 0: for ever. */
  days: () => number;
  clock: Clock;
}

/** Who is asked whether they mean it has so long to say it again. */
const CONFIRM_MS = 120_000;

/** The recordings of one room, as its people ask for them. */
export class RoomRecordings {
  readonly #deps: RoomRecordingsDeps;
  #asked: { number: number; userId: string; untilMs: number } | null = null;

  constructor(deps: RoomRecordingsDeps) {
    this.#deps = deps;
  }

  /** Newest first, at most 50. */
  list(): RecordingRow[] {
    return this.#deps.shelf.ofRoom(this.#deps.roomId);
  }

  /** @throws BotError `not_found` */
  find(number: number): RecordingRow {
    return this.#deps.shelf.find(this.#deps.roomId, number);
  }

  /** @throws BotError `recording_damaged`, `already_recording` */
  details(row: RecordingRow): Promise<RecordingDetails> {
    return this.#deps.shelf.details(row);
  }

  keep(row: RecordingRow, keep: boolean, byUserId: string): Promise<void> {
    return this.#deps.shelf.keep(row, keep, byUserId);
  }

  /** @throws BotError `already_recording` */
  resend(row: RecordingRow, byUserId: string): Promise<void> {
    return this.#deps.shelf.resend(row, byUserId);
  }

  /** Whether that person was asked just now whether to delete that one; if not, they are from now on. */
  confirmed(number: number, userId: string): boolean {
    const nowMs = this.#deps.clock.now();
    const asked = this.#asked;
    const isMeant = asked?.number === number && asked.userId === userId && nowMs <= asked.untilMs;
    this.#asked = isMeant ? null : { number, userId, untilMs: nowMs + CONFIRM_MS };
    return isMeant;
  }

  /** @throws BotError `already_recording` */
  remove(row: RecordingRow): Promise<void> {
    return this.#deps.shelf.remove(row, "command");
  }

  /** Wall clock, ms; null: for ever. */
  keptUntil(row: RecordingRow): number | null {
    return keptUntil(row, this.#deps.days());
  }
}
