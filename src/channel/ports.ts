/**
 * What the channel needs from the room it is in. The app adapts the Matrix session to it; a page may adapt its own.
 */

/** Membership state event, docs/PROTOCOL.md "Events". */
export const MEMBERSHIP_TYPE = "de.mtorials.test.callstate";
/** Signalling message event, docs/PROTOCOL.md "Events". */
export const SIGNAL_TYPE = "de.mtorials.test.call";

/** Order in which the outbox spends the rate budget, first to last (docs/PROTOCOL.md "Times and limits"). */
export type SendPriority =
  "leave" | "restore" | "answer" | "offer" | "refresh" | "candidate" | "reply" | "card";

/** `restore` puts right what somebody else's event under our key did. */
export type MembershipPriority = Extract<SendPriority, "leave" | "restore" | "refresh">;
export type SignalPriority = Extract<SendPriority, "restore" | "answer" | "offer" | "candidate">;

export interface ChannelTransport {
  /** Whether the homeserver's rate limit leaves something over for what is good to have: a quicker refresh. */
  spare(): boolean;
  /**
   * Writes the own membership, whole: the content has fields beyond those named. Resolves with the event id when the homeserver has taken it. A waiting refresh is
   * replaced by a newer write to the same key.
   * @throws BotError `forbidden`, `homeserver`, `cancelled`
   */
  putMembership(
    stateKey: string,
    content: { join_state: "JOINED" | "LEFT"; timestamp: number },
    priority: MembershipPriority,
  ): Promise<string>;
  /**
   * Sends a signalling event. `signal` takes it back as long as it has not left.
   * @throws BotError as above; `cancelled` only if it was never sent.
   */
  sendSignal(
    content: Record<string, unknown>,
    priority: SignalPriority,
    signal: AbortSignal,
  ): Promise<string>;
}

/** An event of the room as the homeserver gave it: `sender`, `type`, `stateKey` and `ageMs` are facts, content a claim. */
export interface ChannelRoomEvent {
  eventId: string;
  type: string;
  sender: string;
  stateKey: string | null;
  originServerTs: number;
  /** The homeserver's own age of the event when we received it; null when it gave none. */
  ageMs: number | null;
  content: unknown;
  /** `live` came in a timeline after start; `state` is a snapshot (start, gap): only membership is read from it. */
  origin: "live" | "state";
}
