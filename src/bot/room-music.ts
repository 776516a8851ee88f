import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { ChannelSession } from "../channel/session.ts";
import { SkipVotes } from "../commands/skip-votes.ts";
import type { RoomCommands } from "../commands/dispatcher.ts";
import type { MatrixSession, RoomEvent, RoomState } from "../matrix/session.ts";
import type { MediaPlane } from "../media/plane.ts";
import type { Covers } from "../player/cover/covers.ts";
import { RoomCovers } from "../player/cover/room-covers.ts";
import { LevelledPlane } from "../player/loudness/levelled-plane.ts";
import { ScanAhead } from "../player/loudness/scan-ahead.ts";
import type { LoudnessScans } from "../player/loudness/scans.ts";
import { Ducking } from "../player/ducking.ts";
import { ListenerVolumes } from "../player/listener-volumes.ts";
import { RoomPlayer } from "../player/playback.ts";
import type { StandBy } from "../player/stand-by.ts";
import type { Sources } from "../player/resolver/resolver.ts";
import type { RoomSettings } from "../settings/room-settings.ts";
import type { RoomDocuments } from "../store/store.ts";
import { CardButtons } from "./card/buttons.ts";
import { RoomCard } from "./card/room-card.ts";
import { isAwaited } from "./first-listener.ts";
import { HeldMusic } from "./held-music.ts";
import { peopleThere } from "./people-there.ts";
import { queueRules } from "./queue-rules.ts";
import { RoomReactions } from "./reactions.ts";
import { skipByVote } from "./skip-by-vote.ts";
import type { RoomTalk } from "./room-talk.ts";

export interface RoomMusicDeps {
  room: RoomState;
  session: Pick<MatrixSession, "outbox">;
  plane: MediaPlane;
  sources: Sources;
  loudness: LoudnessScans;
  covers: Covers;
  standBy: StandBy;
  channel: Pick<ChannelSession, "members" | "links">;
  talk: Pick<RoomTalk, "language" | "tell">;
  settings: RoomSettings;
  documents: RoomDocuments;
  /** Somebody has pressed a button of the card. */
  press: RoomCommands["press"];
  /** Calls a listener on each change of who is in the channel. */
  onPeople: (listener: () => void) => () => void;
  /** Of commands. */
  prefix: string;
  clock: Clock;
  log: Log;
}

/** Music in one room: the player, what keeps it while the bot is out of the channel, votes to skip, the now-playing card. */
export class RoomMusic {
  readonly player: RoomPlayer;
  readonly held: HeldMusic;
  readonly votes: SkipVotes;
  readonly volumes: ListenerVolumes;
  readonly card: RoomCard;
  readonly #reactions: RoomReactions;
  readonly #unsubscribe: (() => void)[];

  constructor(deps: RoomMusicDeps) {
    const { room, plane, sources, channel, talk, settings, documents, prefix, clock, log } = deps;
    const levelled = new LevelledPlane({
      ...{ plane, channel: room.id, scans: deps.loudness, clock },
      wish: () => settings.get("loudness"),
    });
    const covers = new RoomCovers({
      ...{ covers: deps.covers, plane, clock, open: (source, signal) => sources.open(source, signal) },
      beside: (source) => sources.beside(source),
      isWanted: () => !room.encrypted && settings.get("card") === "on",
      isBusy: () => deps.session.outbox.budget === "none",
    });
    this.player = new RoomPlayer({
      ...{ channel: room.id, plane: levelled, clock, log, documents, prefix, ...queueRules(settings) },
      open: async (source, signal) => {
        const opened = await sources.open(source, signal);
        covers.opened(source, opened);
        return opened;
      },
      tell: (sentence) => talk.tell(sentence),
      language: () => talk.language,
      isHere: (source) => sources.isHere(source),
      standBy: deps.standBy,
      connected: () => channel.links().filter(({ phase }) => phase === "connected").length,
      awaited: () => isAwaited(channel),
    });
    this.held = new HeldMusic({ player: this.player, documents });
    this.volumes = new ListenerVolumes({
      ...{ plane, channel: room.id, documents, members: () => channel.members() },
    });
    const ahead = new ScanAhead({
      ...{ plane, scans: deps.loudness, open: (source, signal) => sources.open(source, signal) },
    });
    const ducking = new Ducking({ plane, channel: room.id, wish: () => settings.get("duck") });
    this.votes = new SkipVotes({
      present: () => peopleThere(deps),
      share: () => {
        const share = settings.get("vote-skip");
        return share === "off" ? null : share;
      },
      now: () => this.player.nowPlaying()?.track.id ?? null,
    });
    const parts = { player: this.player, votes: this.votes, settings };
    this.card = new RoomCard({
      ...{ room, session: deps.session, documents, covers, clock, log, ...parts },
      language: () => talk.language,
    });
    const buttons = new CardButtons({ card: this.card, ...parts, press: deps.press });
    this.#reactions = new RoomReactions(room.ownUserId, [buttons]);
    this.#unsubscribe = [
      deps.onPeople(() => {
        skipByVote({ votes: this.votes, player: this.player, tell: (sentence) => talk.tell(sentence) });
      }),
      () => ducking.close(),
      this.player.onChange((state) => ahead.changed(state)),
      () => ahead.close(),
      this.player.onChange((state) => covers.changed(state)),
      () => covers.close(),
      settings.onChange(({ name }) => {
        if (name === "volume-max") this.#keepWithin(settings.get("volume-max"));
        else if (name === "loudness") levelled.changed();
        else if (name === "duck") ducking.changed();
        else if (name === "card") covers.changed(this.player.state());
      }),
    ];
  }

  /** Every live event of the room. Resolves when what it asks for is done. */
  async handle(event: RoomEvent): Promise<void> {
    this.card.handle(event);
    await this.#reactions.handle(event);
  }

  /** Keeps everything for the next run. Idempotent. */
  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.card.close();
    this.volumes.close();
    this.player.close();
  }

  #keepWithin(percent: number): void {
    if (this.player.volume() > percent) this.player.setVolume(percent);
  }
}
