import { toBotError } from "../../base/errors.ts";
import { render, type Language, type Rendered } from "../../base/messages/catalogue.ts";
import { editContent, noticeContent, replyContent } from "../../matrix/notices.ts";
import type { MatrixSession } from "../../matrix/session.ts";
import { reactionContent } from "../reactions.ts";

type Outbox = Pick<MatrixSession["outbox"], "send" | "budget">;
type Outgoing = Parameters<Outbox["send"]>[1];

export interface CardWriterDeps {
  room: { readonly id: string };
  session: { outbox: Outbox };
  language: () => Language;
}

/** The events that a card is made of. All of them wait behind everything else. Throws as `Outbox.send` does. */
export class CardWriter {
  readonly #deps: CardWriterDeps;

  constructor(deps: CardWriterDeps) {
    this.#deps = deps;
  }

  /**
   * @param answers the message that it is the answer to, which is owed as any reply; null: it comes by itself
   * @returns its event id
   */
  post(
    text: Rendered,
    { answers, txnId, signal }: { answers: string | null; txnId: string; signal: AbortSignal },
  ): Promise<string> {
    const content = answers === null ? noticeContent(text) : replyContent(answers, text);
    const priority = answers === null ? "card" : "reply";
    const { room, session } = this.#deps;
    return session.outbox.send(room.id, message("m.room.message", content), { priority, txnId, signal });
  }

  async edit(eventId: string, text: Rendered, signal: AbortSignal): Promise<void> {
    await this.#send(message("m.room.message", editContent(eventId, text)), signal);
  }

  async offer(eventId: string, button: string, signal: AbortSignal): Promise<void> {
    await this.#send(message("m.reaction", reactionContent(eventId, button)), signal);
  }

  /** Where the room does not let us remove it, it says that it is none any more. */
  async remove(eventId: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#send({ kind: "redact", eventId }, signal);
    } catch (error) {
      if (toBotError(error).code !== "forbidden") throw error;
      await this.edit(eventId, render({ key: "card.moved" }, this.#deps.language()), signal);
    }
  }

  async #send(outgoing: Outgoing, signal: AbortSignal): Promise<void> {
    const { room, session } = this.#deps;
    await session.outbox.send(room.id, outgoing, { priority: "card", signal });
  }
}

const message = (type: string, content: Record<string, unknown>): Outgoing => ({
  ...{ kind: "message", type, content },
});
