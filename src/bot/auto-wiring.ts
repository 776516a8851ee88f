import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { render } from "../base/messages/catalogue.ts";
import type { ChannelSession } from "../channel/session.ts";
import { requireChannelPower } from "../commands/channel-commands.ts";
import type { RoomState } from "../matrix/session.ts";
import type { RoomPlayer } from "../player/playback.ts";
import type { RoomRecorder } from "../recorder/recorder.ts";
import type { RoomSettings } from "../settings/room-settings.ts";
import type { RoomDocuments } from "../store/store.ts";
import { AutoRecord } from "./auto-record.ts";
import { peopleThere } from "./people-there.ts";
import { joinHeard } from "./first-listener.ts";
import type { RoomTalk } from "./room-talk.ts";

export interface AutoWiring {
  room: RoomState;
  channel: ChannelSession;
  player: Pick<RoomPlayer, "nowPlaying">;
  recorder: Pick<RoomRecorder, "start" | "stop" | "status">;
  talk: Pick<RoomTalk, "tell" | "language">;
  settings: RoomSettings;
  documents: RoomDocuments;
  /** The bot is on its way back into the channel of the last run. */
  isComingBack: () => boolean;
  prefix: string;
  clock: Clock;
  log: Log;
}

/** What records by itself in one room, on the room's own parts. */
export function autoRecord(deps: AutoWiring): AutoRecord {
  const { room, channel, player, recorder, talk, isComingBack, prefix, clock } = deps;
  const userId = room.ownUserId;
  return new AutoRecord({
    ...{ settings: deps.settings, documents: deps.documents, clock, log: deps.log },
    isOff: () => room.encrypted,
    isHeld: () => isComingBack() || recorder.status().phase === "interrupted",
    people: () => peopleThere(deps).size,
    channel: {
      get joined() {
        return channel.state === "in";
      },
      join: async () => {
        requireChannelPower({ room });
        await joinHeard(channel, clock);
      },
      leave: () => channel.leave(),
    },
    isPlaying: () => player.nowPlaying()?.phase === "playing",
    recording: () => {
      const status = recorder.status();
      return status.phase !== "recording" ? null : status.automatic ? "automatic" : "by hand";
    },
    start: (people) => recorder.start({ userId, automatic: { people } }),
    end: () => recorder.stop("alone"),
    tell: ({ say }) => {
      const reason = render(say, talk.language).text;
      talk.tell({ key: "record.auto_failed", params: { reason, prefix } });
    },
  });
}
