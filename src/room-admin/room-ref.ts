import { z } from "zod";
import { BotError } from "../base/errors.ts";
import { apiPath, type Homeserver } from "../matrix/homeserver.ts";

/** `@name:server`, as the specification bounds it. */
export const userIdSchema = z
  .string()
  .max(255)
  .regex(/^@[^\s:\p{C}]+:[A-Za-z0-9.:[\]-]+$/u, "must be a user id like @ada:example.org");

const LINK = /^https?:\/\/matrix\.to\/#\/([^?]+)/;
const ROOM_ID = /^![^\s\p{C}]{1,254}$/u;
const ALIAS = /^#[^\s\p{C}]+:[A-Za-z0-9.:[\]-]+$/u;

/** A room as people write it: its id, an alias, or a matrix.to link to either. Null: none of them. */
export function parseRoomRef(text: string): { kind: "id" | "alias"; value: string } | null {
  const link = LINK.exec(text.trim())?.[1];
  const value = link === undefined ? text.trim() : decoded(link);
  if (value !== null && ROOM_ID.test(value)) return { kind: "id", value };
  if (value !== null && value.length <= 255 && ALIAS.test(value)) return { kind: "alias", value };
  return null;
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/**
 * The id of a room.
 * @throws BotError `bad_command` (no room id, alias or link), HomeserverError `not_found` (no such alias)
 */
export async function resolveRoom(homeserver: Homeserver, text: string): Promise<string> {
  const ref = parseRoomRef(text);
  if (ref === null) {
    throw new BotError(
      "bad_command",
      "ROOM must be a room id like !abc:example.org, an alias like #voice:example.org, or a matrix.to link",
    );
  }
  if (ref.kind === "id") return ref.value;
  const path = apiPath`/_matrix/client/v3/directory/room/${ref.value}`;
  const answer = await homeserver.request("GET", path);
  return z.object({ room_id: z.string().regex(ROOM_ID) }).parse(answer).room_id;
}

/** @param via a homeserver that is in the room: an id alone does not say where it is */
export function linkTo(roomId: string, via: string): string {
  return `https://matrix.to/#/${encodeURIComponent(roomId)}?via=${encodeURIComponent(via)}`;
}
