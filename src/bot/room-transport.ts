import { MEMBERSHIP_TYPE, SIGNAL_TYPE, type ChannelTransport } from "../channel/ports.ts";
import type { DelayedEvents } from "../matrix/delayed-events.ts";
import type { MatrixSession } from "../matrix/session.ts";

export interface RoomTransportDeps {
  roomId: string;
  session: Pick<MatrixSession, "outbox">;
  delayed: Pick<DelayedEvents, "hold" | "release">;
}

/** How the channel writes to its room. While JOINED stands, the homeserver holds a LEFT that it posts if we fall silent. */
export function roomTransport({ roomId, session: { outbox }, delayed }: RoomTransportDeps): ChannelTransport {
  return {
    spare: () => outbox.spare,
    putMembership(stateKey, content, priority) {
      const event = { roomId, type: MEMBERSHIP_TYPE, stateKey };
      const written = outbox.send(
        roomId,
        { kind: "state", type: MEMBERSHIP_TYPE, stateKey, content, stampField: "timestamp" },
        { priority },
      );
      const joining = content.join_state === "JOINED";
      if (!joining) delayed.release(event, written);
      written.then(
        // A JOINED that was on its way may have been taken after all, before this LEFT.
        () =>
          joining
            ? delayed.hold({ ...event, content: { ...content, join_state: "LEFT" } })
            : delayed.release(event, Promise.resolve()),
        () => undefined,
      );
      return written;
    },
    sendSignal: (content, priority, signal) =>
      outbox.send(roomId, { kind: "message", type: SIGNAL_TYPE, content }, { priority, signal }),
  };
}
