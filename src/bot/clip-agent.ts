import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { render } from "../base/messages/catalogue.ts";
import type { ChannelChange, ChannelSession } from "../channel/session.ts";
import type { RoomState } from "../matrix/session.ts";
import type { MediaPlane } from "../media/plane.ts";
import type { RecordingArchive } from "../recorder/archive.ts";
import { RoomClips } from "../recorder/clip/clips.ts";
import { ClipKeeper } from "../recorder/clip/keeper.ts";
import { ClipNotices } from "../recorder/clip/notices.ts";
import type { RecordingConsent } from "../recorder/consent-port.ts";
import type { PeopleFeed } from "../recorder/recorder.ts";
import type { RoomSettings } from "../settings/room-settings.ts";
import type { RoomTalk } from "./room-talk.ts";

export interface ClipAgentDeps {
  room: Pick<RoomState, "id" | "displayName">;
  plane: MediaPlane;
  archive: RecordingArchive;
  channel: Pick<ChannelSession, "members" | "state">;
  talk: Pick<RoomTalk, "tell" | "language">;
  settings: RoomSettings;
  consent: RecordingConsent;
  /** Calls a listener on each change of who is in the channel. */
  onPeople: PeopleFeed["onChange"];
  prefix: string;
  clock: Clock;
  log: Log;
}

/** Clips in one room: whose voices are kept for them, who is told, and the clips themselves. */
export class ClipAgent {
  readonly clips: RoomClips;
  readonly #keeper: ClipKeeper;
  readonly #notices: ClipNotices;

  constructor(deps: ClipAgentDeps) {
    const { room, plane, archive, channel, talk, settings, consent, onPeople, prefix, clock } = deps;
    const { log } = deps;
    const displayName = (userId: string): string => room.displayName(userId);
    const people: PeopleFeed = {
      list: () => channel.members().map(({ key, userId }) => ({ key, userId, name: displayName(userId) })),
      onChange: onPeople,
    };
    const common = { channel: room.id, plane, people, consent, settings, prefix, clock, log };
    this.#keeper = new ClipKeeper(common);
    this.#notices = new ClipNotices({ ...common, tell: (sentence) => talk.tell(sentence) });
    this.clips = new RoomClips({
      ...{ ...common, roomId: room.id, archive, displayName, keeper: this.#keeper },
      isInside: () => channel.state === "in",
      title: () => render({ key: "clip.title" }, talk.language).text,
    });
  }

  /** Anything in the channel is different. */
  changed(change: ChannelChange): void {
    if (change.kind === "media") {
      if (change.open) this.#keeper.channelOpened();
      else this.#keeper.channelClosed();
    } else if (change.kind === "state") {
      if (change.new === "in") this.#notices.entered();
      else if (change.new === "out") this.#notices.left();
    }
  }

  /** Idempotent. Whoever closes it closes the channel, too. */
  close(): void {
    this.#notices.close();
    this.#keeper.close();
  }
}
