import { BotError } from "../base/errors.ts";
import type { Item } from "./outbox-state.ts";
import type { Outgoing } from "./outgoing.ts";

/** One event in the outbox, and whoever waits for what becomes of it. */
export interface Entry {
  readonly item: Item;
  readonly outgoing: Outgoing;
  readonly txnId: string;
  refusals: number;
  readonly resolve: (eventId: string | Promise<string>) => void;
  readonly reject: (error: BotError) => void;
  readonly promise: Promise<string>;
  /** Ends listening to the sender's signal. */
  release: () => void;
}

export function cancelled(why: string): BotError {
  return new BotError("cancelled", why);
}

export function encrypted(roomId: string): BotError {
  return new BotError("room_encrypted", `${roomId} is encrypted, or may be`, {
    say: { key: "room.encrypted" },
  });
}
