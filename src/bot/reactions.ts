import { z } from "zod";
import { SeenSet } from "../base/collections.ts";
import type { RoomEvent } from "../matrix/session.ts";
import type { Reaction } from "../recorder/consent/reactions.ts";

/** Who acts on reactions; `ageMs` is how long ago it was. Both are called in the order of the room's events, are waited for, and never reject. */
export interface ReactionListener {
  reacted(reaction: Reaction, ageMs: number): Promise<void>;
  /** An event was removed by `sender`; it may have been a reaction. */
  redacted(eventId: string, sender: string, ageMs: number): Promise<void>;
}

/** m.reaction (client-server API, "Event annotations and reactions"). */
const schema = z.object({
  "m.relates_to": z.object({
    rel_type: z.literal("m.annotation"),
    event_id: z.string().min(1).max(255),
    key: z.string().min(1).max(100),
  }),
});
const REMEMBERED = 500;

/** Hands the reactions of one room, and what is taken back, to who acts on them: live ones of others, each once. */
export class RoomReactions {
  readonly #ownUserId: string;
  readonly #listeners: readonly ReactionListener[];
  readonly #seen = new SeenSet<string>(REMEMBERED);

  constructor(ownUserId: string, listeners: readonly ReactionListener[]) {
    this.#ownUserId = ownUserId;
    this.#listeners = listeners;
  }

  /** Any event of the room. Resolves when it was acted on. */
  async handle(event: RoomEvent): Promise<void> {
    const { type, eventId, sender, content, redacts, origin } = event;
    if (origin !== "live" || sender === this.#ownUserId) return;
    // Of an event without an age nothing is known but that it came now.
    const ageMs = Math.max(0, event.ageMs ?? 0);
    if (type === "m.room.redaction" && redacts !== null) {
      await Promise.all(this.#listeners.map((listener) => listener.redacted(redacts, sender, ageMs)));
    } else if (type === "m.reaction" && this.#seen.add(eventId)) {
      const relation = schema.safeParse(content).data?.["m.relates_to"];
      if (!relation) return;
      const reaction = { eventId, sender, target: relation.event_id, key: relation.key };
      await Promise.all(this.#listeners.map((listener) => listener.reacted(reaction, ageMs)));
    }
  }
}

/** A reaction of ours. */
export const reactionContent = (target: string, key: string): Record<string, unknown> => ({
  "m.relates_to": { rel_type: "m.annotation", event_id: target, key },
});
