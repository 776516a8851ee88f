import type { Clock } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Tally } from "../base/tally.ts";
import type { Homeserver } from "./homeserver.ts";
import type { Item, Priority } from "./outbox-state.ts";
import type { Outgoing } from "./outgoing.ts";

export interface SendOptions {
  priority: Priority;
  /**
   * What this event is, in words that stay the same when it is sent again after a kill: the event that it answers and
   * which answer it is. The homeserver then takes it once (Synapse remembers a day). Default: random.
   */
  txnId?: string;
  /** A newer event with the same key replaces one that still waits. State events have one by themselves. */
  coalesceKey?: string;
  /** Takes the event back while it waits. */
  signal?: AbortSignal;
}

export interface OutboxOptions {
  homeserver: Homeserver;
  clock: Clock;
  log: Log;
  /** Whether a room must be treated as encrypted; true for rooms that are not known. */
  isEncrypted(roomId: string): boolean;
  /** The homeserver does not accept our token any more; the outbox has closed. */
  onTokenRejected?: (error: BotError) => void;
  random?: () => number;
  tally?: Tally;
}

/** One event in the outbox, and whoever waits for what becomes of it. */
export interface Entry {
  readonly item: Item;
  readonly outgoing: Outgoing;
  readonly txnId: string;
  /** Answers with an error so far, and when the first came. */
  refusals: number;
  refusedMs: number | null;
  readonly resolve: (eventId: string | Promise<string>) => void;
  readonly reject: (error: BotError) => void;
  readonly promise: Promise<string>;
  /** Ends listening to the sender's signal. */
  release: () => void;
}

/** What a log line says of it. */
export function fieldsOf({ item, outgoing }: Entry): { room: string; priority: Priority; type: string } {
  const type = outgoing.kind === "redact" ? "m.room.redaction" : outgoing.type;
  return { room: item.roomId, priority: item.priority, type };
}

/** How long the oldest of them has been here, in ms; 0 when there is none. */
export function waitingMs(entries: Iterable<Entry>, nowMs: number): number {
  let sinceMs = nowMs;
  for (const { item } of entries) sinceMs = Math.min(sinceMs, item.enqueuedMs);
  return nowMs - sinceMs;
}

export function cancelled(why: string): BotError {
  return new BotError("cancelled", why);
}

export function encrypted(roomId: string): BotError {
  return new BotError("room_encrypted", `${roomId} is encrypted, or may be`, {
    say: { key: "room.encrypted" },
  });
}
