import type { BotError } from "../base/errors.ts";
import type { LogEvent, LogFields } from "../base/log.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { PeerState } from "../media/plane.ts";
import type { DescriptionSignal, Form, Signal } from "./codec.ts";
import type { MembershipPriority, SignalPriority } from "./ports.ts";
import type { Member, MembershipEvent, Stamp } from "./roster.ts";

/**
 * State, events and effects of one channel. The reducer (reducer.ts) is a function of (state, event, now); the session
 * (session.ts) carries the effects out and brings their results back as events. All times are monotonic ms.
 */
export interface ChannelState {
  readonly ownKey: string;
  readonly ownUserId: string;
  readonly limits: ChannelLimits;
  own: Own;
  /** What stands in the room under our key, whoever wrote it. */
  standing: Standing | null;
  /** The last LEFT that we wrote: any other one in our name is news. */
  clearedId: string | null;
  /** Who overwrote our key, which is to be written again when we are in. */
  overwritten: { by: string; joinState: "JOINED" | "LEFT" } | null;
  /** When it was written again because of that, lately. */
  repairsMs: readonly number[];
  /** When LEFT was last found under our key and written over: who believed it closed about then. */
  lostMs: number | null;
  /** No offers before: who believed LEFT looks at none until it has seen our JOINED. */
  offersFromMs: number | null;
  planeUp: boolean;
  /** When the homeserver last told what is new; null: nobody says. */
  syncedMs: number | null;
  readonly members: Map<string, Member>;
  readonly peers: Map<string, Peer>;
  /** Offers that came before their sender's JOINED, by key. */
  readonly held: Map<string, HeldOffer>;
  /** People who are known not to be in the room. */
  outside: ReadonlySet<string>;
  /** Times of the offers of the last minute, by sender. */
  readonly offerTimes: Map<string, readonly number[]>;
  /** What the room was told and when, so that nobody can make us repeat ourselves. */
  readonly told: Map<string, number>;
  /** When we last reset ourselves for everybody as the last resort. */
  resetMs: number | null;
  /** Source of the numbers of writes and connections. */
  nextId: number;
}

export interface ChannelLimits {
  /** Members of a channel that are looked at; further ones are ignored. */
  maxMembers: number;
  /** Of them with keys of one person: anybody can make up keys without end. */
  maxKeysPerUser: number;
  /** Offers of one person that are looked at within a minute. */
  maxOffersPerMinute: number;
}

export const defaultLimits: ChannelLimits = {
  maxMembers: 100,
  maxKeysPerUser: 5,
  maxOffersPerMinute: 10,
};

export interface Standing {
  joinState: "JOINED" | "LEFT";
  eventId: string;
  sender: string;
  stamp: Stamp | null;
}

/** Why we are on the way in: somebody asked, or we come back after losing the media plane or as the last resort. */
export interface Trip {
  why: "asked" | "lost" | "reset";
  /** Past this a trip that nobody waits for ends outside. */
  giveUpMs: number;
}

/** Our own membership; the diagram is in own-membership.ts. */
export type Own =
  | { phase: "out" }
  | { phase: "clearing"; trip: Trip; putId: number; untilMs: number }
  | { phase: "pausing"; trip: Trip; untilMs: number }
  /** `retryMs` is set while no request is under way. */
  | { phase: "opening"; trip: Trip; openId: number; retryMs: number | null; untilMs: number }
  /** `writtenMs` is when JOINED was asked for: the others count from then. */
  | { phase: "joining"; trip: Trip; putId: number; writtenMs: number; untilMs: number }
  | { phase: "settling"; trip: Trip; eventId: string; echoed: boolean; writtenMs: number; untilMs: number }
  /** `writtenMs` is when the membership was last written, or tried to; `refreshMs` when it is due again. */
  | {
      phase: "in";
      writtenMs: number;
      refreshMs: number;
      refreshing: { putId: number; sinceMs: number } | null;
    }
  | { phase: "leaving"; putId: number; untilMs: number; joinAgain: boolean };

/** What we remember of a peer over its connections. */
export interface PeerMemory {
  readonly key: string;
  /** The form it used last; null before it described anything. */
  spoken: Form | null;
  /** Offers of ours in a row that led to no connection. */
  attempts: number;
  /** Those of them since it last described anything: they may have had a form that it cannot read. */
  unanswered: number;
  /** Connections or rounds of offers that failed, in a row. */
  failures: number;
  /** Stamp of the newest offer that we took; an older one that arrives later is void. */
  offerStamp: Stamp | null;
  /** Remote candidates that wait for their description. */
  candidates: readonly RemoteCandidate[];
  /** When it was offered again because of a LEFT under our key that was not ours, lately. */
  restoredMs: readonly number[];
}

/** `connection` numbers our connections: results and events of a former one are recognised by it. */
export type PeerPhase =
  /** They joined after us: their offer is expected. */
  | { phase: "waiting"; untilMs: number }
  /** Wants an offer and waits for its turn; `restore`: before others, since its connection was lost by no fault of its own. */
  | { phase: "due"; restore: boolean }
  /** The plane makes the offer. */
  | { phase: "making"; connection: number; form: Form; restore: boolean }
  /** The offer is on its way to the homeserver, which may be a long way when it limits our rate. */
  | {
      phase: "sending";
      connection: number;
      form: Form;
      untilMs: number;
      /** Theirs came meanwhile: ours is being taken back, and if that succeeds theirs is answered. */
      theirs: { signal: DescriptionSignal; stamp: Stamp } | null;
    }
  /** The homeserver has it; their answer is expected. */
  | { phase: "offered"; connection: number; form: Form; untilMs: number }
  /** They offered, and wait until fewer answers are under way. */
  | { phase: "owed"; signal: DescriptionSignal }
  /** The plane answers their offer. */
  | { phase: "answering"; connection: number; form: Form; remoteId: string }
  /** Both descriptions are there; until `answerSent` ours may still be on its way to the homeserver. */
  | { phase: "connecting"; connection: number; remoteId: string; answerSent: boolean; untilMs: number }
  /** Media flows; `shakyUntilMs` while it is interrupted. */
  | { phase: "connected"; connection: number; remoteId: string; sinceMs: number; shakyUntilMs: number | null }
  /** No connection; their refresh (not before `notBeforeMs`) or offer is waited for. One that worked ended at `endedMs`. */
  | { phase: "dormant"; notBeforeMs: number; endedMs: number | null };

export type Peer = PeerMemory & PeerPhase;

export interface RemoteCandidate {
  candidate: string;
  mid: string | null;
}

export interface HeldOffer {
  sender: string;
  signal: DescriptionSignal;
  stamp: Stamp;
  candidates: readonly RemoteCandidate[];
  untilMs: number;
}

export type ChannelInput =
  | { kind: "tick" }
  | { kind: "join" }
  | { kind: "leave" }
  /** The homeserver told what is new; `afterFailure`: for a while it could not. */
  | { kind: "synced"; afterFailure: boolean }
  | { kind: "plane"; up: boolean }
  /** Somebody's `m.room.member`, ours included. */
  | { kind: "room.member"; userId: string; inRoom: boolean }
  | { kind: "membership"; eventId: string; event: MembershipEvent }
  | { kind: "signal"; sender: string; signal: Signal; stamp: Stamp }
  /** Results of effects. */
  | { kind: "put.done"; putId: number; joinState: "JOINED" | "LEFT"; eventId: string }
  | { kind: "put.failed"; putId: number; error: BotError }
  | { kind: "open.done"; openId: number }
  | { kind: "open.failed"; openId: number; error: BotError }
  | { kind: "described"; key: string; connection: number; sdp: string }
  /** The plane or the homeserver did not take something of this connection. */
  | { kind: "peer.broken"; key: string; connection: number; error: BotError }
  | { kind: "sent"; key: string; connection: number }
  /** Events of the plane; they carry no connection number. */
  | { kind: "peer.state"; key: string; state: PeerState }
  | { kind: "peer.candidate"; key: string; candidate: string; mid: string };

/** What takes its time, on the room or the plane; results come back as inputs. */
export type WorkEffect =
  | { do: "put"; putId: number; joinState: "JOINED" | "LEFT"; priority: MembershipPriority }
  | { do: "channel.open"; openId: number }
  | { do: "channel.close" }
  | { do: "peer.offer"; key: string; connection: number }
  | { do: "peer.answer"; key: string; connection: number; sdp: string }
  /** Our answer has left. */
  | { do: "peer.answered"; key: string }
  | { do: "peer.accept"; key: string; connection: number; sdp: string }
  | { do: "peer.candidate"; key: string; candidate: string; mid: string | null }
  | { do: "peer.close"; key: string }
  /** Take back the offer under way, if it has not left; its result says which. */
  | { do: "unsend"; key: string }
  | {
      do: "send";
      key: string;
      /** Null for a candidate: nobody waits for it. */
      connection: number | null;
      content: Record<string, unknown>;
      priority: SignalPriority;
    };

export type Effect =
  | WorkEffect
  /** The plane has the channel, or has it no more. */
  | { do: "media"; open: boolean }
  | { do: "join.failed"; error: BotError }
  | { do: "tell"; sentence: Sentence }
  | { do: "log"; level: "debug" | "info" | "warn"; event: LogEvent; fields: LogFields }
  /** Counted, and logged at a bounded rate. */
  | { do: "dropped"; reason: string };

/** One reduction: a copy of the state that may be changed, and what is to be done. */
export interface Turn {
  readonly state: ChannelState;
  readonly effects: Effect[];
  readonly nowMs: number;
  /** The rate budget allows more than what has to be sent. */
  readonly spare: boolean;
  /** A peer left every offer unanswered: if nobody else is connected, we reset ourselves. */
  resetWanted: boolean;
}

export function initialState(
  ownKey: string,
  ownUserId: string,
  planeUp: boolean,
  limits: ChannelLimits = defaultLimits,
): ChannelState {
  return {
    ownKey,
    ownUserId,
    limits,
    own: { phase: "out" },
    standing: null,
    clearedId: null,
    overwritten: null,
    repairsMs: [],
    lostMs: null,
    offersFromMs: null,
    planeUp,
    syncedMs: null,
    members: new Map(),
    peers: new Map(),
    held: new Map(),
    outside: new Set(),
    offerTimes: new Map(),
    told: new Map(),
    resetMs: null,
    nextId: 1,
  };
}

export function beginTurn(state: ChannelState, nowMs: number, spare: boolean): Turn {
  return {
    state: {
      ...state,
      members: new Map(state.members),
      peers: new Map(state.peers),
      held: new Map(state.held),
      offerTimes: new Map(state.offerTimes),
      told: new Map(state.told),
    },
    effects: [],
    nowMs,
    spare,
    resetWanted: false,
  };
}

export function takeId(turn: Turn): number {
  return turn.state.nextId++;
}

const TELL_AGAIN_MS = 10 * 60_000;
/** Whoever has many names could make us say as many things. */
const MAX_TOLD = 6;

/** Tells the room something about `subject`, but not the same again within ten minutes, and not everything. */
export function tellOnce(turn: Turn, subject: string, sentence: Sentence): void {
  const { told } = turn.state;
  const id = `${sentence.key} ${subject}`;
  const last = told.get(id);
  if (last !== undefined && turn.nowMs - last < TELL_AGAIN_MS) return;
  for (const [other, atMs] of told) {
    if (turn.nowMs - atMs >= TELL_AGAIN_MS) told.delete(other);
  }
  if (told.size >= MAX_TOLD) return;
  told.set(id, turn.nowMs);
  turn.effects.push({ do: "tell", sentence });
}

export function mediaFlows(state: ChannelState, key: string): boolean {
  return state.peers.get(key)?.phase === "connected";
}
