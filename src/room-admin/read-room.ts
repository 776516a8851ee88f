// One look at a room by the client-server API, for commands that follow no sync.
import { z } from "zod";
import { decodeEvent, type RoomEvent } from "../matrix/events.ts";
import { apiPath, HomeserverError, type Homeserver, type RequestOptions } from "../matrix/homeserver.ts";
import { decodeCreation, decodePowerLevels, powerNeeded, powerOf } from "../matrix/power-levels.ts";
import type { Creation, PowerLevels } from "../matrix/power-levels.ts";
import type { RoomFacts } from "./missing.ts";

/** What m.room.power_levels and m.room.create say. */
export interface PowerState {
  /** As the room has it, with all that we do not know; null: the room has no power levels event. */
  readonly content: Readonly<Record<string, unknown>> | null;
  readonly levels: PowerLevels | null;
  readonly creation: Creation;
}

/** A room as it was when it was read. */
export interface ReadRoom extends RoomFacts {
  readonly id: string;
  readonly name: string | null;
  readonly power: PowerState;
  /** `join`, `invite`, `leave`, … of `ownUserId`; `leave` when the room never heard of it. */
  readonly ownMembership: string;
}

type Bounds = Pick<RequestOptions, "signal">;

const WHOLE_STATE_MS = 120_000;

const record = z.record(z.string(), z.unknown());
const named = z.object({ name: z.string().trim().min(1).max(255) });
const membershipSchema = z.object({ membership: z.string() });

/**
 * Reads what decides about the voice channel: a handful of small requests, also for rooms with many members.
 * @param botUserId whom `RoomFacts.ownUserId` means; the token may be somebody else's, who must be in the room
 * @throws HomeserverError `forbidden` (not in the room), `not_found`; BotError as `Homeserver.request`
 */
export async function readRoom(
  homeserver: Homeserver,
  roomId: string,
  botUserId: string,
  options: Bounds = {},
): Promise<ReadRoom> {
  const state = (type: string, stateKey = ""): Promise<unknown> =>
    stateOf(homeserver, apiPath`/_matrix/client/v3/rooms/${roomId}/state/${type}/${stateKey}`, options);
  const [creation, rawLevels, encryption, name, member] = await Promise.all([
    readCreation(homeserver, roomId, options),
    state("m.room.power_levels"),
    state("m.room.encryption"),
    state("m.room.name"),
    state("m.room.member", botUserId),
  ]);
  const content = record.safeParse(rawLevels).data ?? null;
  const levels = rawLevels === null ? null : decodePowerLevels(rawLevels);
  return {
    id: roomId,
    ownUserId: botUserId,
    encrypted: encryption !== null,
    name: named.safeParse(name).data?.name ?? null,
    ownMembership: membershipSchema.safeParse(member).data?.membership ?? "leave",
    power: { content, levels, creation },
    powerOf: (userId) => powerOf(userId, levels, creation),
    powerNeeded: (type, isState) => powerNeeded(type, isState, levels),
  };
}

/** The content of a state event; null when the room has none. */
async function stateOf(homeserver: Homeserver, path: string, options: Bounds): Promise<unknown> {
  try {
    return await homeserver.request("GET", path, options);
  } catch (error) {
    if (error instanceof HomeserverError && error.errcode === "M_NOT_FOUND") return null;
    throw error;
  }
}

/** The creator is the sender of the event, which the plain content does not name. */
async function readCreation(homeserver: Homeserver, roomId: string, options: Bounds): Promise<Creation> {
  const path = apiPath`/_matrix/client/v3/rooms/${roomId}/state/m.room.create/`;
  const answer = await homeserver.request("GET", path, { ...options, query: { format: "event" } });
  const event = decodeEvent(answer, roomId, "state") ?? (await findCreation(homeserver, roomId, options));
  return decodeCreation(event?.sender ?? "", event?.content);
}

/** For homeservers that know no `format=event`: in the whole state, which may be large. */
async function findCreation(
  homeserver: Homeserver,
  roomId: string,
  options: Bounds,
): Promise<RoomEvent | null> {
  const path = apiPath`/_matrix/client/v3/rooms/${roomId}/state`;
  const answer = await homeserver.request("GET", path, { ...options, timeoutMs: WHOLE_STATE_MS });
  const isCreation = (event: RoomEvent | null): boolean => event?.type === "m.room.create";
  const events = z.array(z.unknown()).parse(answer);
  return events.map((event) => decodeEvent(event, roomId, "state")).find(isCreation) ?? null;
}
