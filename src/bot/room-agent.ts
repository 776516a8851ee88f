import { ChannelSession, type ChannelChange } from "../channel/session.ts";
import type { ChannelTransport } from "../channel/ports.ts";
import type { Clock } from "../base/clock.ts";
import { Emitter } from "../base/emitter.ts";
import type { Log } from "../base/log.ts";
import type { Language, Sentence } from "../base/messages/catalogue.ts";
import type { Tally } from "../base/tally.ts";
import { AloneTimer } from "./alone-timer.ts";
import { firstListener, RETURN_MS } from "./first-listener.ts";
import { clearLeftBehind, hasBeenIn, stands } from "./left-behind.ts";
import { comeBack } from "./come-back.ts";
import { greet } from "./greeting.ts";
import { RoomCommands } from "../commands/dispatcher.ts";
import { commandsContext } from "./commands-context.ts";
import type { ChannelReport } from "../diagnosis/report.ts";
import type { BotStatus, ChannelStatus } from "../health/status.ts";
import type { DelayedEvents } from "../matrix/delayed-events.ts";
import type { MatrixSession, RoomEvent, RoomState } from "../matrix/session.ts";
import { MovingAgent } from "./moving-agent.ts";
import type { IceSettings, MediaPlane } from "../media/plane.ts";
import type { Covers } from "../player/cover/covers.ts";
import type { LoudnessScans } from "../player/loudness/scans.ts";
import type { StandBy } from "../player/stand-by.ts";
import type { Sources } from "../player/resolver/resolver.ts";
import type { RecordingArchive } from "../recorder/archive.ts";
import type { RoomRecorder } from "../recorder/recorder.ts";
import type { Recordings } from "./recordings.ts";
import { peopleThere } from "./people-there.ts";
import { RoomMusic } from "./room-music.ts";
import { RoomRecording } from "./room-recording.ts";
import { roomReport } from "./room-report.ts";
import { RoomTalk } from "./room-talk.ts";
import { roomTransport } from "./room-transport.ts";
import { RoomSettings } from "../settings/room-settings.ts";
import type { RoomDocuments, Store } from "../store/store.ts";

export interface RoomAgentDeps {
  room: RoomState;
  session: MatrixSession;
  delayed: DelayedEvents;
  plane: MediaPlane;
  store: Store;
  archive: RecordingArchive;
  recordings: Pick<Recordings, "ofRoom">;
  sources: Sources;
  loudness: LoudnessScans;
  standBy: StandBy;
  covers: Covers;
  /** First part of our state key. */
  deviceName: string;
  prefix: string;
  ice: () => IceSettings;
  status: () => BotStatus;
  tally: Tally;
  clock: Clock;
  log: Log;
}

/** Of the outgoing stereo Opus stream, bit/s. */
const BITRATE = 128_000;
const ALONE_MS = 5 * 60_000;

/** Everything the bot is in one room: its channel, player, recorder and commands, and what ties them together. */
export class RoomAgent {
  readonly moving: MovingAgent;
  /** What the people of the room have set. */
  readonly settings: RoomSettings;
  readonly #deps: RoomAgentDeps;
  readonly #log: Log;
  readonly #channel: ChannelSession;
  readonly #music: RoomMusic;
  readonly #recorder: RoomRecorder;
  readonly #recording: RoomRecording;
  readonly #commands: RoomCommands;
  readonly #alone: AloneTimer;
  readonly #people = new Emitter<void>();
  readonly #ownKey: string;
  readonly #talk: RoomTalk;
  readonly #documents: RoomDocuments;
  readonly #transport: ChannelTransport;
  /** While the way back into the channel of the last run is not over. */
  #comingBack: AbortController | null = null;
  #closed = false;

  constructor(deps: RoomAgentDeps) {
    this.#deps = deps;
    const { room, session, plane, store, archive, sources, prefix, clock } = deps;
    const { id: roomId, ownUserId } = room;
    const log = deps.log.child({ room: roomId });
    this.#log = log;
    this.#ownKey = `${deps.deviceName}${ownUserId}`;
    this.#transport = roomTransport({ roomId, session, delayed: deps.delayed });
    this.#documents = store.room(roomId);
    const language = (): Language => this.settings.get("language");
    this.#talk = new RoomTalk({ room, session, log, language });
    const tell = (sentence: Sentence): void => this.#talk.tell(sentence);
    this.settings = new RoomSettings({ documents: this.#documents, prefix, log, tell });
    this.#channel = new ChannelSession({
      ...{ channel: roomId, ownKey: this.#ownKey, ownUserId, plane, clock, tell },
      ...{ transport: this.#transport, ice: deps.ice, bitrate: BITRATE, log: deps.log, tally: deps.tally },
    });
    const talking = { room, session, channel: this.#channel, talk: this.#talk, prefix };
    const kept = { settings: this.settings, documents: this.#documents };
    const onPeople = (listener: () => void): (() => void) => this.#people.on(listener);
    const { loudness, covers, standBy } = deps;
    this.#music = new RoomMusic({
      ...{ ...talking, ...kept, plane, sources, loudness, covers, standBy, onPeople, clock, log },
      press: (button) => this.#commands.press(button),
    });
    const { player } = this.#music;
    this.#recording = new RoomRecording({
      ...{ ...talking, ...kept, plane, archive, onPeople, clock, log: deps.log },
      ...{ player, onEnd: () => this.#alone.check(), isComingBack: () => this.#comingBack !== null },
    });
    this.#recorder = this.#recording.recorder;
    this.#commands = new RoomCommands({
      room: commandsContext({
        ...{ ...talking, ...kept, player, sources, recorder: this.#recorder, status: deps.status },
        ...{ votes: this.#music.votes, volumes: this.#music.volumes, card: this.#music.card },
        consent: this.#recording.consent.control,
        recordings: deps.recordings.ofRoom(roomId),
        clips: this.#recording.clips.clips,
        join: () => this.#comeBack(),
        onSentAway: () => this.#recording.auto.sentAway(),
        report: () => this.report(),
      }),
      ...{ documents: this.#documents, clock, log: deps.log },
    });
    this.#alone = new AloneTimer({
      ...{ clock, limitMs: ALONE_MS },
      isAlone: () =>
        this.#channel.state !== "out" && peopleThere({ ...talking, settings: this.settings }).size === 0,
      isBusy: () => this.#recorder.status().phase === "recording",
      onAlone: () => void this.#leaveAlone(),
    });
    this.#channel.onChange((change) => this.#onChannel(change));
    this.settings.onChange(({ name }) => {
      if (name !== "bots") return;
      this.#people.emit();
      this.#alone.check();
    });
    this.moving = new MovingAgent({
      ...{ ...talking, ...kept, player, recorder: this.#recorder, consent: this.#recording.consent },
      clearLeftBehind: () => this.#clearLeftBehind(),
      close: () => this.close(),
      resume: () => this.resume(),
    });
  }

  /** Every event of the room. Resolves when what it started has been done. */
  async handle(event: RoomEvent): Promise<void> {
    if (this.#closed) return;
    if (event.type === "m.room.member" && event.stateKey !== null) {
      this.#channel.roomMember(event.stateKey, this.#deps.room.membershipOf(event.stateKey));
      this.#people.emit();
      if (event.stateKey === this.#deps.room.ownUserId) this.#recording.named();
    }
    // A channel event in an encrypted room would be answered there, and nothing of ours may be sent there.
    if (this.#deps.room.encrypted) await this.#channel.leave();
    else this.#channel.handle(event);
    if (event.origin !== "live") return;
    await this.moving.held;
    const parts = [this.#commands, this.#recording, this.#music];
    await Promise.all(parts.map((part) => part.handle(event)));
    await this.#talk.replied();
  }

  /** The homeserver told what is new; `afterFailure`: for a while it could not. */
  synced(afterFailure: boolean): void {
    if (!this.#closed) this.#channel.synced(afterFailure);
  }

  /** The room's state is known and this is a start of the program: go on where the last run ended. */
  async resume(): Promise<void> {
    await this.#resume();
    this.#music.card.begin();
    this.#recording.auto.begin();
  }

  async #resume(): Promise<void> {
    const { store, room, archive, prefix } = this.#deps;
    if (store.isReplaced && hasBeenIn(room)) this.#talk.tell({ key: "room.store_lost", params: { prefix } });
    if (room.encrypted || !store.channelWanted(room.id)) archive.release(room.id);
    this.#recording.settled();
    if (room.encrypted) return;
    if (!store.channelWanted(room.id)) {
      this.#music.player.restore();
      return this.#clearLeftBehind();
    }
    const comingBack = new AbortController();
    this.#comingBack = comingBack;
    await comeBack({
      ...{ clock: this.#deps.clock, log: this.#log, signal: comingBack.signal },
      join: () => this.#channel.join(),
      onIn: (late) => {
        this.#comingBack = null;
        if (!late) this.#music.held.restore();
        void this.#goOn(RETURN_MS);
      },
      onDelayed: () => this.#music.held.restore(),
      onRefused: (late) => {
        this.#comingBack = null;
        store.setChannelWanted(room.id, false);
        archive.release(room.id);
        this.#recording.settled();
        if (!late) this.#music.player.restore();
      },
    });
  }

  /** The bot was just invited and came. Resolves when it has said so, or could not. */
  async welcome(): Promise<void> {
    const { room, session, prefix } = this.#deps;
    this.#recording.auto.begin();
    const { limited } = session.outbox;
    await greet({ room, talk: this.#talk, documents: this.#documents, prefix, limited });
  }

  /** The bot is in the channel. */
  get inside(): boolean {
    return this.#channel.state === "in";
  }

  /** How it stands with the channel and everybody in it. Never rejects. */
  report(): Promise<ChannelReport> {
    const parts = { channel: this.#channel, player: this.#music.player, recorder: this.#recorder };
    return roomReport({ ...this.#deps, ...parts });
  }

  /** How the bot stands in the room's channel. An encrypted room is none that it is meant to be in. */
  channelStatus(): ChannelStatus {
    const { room, store } = this.#deps;
    return {
      roomId: room.id,
      wanted: !room.encrypted && store.channelWanted(room.id),
      phase: this.#channel.state,
      stands: stands(room, this.#ownKey),
      links: this.#channel.links().map(({ phase }) => phase),
    };
  }

  /** New TURN credentials are there. */
  refreshIce(): void {
    this.#channel.refreshIce();
  }

  /**
   * Ends everything in the room: recording closed, music kept for the next run, LEFT posted. Bounded at about 5 s.
   * @param gone we are not in the room any more: there is nobody to tell, and what was recorded is finished now
   */
  async close({ gone = false } = {}): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#comingBack?.abort();
    this.#commands.close();
    this.#alone.close();
    if (gone) this.#deps.archive.release(this.#deps.room.id);
    await this.#recording.close(gone);
    this.#music.close();
    if (!gone) await this.#channel.leave();
    this.#channel.close();
    this.#people.clear();
  }

  #onChannel(change: ChannelChange): void {
    if (change.kind === "media") {
      if (change.open) this.#music.player.channelOpened();
      else this.#music.player.channelClosed();
    } else if (change.kind === "state") {
      if (change.new === "in") this.#deps.store.setChannelWanted(this.#deps.room.id, true);
      if (change.new === "out") this.#onOut();
      this.#people.emit();
    } else this.#people.emit();
    this.#recording.changed(change);
    this.#alone.check();
  }

  /** Left, kicked out of the channel, or refused: nothing goes on without it. A shutdown is not meant. */
  #onOut(): void {
    if (this.#closed || this.#comingBack !== null) return;
    this.#deps.store.setChannelWanted(this.#deps.room.id, false);
    this.#recording.auto.out();
    this.#music.held.hold();
    if (this.#recorder.status().phase !== "recording") return;
    this.#recorder.stop("left").catch((error: unknown) => this.#log.error("recording_failed", { error }));
  }

  /** Somebody brought the bot in: with the music that its leaving has interrupted. */
  async #comeBack(): Promise<void> {
    await this.#channel.join();
    await this.#goOn();
  }

  /** The recording at once; the music when somebody can hear it, so that they miss nothing of it. Never rejects. */
  async #goOn(patienceMs?: number): Promise<void> {
    void this.#recorder.goOn();
    await firstListener(this.#channel, this.#deps.clock, patienceMs);
    if (!this.#closed && this.inside) this.#music.held.goOn();
  }

  async #leaveAlone(): Promise<void> {
    const { prefix } = this.#deps;
    this.#talk.tell({ key: "channel.alone", params: { minutes: Math.round(ALONE_MS / 60_000), prefix } });
    await this.#channel.leave();
  }

  async #clearLeftBehind(): Promise<void> {
    const { room, clock } = this.#deps;
    await clearLeftBehind({ room, clock, log: this.#log, ownKey: this.#ownKey, transport: this.#transport });
  }
}
