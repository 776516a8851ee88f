import { decodeEvent, decodeSync, type RoomEvent } from "../matrix/events.ts";
import type { Actor } from "./actor.ts";

const TYPES = ["m.room.create", "m.room.name", "m.room.tombstone"];
const SYNC_MS = 120_000;

/**
 * A room of that name which the account made, is in, and did not move away from; null when there is none. So a command
 * that was cut off, or is given twice, makes no second room.
 * @throws BotError as `Homeserver.request`
 */
export async function findOwnRoom({ userId, homeserver }: Actor, name: string): Promise<string | null> {
  const none = { types: [] };
  const room = {
    account_data: none,
    ephemeral: none,
    // Synapse answers the same question within two minutes from its cache, without a room that was made in between.
    timeline: { limit: 1 + Math.floor(Math.random() * 1e6), types: [] },
    state: { types: TYPES },
  };
  const filter = JSON.stringify({ presence: none, account_data: none, room });
  const answer = await homeserver.request("GET", "/_matrix/client/v3/sync", {
    query: { filter, timeout: 0, set_presence: "offline" },
    timeoutMs: SYNC_MS,
  });
  for (const [roomId, block] of Object.entries(decodeSync(answer).rooms.join)) {
    const events = block.state.events
      .map((event) => decodeEvent(event, roomId, "state"))
      .filter((event) => event?.stateKey === "");
    const find = (type: string): RoomEvent | null => events.find((event) => event?.type === type) ?? null;
    if (find("m.room.tombstone") !== null || find("m.room.create")?.sender !== userId) continue;
    if (find("m.room.name")?.content["name"] === name) return roomId;
  }
  return null;
}
