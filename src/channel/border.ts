import { decodeMembership, decodeSignal, isStateKey } from "./codec.ts";
import { MEMBERSHIP_TYPE, SIGNAL_TYPE } from "./ports.ts";
import type { ChannelRoomEvent } from "./ports.ts";
import type { ChannelInput } from "./state.ts";

/** Signalling that the homeserver has had for longer is an echo of the past (its cached sync answers, a gap). */
const MAX_SIGNAL_AGE_MS = 30_000;

/** Why an event was not used; null for one that was never meant for us. */
export interface Dropped {
  dropped: string | null;
}

/** The border of the channel: an event of the room as what the reducer takes, or why not. `wallMs` is the time of day. */
export function decodeRoomEvent(event: ChannelRoomEvent, wallMs: number): ChannelInput | Dropped {
  if (event.type === MEMBERSHIP_TYPE) return membership(event, wallMs);
  if (event.type === SIGNAL_TYPE) return signal(event, wallMs);
  return { dropped: null };
}

function membership(event: ChannelRoomEvent, wallMs: number): ChannelInput | Dropped {
  const { stateKey: key, sender, originServerTs } = event;
  if (key === null || !isStateKey(key)) return { dropped: "bad_key" };
  const decoded = decodeMembership(event.content);
  if (!decoded.ok) return { dropped: `membership_${decoded.reason}` };
  const snapshot = event.origin === "state";
  // A homeserver that gives no age leaves us our clock against its own; what is live has just happened.
  const ageMs = Math.max(0, event.ageMs ?? (snapshot ? wallMs - originServerTs : 0));
  const membership = decoded.value;
  return {
    kind: "membership",
    eventId: event.eventId,
    event: { key, sender, membership, originServerTs, ageMs, wallMs, snapshot },
  };
}

function signal(event: ChannelRoomEvent, wallMs: number): ChannelInput | Dropped {
  if (event.origin === "state" || event.stateKey !== null) return { dropped: null };
  if ((event.ageMs ?? 0) > MAX_SIGNAL_AGE_MS) return { dropped: "old_signal" };
  const decoded = decodeSignal(event.content);
  if (!decoded.ok) {
    return { dropped: decoded.reason === "end_of_candidates" ? null : `signal_${decoded.reason}` };
  }
  const stamp = { serverTs: event.originServerTs, wallMs };
  return { kind: "signal", sender: event.sender, signal: decoded.value, stamp };
}
