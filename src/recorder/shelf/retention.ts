import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Sentence } from "../../base/messages/catalogue.ts";
import type { RecordingIndex, RecordingRow } from "../../store/recordings.ts";
import type { RecordingArchive } from "../archive.ts";
import type { DeliveryRoom } from "../delivery/room.ts";
import { planRetention, type RetentionLimits } from "./retention-plan.ts";
import type { RecordingShelf } from "./shelf.ts";
import { dayOf, titleOf } from "./text.ts";

export interface RetentionDeps {
  limits: RetentionLimits;
  index: Pick<RecordingIndex, "all">;
  archive: Pick<RecordingArchive, "note" | "isOpen">;
  shelf: Pick<RecordingShelf, "remove">;
  room: (roomId: string) => Pick<DeliveryRoom, "wishes" | "say" | "roomId"> | null;
  prefix: string;
  clock: Clock;
  log: Log;
}

const FIRST_MS = 60_000;
const EVERY_MS = 3_600_000;

/** Deletes what is too old or too much, and says so the day before, to each room at once for all of it. */
export class Retention {
  readonly #deps: RetentionDeps;
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** The rooms are known: once in a minute's time, then every hour. */
  start(): void {
    this.#schedule(FIRST_MS);
  }

  /** Does what is due now. Never rejects. */
  run(): Promise<void> {
    this.#running = this.#running
      .then(() => this.#run())
      .catch((error: unknown) => {
        this.#deps.log.error("recording_failed", { what: "retention", reason: messageOf(error) });
      });
    return this.#running;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(inMs: number): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.timer(inMs, () => void this.run().finally(() => this.#schedule(EVERY_MS)));
  }

  async #run(): Promise<void> {
    const { limits, index, archive, shelf, room, clock } = this.#deps;
    const rows = index.all().filter(({ id }) => !archive.isOpen(id));
    const days = (roomId: string): number => room(roomId)?.wishes.keepDays ?? 0;
    const plan = planRetention(rows, clock.wall(), limits, days, (roomId) => room(roomId) !== null);
    for (const row of plan.remove) {
      if (this.#closed) return;
      await shelf.remove(row, "retention");
    }
    for (const [roomId, foretold] of Map.groupBy(plan.foretell, ({ row }) => row.roomId)) {
      if (this.#closed) return;
      await this.#foretell(roomId, foretold);
    }
  }

  async #foretell(
    roomId: string,
    foretold: readonly { row: RecordingRow; deleteWallMs: number }[],
  ): Promise<void> {
    const { room, archive, prefix, log } = this.#deps;
    const first = foretold[0];
    const to = room(roomId);
    if (!first || !to) return;
    const list = foretold
      .map(({ row, deleteWallMs }) => `${titleOf(row)} – ${dayOf(deleteWallMs)}`)
      .join("\n");
    const params = { list, prefix, number: first.row.number ?? 1 };
    const sentence: Sentence = { key: "recordings.foretold", params };
    try {
      await to.say(sentence, `retention-${first.row.id}-${first.deleteWallMs}`);
    } catch (error) {
      // Who was not told loses nothing: the next round tells them.
      log.warn("send_failed", { room: roomId, what: "retention", reason: messageOf(error) });
      return;
    }
    for (const { row, deleteWallMs } of foretold) {
      await archive.note(row.id, { kind: "foretold", deleteWallMs });
    }
  }
}
