import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { readEventState } from "../matrix/event-state.ts";
import type { Homeserver } from "../matrix/homeserver.ts";
import { removeMedia } from "../matrix/media-removal.ts";
import type { RoomEvent } from "../matrix/session.ts";
import { RecordingArchive } from "../recorder/archive.ts";
import type { DeliveryRoom } from "../recorder/delivery/room.ts";
import type { Exporter, Splitter } from "../recorder/exporter.ts";
import { RedactionWatch } from "../recorder/shelf/redactions.ts";
import { keptDays, type RetentionLimits } from "../recorder/shelf/retention-plan.ts";
import { Retention } from "../recorder/shelf/retention.ts";
import { RoomRecordings } from "../recorder/shelf/room-recordings.ts";
import { RecordingShelf } from "../recorder/shelf/shelf.ts";
import type { Store } from "../store/store.ts";

export interface RecordingsDeps {
  dataDir: string;
  store: Pick<Store, "recordings">;
  homeserver: Homeserver;
  /** With an administrator's token; null: nobody gave us one. */
  admin: Homeserver | null;
  exporter: Exporter & Splitter;
  limits: RetentionLimits;
  prefix: string;
  /** The room that a recording goes to; null when the bot is not in it (any more). */
  room: (roomId: string) => DeliveryRoom | null;
  clock: Clock;
  log: Log;
}

/** All that has to do with finished recordings: their delivery, what people do with them, and when they go. */
export class Recordings {
  readonly archive: RecordingArchive;
  readonly #deps: RecordingsDeps;
  readonly #shelf: RecordingShelf;
  readonly #redactions: RedactionWatch;
  readonly #retention: Retention;

  constructor(deps: RecordingsDeps) {
    this.#deps = deps;
    const { dataDir, store, homeserver, admin, exporter, limits, prefix, room, clock, log } = deps;
    const index = store.recordings;
    const archive = new RecordingArchive({
      ...{ dataDir, index, exporter, room, prefix, clock, log },
      onDelivered: (id, read) => this.#redactions.learn(id, read),
    });
    this.archive = archive;
    const shelf = new RecordingShelf({ archive, index, log });
    this.#shelf = shelf;
    this.#redactions = new RedactionWatch({
      ...{ shelf, clock, log },
      readEvent: (roomId, eventId, signal) => readEventState(homeserver, roomId, eventId, signal),
      removeMedia: admin === null ? null : (mxc) => removeMedia(admin, mxc),
      say: async (roomId, sentence, what) => {
        await room(roomId)
          ?.say(sentence, what)
          .catch((error: unknown) => log.warn("send_failed", { room: roomId, reason: messageOf(error) }));
      },
    });
    this.#retention = new Retention({ ...{ limits, index, archive, shelf, room, prefix, clock, log } });
  }

  /** What the people of a room may do with its recordings. */
  ofRoom(roomId: string): RoomRecordings {
    const { limits, room, clock } = this.#deps;
    const days = (): number => keptDays(limits.keepDays, room(roomId)?.wishes.keepDays ?? 0);
    return new RoomRecordings({ roomId, shelf: this.#shelf, days, clock });
  }

  /** An event of a room. */
  handle({ origin, redacts }: RoomEvent): void {
    if (origin === "live" && redacts !== null) this.#redactions.redaction(redacts);
  }

  /** Events of a room may have been missed. */
  missed(roomId: string): void {
    this.#redactions.missed(roomId);
  }

  /** The rooms are known: goes on with what earlier runs have left. Resolves when that is done. Never rejects. */
  async recover(): Promise<void> {
    this.#retention.start();
    await this.archive.recover(() => this.#redactions.missed(null));
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#retention.close(), this.#redactions.close()]);
    await this.archive.close();
  }
}
