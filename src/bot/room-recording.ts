import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { ChannelChange, ChannelSession } from "../channel/session.ts";
import type { MatrixSession, RoomEvent, RoomState } from "../matrix/session.ts";
import type { MediaPlane } from "../media/plane.ts";
import type { RoomPlayer } from "../player/playback.ts";
import type { RecordingArchive } from "../recorder/archive.ts";
import type { NameMark } from "../recorder/name-mark.ts";
import { RoomRecorder, type PeopleFeed, type RecorderStatus } from "../recorder/recorder.ts";
import type { RoomRecorderDeps } from "../recorder/recorder-ports.ts";
import { GOES_ON_WITHIN_MS } from "../recorder/stood.ts";
import type { RoomSettings } from "../settings/room-settings.ts";
import type { RoomDocuments } from "../store/store.ts";
import type { AutoRecord } from "./auto-record.ts";
import { autoRecord } from "./auto-wiring.ts";
import { ClipAgent } from "./clip-agent.ts";
import { ConsentAgent } from "./consent-agent.ts";
import { RecordingName } from "./recording-name.ts";
import type { RoomTalk } from "./room-talk.ts";

export interface RoomRecordingDeps {
  room: RoomState;
  session: MatrixSession;
  plane: MediaPlane;
  archive: RecordingArchive;
  channel: ChannelSession;
  player: Pick<RoomPlayer, "nowPlaying">;
  talk: RoomTalk;
  settings: RoomSettings;
  documents: RoomDocuments;
  /** Calls a listener on each change of who is in the channel. */
  onPeople: PeopleFeed["onChange"];
  onEnd: NonNullable<RoomRecorderDeps["onEnd"]>;
  /** The bot is on its way back into the channel of the last run. */
  isComingBack: () => boolean;
  prefix: string;
  clock: Clock;
  log: Log;
}

/**
 * Recording in one room: the recorder, whose voice it may keep, clips, what is recorded by itself, and the bot's name in
 * the room that says what it does.
 */
export class RoomRecording {
  readonly recorder: RoomRecorder;
  readonly consent: ConsentAgent;
  readonly clips: ClipAgent;
  readonly auto: AutoRecord;
  readonly #name: RecordingName;
  readonly #clock: Clock;
  #again: Timer | null = null;

  constructor(deps: RoomRecordingDeps) {
    const { room, session, plane, archive, channel, talk, settings, documents, onPeople, ...rest } = deps;
    const { prefix, clock, player, isComingBack } = rest;
    const onEnd: typeof rest.onEnd = (how, byUserId) => {
      rest.onEnd(how, byUserId);
      // Who sends the bot out of the channel has said that to it, too.
      if (how !== "left") this.auto.ended();
    };
    this.#clock = clock;
    const log = rest.log.child({ room: room.id });
    const nameOf = (userId: string): string => room.displayName(userId);
    const connected = (): ReadonlySet<string> =>
      new Set(channel.links().flatMap(({ key, phase }) => (phase === "connected" ? [key] : [])));
    const people = {
      list: () => channel.members().map(({ key, userId }) => ({ key, userId, name: nameOf(userId) })),
      onChange: onPeople,
    };
    this.consent = new ConsentAgent({
      ...{ room, session, talk, settings, documents, plane, archive, prefix, clock, log },
      people: {
        list: () => {
          const up = connected();
          return people.list().map((person) => ({ ...person, connected: up.has(person.key) }));
        },
        onChange: onPeople,
      },
    });
    this.#name = new RecordingName({
      ...{ room, session, documents, clock, log },
      language: () => talk.language,
    });
    this.recorder = new RoomRecorder({
      ...{ roomId: room.id, channel: room.id, prefix, plane, archive, people, clock, onEnd },
      log: rest.log,
      consent: this.consent.consent,
      displayName: nameOf,
      tell: (sentence) => talk.tell(sentence),
      say: (sentence, what) => this.consent.say(sentence, what),
      onChange: (status) => this.#name.want(markOf(status)),
    });
    const parts = { room, plane, archive, channel, talk, settings, documents, prefix, clock, log };
    this.clips = new ClipAgent({ ...parts, consent: this.consent.consent, onPeople });
    this.auto = autoRecord({ ...parts, player, recorder: this.recorder, isComingBack });
  }

  /** Anything in the channel is different. */
  changed(change: ChannelChange): void {
    if (change.kind === "media" && !change.open) this.recorder.channelClosed();
    this.clips.changed(change);
    this.auto.check();
  }

  /** Every live event of the room. Resolves when what it says holds. */
  async handle(event: RoomEvent): Promise<void> {
    await this.consent.handle(event);
  }

  /** The start is over: a name that an earlier run has left is put right. */
  settled(): void {
    const status = this.recorder.status();
    this.#again?.cancel();
    // What goes on in a moment keeps its name; what does not is over by then.
    if (status.phase !== "interrupted") this.#name.want(markOf(status));
    else this.#again = this.#clock.timer(GOES_ON_WITHIN_MS + 1_000, () => this.settled());
  }

  /** Our own name in the room may be another. */
  named(): void {
    this.#name.changed();
  }

  /** Closes the files of a recording, for the next start to go on with. @param gone we are not in the room any more */
  async close(gone: boolean): Promise<void> {
    if (gone && this.recorder.status().phase === "recording") await this.recorder.stop("left");
    this.#again?.cancel();
    this.auto.close();
    this.clips.close();
    await this.recorder.close();
    this.consent.close();
    this.#name.close();
  }
}

function markOf(status: RecorderStatus): NameMark | null {
  if (status.phase !== "recording") return null;
  return status.paused ? "paused" : "recording";
}
