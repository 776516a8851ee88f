import { z } from "zod";
import { apiPath, type Homeserver } from "../matrix/homeserver.ts";

/** More rooms are counted and not looked at. */
const MAX_ROOMS = 50;

const joinedSchema = z.object({ joined_rooms: z.array(z.string()) });
const eventSchema = z.object({
  type: z.string(),
  state_key: z.string(),
  origin_server_ts: z.number(),
  content: z.record(z.string(), z.unknown()).catch({}),
});

/** The rooms that the account is in; `more` is how many were left out. @throws BotError */
export async function joinedRooms(
  homeserver: Homeserver,
  signal: AbortSignal,
): Promise<{ rooms: string[]; more: number }> {
  const body = await homeserver.request("GET", "/_matrix/client/v3/joined_rooms", { signal });
  const { joined_rooms: all } = joinedSchema.parse(body);
  return { rooms: all.slice(0, MAX_ROOMS), more: Math.max(0, all.length - MAX_ROOMS) };
}

export interface StandingMembership {
  stateKey: string;
  joined: boolean;
  originServerTs: number;
}

/** The memberships of a room's channel as they stand. @throws BotError */
export async function standingMemberships(
  homeserver: Homeserver,
  roomId: string,
  type: string,
  signal: AbortSignal,
): Promise<StandingMembership[]> {
  const path = apiPath`/_matrix/client/v3/rooms/${roomId}/state`;
  const events = z.array(z.unknown()).parse(await homeserver.request("GET", path, { signal }));
  return events.flatMap((raw) => {
    const event = eventSchema.safeParse(raw);
    if (!event.success || event.data.type !== type) return [];
    const { state_key: stateKey, content, origin_server_ts: originServerTs } = event.data;
    return [{ stateKey, joined: content["join_state"] === "JOINED", originServerTs }];
  });
}
