import { z } from "zod";
import type { Clock, Timer } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Language } from "../base/messages/catalogue.ts";
import type { MatrixSession, RoomState } from "../matrix/session.ts";
import { markedName, unmarkedName, type NameMark } from "../recorder/name-mark.ts";
import type { RoomDocuments } from "../store/store.ts";

export interface RecordingNameDeps {
  room: Pick<RoomState, "id" | "ownUserId" | "displayName" | "encrypted">;
  session: Pick<MatrixSession, "outbox" | "readState">;
  documents: Pick<RoomDocuments, "read" | "write" | "remove">;
  language: () => Language;
  clock: Clock;
  log: Log;
}

/** Document: the name that the bot had in the room, and the one that it was given for the time of a recording. */
const DOCUMENT = "recording-name";
const documentSchema = z.object({ former: z.string().nullable(), given: z.string() });
const memberSchema = z.object({
  displayname: z.string().nullish().catch(null),
  avatar_url: z.string().optional().catch(undefined),
});
/** After a failure, and at most so often when somebody else gives us names. */
const AGAIN_MS = 60_000;

/**
 * The bot's name in one room says that it records, and is put back after; also after a kill, because the store has the
 * former one. Only the name in this room: that of the account stays. Whatever name the account gets meanwhile is the former
 * one from then on.
 */
export class RecordingName {
  readonly #deps: RecordingNameDeps;
  #wanted: NameMark | null = null;
  #running: Promise<void> | null = null;
  #again: Timer | null = null;
  #closed = false;

  constructor(deps: RecordingNameDeps) {
    this.#deps = deps;
  }

  /** @param mark null: nothing is recorded */
  want(mark: NameMark | null): void {
    this.#wanted = mark;
    this.#kick();
  }

  /** Our own m.room.member has come. A name of the account that replaced ours is marked in its turn. */
  changed(): void {
    const { room } = this.#deps;
    const name = room.displayName(room.ownUserId);
    if (this.#wanted !== null && unmarkedName(name) === name) this.#later();
  }

  /** Ends. A name that says that it records stays: the recording goes on with the next start, which puts it right. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#again?.cancel();
  }

  #later(): void {
    if (this.#closed) return;
    this.#again ??= this.#deps.clock.timer(AGAIN_MS, () => {
      this.#again = null;
      this.#kick();
    });
  }

  #kick(): void {
    if (this.#closed || this.#running !== null || this.#deps.room.encrypted) return;
    const wanted = this.#wanted;
    this.#running = this.#settle(wanted)
      .catch((error: unknown) => {
        this.#deps.log.warn("send_failed", { what: "name", reason: messageOf(error) });
        this.#later();
      })
      .finally(() => {
        this.#running = null;
        if (this.#wanted !== wanted) this.#kick();
      });
  }

  async #settle(wanted: NameMark | null): Promise<void> {
    const { room, session, documents, language } = this.#deps;
    const kept = documents.read(DOCUMENT, documentSchema);
    const shown = room.displayName(room.ownUserId);
    if (wanted === null && kept === null && unmarkedName(shown) === shown) return;
    const state = await session.readState(room.id, "m.room.member", room.ownUserId);
    const member = memberSchema.safeParse(state);
    if (!member.success) return;
    const current = member.data.displayname ?? null;
    const former = kept?.given === current ? kept.former : current === null ? null : unmarkedName(current);
    const plain = former ?? room.ownUserId.slice(1, room.ownUserId.indexOf(":"));
    const target = wanted === null ? former : markedName(plain, wanted, language());
    if (wanted !== null && target !== null) documents.write(DOCUMENT, { former, given: target });
    if (target !== current) await this.#send(target, member.data.avatar_url);
    if (wanted === null) documents.remove(DOCUMENT);
  }

  async #send(displayname: string | null, avatarUrl: string | undefined): Promise<void> {
    const { room, session } = this.#deps;
    const content = {
      membership: "join",
      ...(displayname === null ? {} : { displayname }),
      ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }),
    };
    const event = { kind: "state", type: "m.room.member", stateKey: room.ownUserId, content } as const;
    await session.outbox.send(room.id, event, { priority: "card" });
  }
}
