import type { ChannelSession } from "../channel/session.ts";
import type { RoomContext } from "../commands/room-context.ts";
import type { MatrixSession, RoomState } from "../matrix/session.ts";
import type { RoomCard } from "./card/room-card.ts";
import { peopleThere } from "./people-there.ts";
import type { RoomTalk } from "./room-talk.ts";

type Given = Pick<
  RoomContext,
  | "prefix"
  | "player"
  | "votes"
  | "volumes"
  | "sources"
  | "recorder"
  | "recordings"
  | "consent"
  | "clips"
  | "settings"
  | "report"
  | "status"
>;

export interface CommandsContextDeps extends Given {
  room: RoomState;
  session: Pick<MatrixSession, "readEvent">;
  channel: Pick<ChannelSession, "state" | "members" | "leave">;
  talk: Pick<RoomTalk, "language" | "reply" | "waitFor">;
  /** Says what is on, and may be the answer. */
  card: Pick<RoomCard, "answer">;
  /** Brings the bot into the channel because somebody wants it there. */
  join: () => Promise<void>;
  /** Somebody does not want it there. */
  onSentAway: () => void;
}

/** A room as its commands see it. */
export function commandsContext(deps: CommandsContextDeps): RoomContext {
  const {
    room,
    session,
    channel,
    talk,
    card,
    join,
    onSentAway,
    prefix,
    player,
    votes,
    volumes,
    sources,
    recorder,
    settings,
    report,
    status,
  } = deps;
  const { consent, recordings, clips } = deps;
  return {
    ...{ roomId: room.id, ownUserId: room.ownUserId, prefix },
    ...{ player, votes, volumes, sources, recorder, recordings, consent, clips, settings, report, status },
    get language() {
      return talk.language;
    },
    get encrypted() {
      return room.encrypted;
    },
    channel: {
      get joined() {
        return channel.state === "in";
      },
      get people() {
        return peopleThere(deps).size;
      },
      isAlone(userId) {
        const people = peopleThere(deps);
        return people.size === 1 && people.has(userId);
      },
      join,
      leave: () => {
        onSentAway();
        return channel.leave();
      },
    },
    powerOf: (userId) => room.powerOf(userId),
    powerNeeded: (type, isState) => room.powerNeeded(type, isState),
    displayName: (userId) => room.displayName(userId),
    isHere: (userId) => room.membershipOf(userId) === "join",
    usersCalled: (name) => {
      const called = name.toLowerCase();
      return [...room.joinedMembers()].filter((userId) => room.displayName(userId).toLowerCase() === called);
    },
    reply(eventId, sentence, thread = null) {
      // The card is for the whole room.
      if (thread !== null) return talk.reply(eventId, sentence, thread);
      const { say, sent } = card.answer(eventId, sentence);
      talk.waitFor(sent);
      if (say) talk.reply(eventId, say);
    },
    fetchMessage: (eventId) => session.readEvent(room.id, eventId),
  };
}
