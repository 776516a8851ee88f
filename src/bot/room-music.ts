import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Language, Sentence } from "../base/messages/catalogue.ts";
import type { RoomState } from "../matrix/session.ts";
import type { MediaPlane } from "../media/plane.ts";
import { RoomPlayer } from "../player/playback.ts";
import type { Sources } from "../player/resolver/resolver.ts";
import type { RoomSettings } from "../settings/room-settings.ts";
import type { RoomDocuments } from "../store/store.ts";
import { HeldMusic } from "./held-music.ts";
import { queueRules } from "./queue-rules.ts";

export interface RoomMusicDeps {
  room: RoomState;
  plane: MediaPlane;
  sources: Sources;
  settings: RoomSettings;
  documents: RoomDocuments;
  language: () => Language;
  tell: (sentence: Sentence) => void;
  clock: Clock;
  log: Log;
}

/** Music in one room: the player, and what keeps it while the bot is out of the channel. */
export class RoomMusic {
  readonly player: RoomPlayer;
  readonly held: HeldMusic;

  constructor(deps: RoomMusicDeps) {
    const { room, plane, sources, settings, documents, language, tell, clock, log } = deps;
    this.player = new RoomPlayer({
      ...{ channel: room.id, plane, clock, log, tell },
      open: (source, signal) => sources.open(source, signal),
      ...{ documents, language, ...queueRules(settings) },
    });
    this.held = new HeldMusic({ player: this.player, documents });
  }

  /** Keeps everything for the next run. Idempotent. */
  close(): void {
    this.player.close();
  }
}
