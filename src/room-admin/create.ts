import { z } from "zod";
import { BotError } from "../base/errors.ts";
import { apiPath, HomeserverError, type Homeserver } from "../matrix/homeserver.ts";
import { powerOf } from "../matrix/power-levels.ts";
import type { Actor } from "./actor.ts";
import { createRoomBody, MODERATOR_LEVEL, OWNER_LEVEL, type RoomPlan } from "./new-room.ts";
import { findOwnRoom } from "./own-rooms.ts";
import { powerLevelsFor, withChanges, type PowerChange } from "./power.ts";
import { readRoom, type PowerState } from "./read-room.ts";

export interface CreateOptions {
  bot: Actor;
  plan: RoomPlan;
  /** Moderators and owners are invited anyway. */
  invite: readonly string[];
  /** Makes a room even if the bot made one of that name before. */
  another: boolean;
}

export interface Invitation {
  readonly userId: string;
  /** `here`: in the room, or invited before. */
  readonly outcome: "invited" | "here" | "failed";
  /** Why it failed; else "". */
  readonly reason: string;
}

export interface CreatedRoom {
  readonly roomId: string;
  /** False: the bot had made it before, and it was brought up to date. */
  readonly isNew: boolean;
  /** Power levels that were put right in a room of before. */
  readonly changes: readonly PowerChange[];
  readonly invitations: readonly Invitation[];
}

const capabilitiesSchema = z.object({
  capabilities: z.object({ "m.room_versions": z.object({ default: z.string().min(1).max(32) }) }),
});
const createdSchema = z.object({ room_id: z.string().min(1) });
const membershipSchema = z.object({ membership: z.string() });

/**
 * Makes a voice room, or takes the one of that name that the bot made before, and invites people.
 * @throws BotError `room_encrypted` (the homeserver encrypts every room; the new one was left), others as
 * `Homeserver.request`
 */
export async function createRoom(options: CreateOptions): Promise<CreatedRoom> {
  const { bot, plan, another } = options;
  const { homeserver } = bot;
  const known = another ? null : await findOwnRoom(bot, plan.name);
  const roomId = known ?? (await make(options));
  const room = await readRoom(homeserver, roomId, bot.userId);
  if (room.encrypted) {
    if (known === null) await homeserver.request("POST", leavePath(roomId), { body: {} });
    throw new BotError("room_encrypted", encryptedAnyway(roomId, known === null));
  }
  const changes = [...powerLevelsFor(room.power, bot.userId), ...ranksFor(room.power, plan)];
  if (changes.length > 0) {
    const path = apiPath`/_matrix/client/v3/rooms/${roomId}/state/m.room.power_levels/`;
    await homeserver.request("PUT", path, { body: withChanges(room.power, changes) });
  }
  const invitations: Invitation[] = [];
  for (const userId of new Set([...plan.owners, ...plan.moderators, ...options.invite])) {
    if (userId !== bot.userId) invitations.push(await invite(homeserver, roomId, userId));
  }
  return { roomId, isNew: known === null, changes, invitations };
}

async function make({ bot, plan }: CreateOptions): Promise<string> {
  const answer = await bot.homeserver.request("GET", "/_matrix/client/v3/capabilities");
  const version = capabilitiesSchema.parse(answer).capabilities["m.room_versions"].default;
  const body = createRoomBody(plan, bot.userId, version);
  const created = await bot.homeserver.request("POST", "/_matrix/client/v3/createRoom", { body });
  return createdSchema.parse(created).room_id;
}

/** Levels of moderators and owners that are lower than planned; nobody loses any. */
function ranksFor({ levels, creation }: PowerState, plan: RoomPlan): PowerChange[] {
  const wanted = new Map([
    ...plan.moderators.map((userId) => [userId, MODERATOR_LEVEL] as const),
    ...plan.owners.map((userId) => [userId, OWNER_LEVEL] as const),
  ]);
  return [...wanted]
    .map(([key, to]) => {
      const from = levels !== null && Object.hasOwn(levels.users, key) ? (levels.users[key] ?? null) : null;
      return { in: "users" as const, key, from, inForce: powerOf(key, levels, creation), to };
    })
    .filter(({ inForce, to }) => inForce < to);
}

async function invite(homeserver: Homeserver, roomId: string, userId: string): Promise<Invitation> {
  try {
    const path = apiPath`/_matrix/client/v3/rooms/${roomId}/state/m.room.member/${userId}`;
    const member = await homeserver.request("GET", path).catch(nothingThere);
    const { membership } = membershipSchema.safeParse(member).data ?? { membership: "leave" };
    if (membership === "join" || membership === "invite") return { userId, outcome: "here", reason: "" };
    const body = { user_id: userId };
    await homeserver.request("POST", apiPath`/_matrix/client/v3/rooms/${roomId}/invite`, { body });
    return { userId, outcome: "invited", reason: "" };
  } catch (error) {
    if (!(error instanceof HomeserverError)) throw error;
    return { userId, outcome: "failed", reason: error.message };
  }
}

function nothingThere(error: unknown): null {
  if (error instanceof HomeserverError && error.errcode === "M_NOT_FOUND") return null;
  throw error;
}

function encryptedAnyway(roomId: string, left: boolean): string {
  const what = left
    ? "the homeserver encrypted the new room by itself, so the bot left it again"
    : `the room ${roomId} of that name was encrypted`;
  const setting = "Synapse does so with encryption_enabled_by_default_for_room_type";
  return left
    ? `${what} (${setting}: an administrator has to set it to off, or you make a room without encryption yourself and invite the bot)`
    : `${what}; give the new room another name`;
}

function leavePath(roomId: string): string {
  return apiPath`/_matrix/client/v3/rooms/${roomId}/leave`;
}
