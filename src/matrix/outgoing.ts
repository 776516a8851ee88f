import { createHash } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import { apiPath } from "./homeserver.ts";

/** An event on its way out, in the forms that the client-server API has for it. */
export type Outgoing =
  | { kind: "message"; type: string; content: Readonly<Record<string, unknown>> }
  | {
      kind: "state";
      type: string;
      stateKey: string;
      content: Readonly<Record<string, unknown>>;
      /** Name of a field that gets the wall clock's ms at which the event is there: it may have waited. */
      stampField?: string;
    }
  /** A state event that the homeserver posts later by itself (MSC4140): its answer is no event id but a delay id. */
  | {
      kind: "delayed-state";
      type: string;
      stateKey: string;
      content: Readonly<Record<string, unknown>>;
      delayMs: number;
    }
  | { kind: "redact"; eventId: string; reason?: string };

/**
 * From leaving until the others have it. Web clients count the 20 s that a membership lasts from its time, and limited we
 * refresh it just within those.
 */
const ARRIVES_AFTER_MS = 400;

/** A transaction id of fixed, safe form for any text. */
export function transactionId(key: string): string {
  return createHash("sha256").update(key).digest("base64url").slice(0, 40);
}

/** What a newer event must have in common with a waiting one to replace it; null: nothing replaces it. */
export function coalesceKeyOf(roomId: string, outgoing: Outgoing, key: string | undefined): string | null {
  if (outgoing.kind === "state") return `${roomId}\0${outgoing.type}\0${outgoing.stateKey}`;
  if (outgoing.kind === "delayed-state") return `${roomId}\0delayed\0${outgoing.type}\0${outgoing.stateKey}`;
  return key === undefined ? null : `${roomId}\0${key}`;
}

export function pathOf(roomId: string, outgoing: Outgoing, txnId: string): string {
  if (outgoing.kind === "state") {
    return apiPath`/_matrix/client/v3/rooms/${roomId}/state/${outgoing.type}/${outgoing.stateKey}`;
  }
  if (outgoing.kind === "delayed-state") {
    const path = apiPath`/_matrix/client/v3/rooms/${roomId}/state/${outgoing.type}/${outgoing.stateKey}`;
    return `${path}?org.matrix.msc4140.delay=${outgoing.delayMs}`;
  }
  if (outgoing.kind === "redact") {
    return apiPath`/_matrix/client/v3/rooms/${roomId}/redact/${outgoing.eventId}/${txnId}`;
  }
  return apiPath`/_matrix/client/v3/rooms/${roomId}/send/${outgoing.type}/${txnId}`;
}

export function bodyOf(outgoing: Outgoing, clock: Pick<Clock, "wall">): object {
  if (outgoing.kind === "redact") return { reason: outgoing.reason };
  if (outgoing.kind === "state" && outgoing.stampField !== undefined) {
    return { ...outgoing.content, [outgoing.stampField]: clock.wall() + ARRIVES_AFTER_MS };
  }
  return outgoing.content;
}

const sentSchema = z.object({ event_id: z.string().min(1) });
const delayedSchema = z.object({ delay_id: z.string().min(1).max(255) });

/**
 * The event id of the homeserver's answer; the delay id for a delayed event.
 * @throws BotError `homeserver`: the answer is not the homeserver's; ZodError for an event id where a delay id was to be: it
 * was posted at once
 */
export function decodeSent(outgoing: Outgoing, answer: unknown): string {
  if (outgoing.kind === "delayed-state") return delayedSchema.parse(answer).delay_id;
  const sent = sentSchema.safeParse(answer);
  if (sent.success) return sent.data.event_id;
  // A page of something in between; with its transaction the event can be sent again.
  throw new BotError("homeserver", "the answer is not one of a Matrix homeserver", { retryable: true });
}
