import { z } from "zod";

/**
 * An event of a room. Room, sender, type, state key and age are facts that the homeserver vouches for; `content` is a
 * claim of its sender. A superset of the channel's `ChannelRoomEvent`.
 */
export interface RoomEvent {
  eventId: string;
  roomId: string;
  type: string;
  sender: string;
  /** null: not a state event. */
  stateKey: string | null;
  /** Milliseconds since the epoch by the sender's homeserver. */
  originServerTs: number;
  /** The homeserver's own age of the event when we received it; null when it gave none. */
  ageMs: number | null;
  content: Readonly<Record<string, unknown>>;
  /** The state that this one replaced, for state events of a timeline; null when not given. */
  prevContent: Readonly<Record<string, unknown>> | null;
  /** For m.room.redaction: the event that it removes; else null. */
  redacts: string | null;
  /** `live` came in a timeline after start; `state` is a snapshot (start, join, gap). */
  origin: "live" | "state";
}

const content = z.record(z.string(), z.unknown());
const id = z.string().min(1).max(255);

const rawEventSchema = z.object({
  event_id: id,
  type: z.string().max(255),
  sender: id.startsWith("@"),
  origin_server_ts: z.number(),
  state_key: z.string().max(255).optional(),
  content,
  redacts: id.optional().catch(undefined),
  unsigned: z
    .object({
      age: z.number().optional().catch(undefined),
      prev_content: content.optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/** Decodes one event; null when it is malformed. */
export function decodeEvent(raw: unknown, roomId: string, origin: RoomEvent["origin"]): RoomEvent | null {
  const result = rawEventSchema.safeParse(raw);
  if (!result.success) return null;
  const event = result.data;
  const redacts = event.redacts ?? id.safeParse(event.content["redacts"]).data ?? null;
  return {
    eventId: event.event_id,
    roomId,
    type: event.type,
    sender: event.sender,
    stateKey: event.state_key ?? null,
    originServerTs: event.origin_server_ts,
    ageMs: event.unsigned?.age ?? null,
    content: event.content,
    prevContent: event.unsigned?.prev_content ?? null,
    redacts: event.type === "m.room.redaction" ? redacts : null,
    origin,
  };
}

const events = z
  .object({ events: z.array(z.unknown()).default([]) })
  .default({ events: [] })
  .catch({ events: [] });

const joinedRoomSchema = z.object({
  state: events,
  timeline: z
    .object({
      events: z.array(z.unknown()).default([]),
      limited: z.boolean().default(false),
      prev_batch: z.string().optional(),
    })
    .default({ events: [], limited: false }),
});
const leftRoomSchema = z.object({ state: events, timeline: events });
const invitedRoomSchema = z.object({ invite_state: events });

const syncSchema = z.object({
  next_batch: z.string().min(1),
  rooms: z
    .object({
      join: z.record(z.string(), joinedRoomSchema).default({}),
      leave: z.record(z.string(), leftRoomSchema).default({}),
      invite: z.record(z.string(), invitedRoomSchema).default({}),
    })
    .default({ join: {}, leave: {}, invite: {} }),
});

export type SyncResponse = z.infer<typeof syncSchema>;
export type JoinedRoomBlock = z.infer<typeof joinedRoomSchema>;
export type LeftRoomBlock = z.infer<typeof leftRoomSchema>;
export type InvitedRoomBlock = z.infer<typeof invitedRoomSchema>;

/** The frame of a /sync answer; its events stay undecoded. @throws ZodError */
export function decodeSync(body: unknown): SyncResponse {
  return syncSchema.parse(body);
}

const strippedMemberSchema = z.object({
  type: z.literal("m.room.member"),
  sender: id.startsWith("@"),
  state_key: id.startsWith("@"),
  content: z.object({ membership: z.string() }),
});

/** Who invited `userId`, by the stripped state of an invitation; null when it does not say. */
export function inviterOf(block: InvitedRoomBlock, userId: string): string | null {
  for (const raw of block.invite_state.events) {
    const member = strippedMemberSchema.safeParse(raw);
    if (!member.success || member.data.state_key !== userId) continue;
    if (member.data.content.membership === "invite") return member.data.sender;
  }
  return null;
}

const messagesSchema = z.object({ chunk: z.array(z.unknown()).default([]), end: z.string().optional() });

/** A page of /messages. @throws ZodError */
export function decodeMessages(body: unknown): z.infer<typeof messagesSchema> {
  return messagesSchema.parse(body);
}
