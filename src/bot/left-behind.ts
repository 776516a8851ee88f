import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { MEMBERSHIP_TYPE, type ChannelTransport } from "../channel/ports.ts";
import type { RoomState } from "../matrix/session.ts";

/** Whether our key stands as JOINED in the room, by ourselves; when we are out, then from a run that could not say goodbye. */
export function stands(room: RoomState, ownKey: string): boolean {
  return room
    .stateOf(MEMBERSHIP_TYPE)
    .some(
      ({ stateKey, sender, content }) =>
        stateKey === ownKey && sender === room.ownUserId && content["join_state"] === "JOINED",
    );
}

/** Whether we were ever in the room's channel, by what stands in the room. */
export function hasBeenIn(room: RoomState): boolean {
  return room.stateOf(MEMBERSHIP_TYPE).some(({ sender }) => sender === room.ownUserId);
}

/** Posts the LEFT that an earlier run owes. Never rejects. */
export async function clearLeftBehind(deps: {
  room: RoomState;
  ownKey: string;
  transport: Pick<ChannelTransport, "putMembership">;
  clock: Clock;
  log: Log;
}): Promise<void> {
  const { room, ownKey, transport, clock, log } = deps;
  if (!stands(room, ownKey)) return;
  const content = { join_state: "LEFT", timestamp: clock.wall() } as const;
  await transport
    .putMembership(ownKey, content, "leave")
    .catch((error: unknown) => log.warn("send_failed", { what: "LEFT", reason: messageOf(error) }));
}
