import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { render, type Language, type Sentence } from "../base/messages/catalogue.ts";
import type { MatrixSession, RoomState } from "../matrix/session.ts";

export interface RoomTalkDeps {
  room: RoomState;
  session: MatrixSession;
  language: () => Language;
  log: Log;
}

/** What the bot says in one room. In an encrypted room only the one notice that it cannot work there. */
export class RoomTalk {
  readonly #language: () => Language;
  readonly #room: RoomState;
  readonly #session: MatrixSession;
  readonly #log: Log;
  readonly #replies = new Set<Promise<unknown>>();

  constructor({ room, session, log, language }: RoomTalkDeps) {
    this.#language = language;
    this.#room = room;
    this.#session = session;
    this.#log = log;
  }

  /** The language of the room now. */
  get language(): Language {
    return this.#language();
  }

  /** Says something that nobody asked for. Never throws. */
  tell(sentence: Sentence): void {
    const { id, encrypted } = this.#room;
    const message = render(sentence, this.language);
    const sent = encrypted ? this.#session.clearNotice(id, message) : this.#session.notice(id, message);
    sent.catch((error: unknown) => this.#failed("notice", error));
  }

  /**
   * Says something once, also when it is said again after a kill. Never throws.
   * @param what in words that stay the same, see `SendOptions.txnId`
   * @returns whether the homeserver has it
   */
  async tellOnce(sentence: Sentence, what: string): Promise<boolean> {
    const { id, encrypted } = this.#room;
    const message = render(sentence, this.language);
    try {
      if (encrypted) await this.#session.clearNotice(id, message);
      else await this.#session.notice(id, message, what);
      return true;
    } catch (error) {
      this.#failed("notice", error);
      return false;
    }
  }

  /** Answers a message, in the thread that it is in, if any. Never throws. */
  reply(eventId: string, sentence: Sentence, thread: string | null = null): void {
    if (this.#room.encrypted) return this.tell(sentence);
    const sent = this.#session
      .reply(this.#room.id, eventId, render(sentence, this.language), thread)
      .catch((error: unknown) => this.#failed("reply", error))
      .finally(() => this.#replies.delete(sent));
    this.#replies.add(sent);
  }

  /** Counts as a reply: `sent` resolves when it is with the homeserver, and never rejects. */
  waitFor(sent: Promise<void>): void {
    const waiting = sent.finally(() => this.#replies.delete(waiting));
    this.#replies.add(waiting);
  }

  /** Resolves when the replies under way are with the homeserver: until then what they answer is not done with. */
  async replied(): Promise<void> {
    await Promise.all(this.#replies);
  }

  #failed(what: string, error: unknown): void {
    this.#log.warn("send_failed", { what, reason: messageOf(error) });
  }
}
