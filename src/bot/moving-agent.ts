import type { Sentence } from "../base/messages/catalogue.ts";
import type { ChannelSession } from "../channel/session.ts";
import type { RoomState } from "../matrix/session.ts";
import type { RoomPlayer } from "../player/playback.ts";
import type { RoomRecorder } from "../recorder/recorder.ts";
import type { RoomSettings } from "../settings/room-settings.ts";
import type { RoomTalk } from "./room-talk.ts";

export interface MovingAgentDeps {
  room: Pick<RoomState, "id" | "ownUserId" | "encrypted" | "can">;
  talk: Pick<RoomTalk, "tellOnce">;
  channel: Pick<ChannelSession, "state">;
  player: Pick<RoomPlayer, "nowPlaying" | "queue">;
  recorder: Pick<RoomRecorder, "status" | "stop">;
  settings: Pick<RoomSettings, "reload">;
  consent: { reload(): void };
  clearLeftBehind: () => Promise<void>;
  close: () => Promise<void>;
  resume: () => Promise<void>;
}

/** What a room upgrade asks of the agent of the old room, and of that of the new one. */
export class MovingAgent {
  readonly #deps: MovingAgentDeps;
  #held: Promise<void> = Promise.resolve();

  constructor(deps: MovingAgentDeps) {
    this.#deps = deps;
  }

  /** What people ask for waits for this. */
  get held(): Promise<void> {
    return this.#held;
  }

  /** @param moved resolves when the new room has what the old one kept, or never will */
  holdUntil(moved: Promise<void>): void {
    this.#held = moved;
  }

  /** The new room does not let us in. */
  refused(): void {
    this.#say({ key: "room.move_refused" });
  }

  /** Says where it goes and ends everything in the old room, the recording included; what it keeps stays kept. */
  async out(): Promise<void> {
    const { recorder, channel, clearLeftBehind, close } = this.#deps;
    this.#say({ key: "room.moved" });
    if (recorder.status().phase === "recording") await recorder.stop("left");
    if (channel.state === "out") await clearLeftBehind();
    await close();
  }

  /** Goes on in the new room with what the old one has left, unless something went on there already. */
  async in(): Promise<void> {
    const { room, channel, player, settings, consent, resume } = this.#deps;
    settings.reload();
    consent.reload();
    this.#say({ key: room.encrypted ? "room.encrypted" : "room.moved_here" });
    const used = channel.state !== "out" || player.nowPlaying() !== null || player.queue().length > 0;
    if (!used) await resume();
  }

  /** Once, also when a start in the middle says it again. A replaced room lets hardly anybody speak. */
  #say(sentence: Sentence): void {
    const { room, talk } = this.#deps;
    if (room.encrypted && sentence.key !== "room.encrypted") return;
    if (!room.can(room.ownUserId, "m.room.message", false)) return;
    void talk.tellOnce(sentence, `${sentence.key} ${room.id}`);
  }
}
