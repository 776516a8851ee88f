import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { MediaPlane, PlaneResult } from "../../media/plane.ts";
import type { RoomSettings } from "../../settings/room-settings.ts";
import type { RecordingArchive } from "../archive.ts";
import type { OpenRecording } from "../open-recording.ts";
import type { RecordingConsent } from "../consent-port.ts";
import type { ChannelPerson } from "../presence.ts";
import { CLIP_SECONDS, type ClipKeeper } from "./keeper.ts";

export interface RoomClipsDeps {
  roomId: string;
  /** The media plane's name of the room's channel. */
  channel: string;
  prefix: string;
  keeper: Pick<ClipKeeper, "speakers" | "sinceMs" | "settled">;
  plane: Pick<MediaPlane, "request">;
  archive: Pick<RecordingArchive, "create" | "discard" | "finish">;
  consent: Pick<RecordingConsent, "mode">;
  settings: Pick<RoomSettings, "get">;
  /** Whether the bot is in the channel. */
  isInside: () => boolean;
  displayName: (userId: string) => string;
  /** What a clip is called in the room's language. */
  title: () => string;
  clock: Clock;
  log: Log;
}

/** Makes clips of one room's channel: what was said lately, as a recording of its own that goes the way of all others. */
export class RoomClips {
  readonly #deps: RoomClipsDeps;
  #busy = false;

  constructor(deps: RoomClipsDeps) {
    this.#deps = deps;
  }

  /**
   * Writes what is kept of the last seconds; it is exported and delivered by the archive.
   * @param seconds 1 to `CLIP_SECONDS`
   * @throws BotError `not_permitted` (switched off), `not_in_channel`, `channel_empty`, `bad_command`, `not_found` (nobody was heard), …
   */
  async make(byUserId: string, seconds: number): Promise<void> {
    const { keeper, settings, isInside, prefix, clock, archive } = this.#deps;
    if (settings.get("clip") !== "on") {
      throw new BotError("not_permitted", "clips are off", { say: { key: "clip.off", params: { prefix } } });
    }
    if (!isInside()) {
      const say = { key: "command.not_in_channel", params: { prefix } } as const;
      throw new BotError("not_in_channel", "not in the channel", { say });
    }
    if (this.#busy) throw new BotError("queue_full", "a clip is being made", { say: { key: "clip.busy" } });
    this.#busy = true;
    try {
      if (!(await keeper.settled())) {
        const say = { key: "error.media_plane_down" } as const;
        throw new BotError("media_plane_down", "the list of voices was not taken", { say, retryable: true });
      }
      const { speakers, sinceMs } = keeper;
      if (sinceMs === null) throw nothing();
      const wantedMs = Math.min(seconds, CLIP_SECONDS) * 1000;
      const nowMs = clock.now();
      // Whole seconds of what is kept: what the clip begins with is not silence from before anything was.
      const lastMs = Math.max(1000, Math.min(wantedMs, Math.ceil((nowMs - sinceMs) / 1000) * 1000));
      const id = await this.#write(byUserId, lastMs, speakers);
      void archive.finish(id);
    } finally {
      this.#busy = false;
    }
  }

  async #write(byUserId: string, lastMs: number, speakers: readonly ChannelPerson[]): Promise<string> {
    const { roomId, archive, consent, displayName, title, clock, log } = this.#deps;
    const name = displayName(byUserId);
    // The folder says when it was, not when somebody asked for it.
    const end = { atMs: clock.now(), wallMs: clock.wall() };
    const at = { atMs: end.atMs - lastMs, wallMs: end.wallMs - lastMs };
    let failure: unknown = null;
    const recording = await archive.create(
      { roomId, userId: byUserId, name, title: title(), consent: consent.mode, clipAt: at },
      (error) => (failure = error),
    );
    const { journal } = recording;
    try {
      for (const { key, userId, name: known } of speakers) {
        journal.add({ kind: "joined", key, userId, name: known }, at);
      }
      const files = await this.#files(recording, lastMs);
      if (files.length === 0) throw nothing();
      for (const file of files) journal.add({ kind: "track", ...file }, at);
      journal.add({ kind: "stop", reason: "command", byUserId }, end);
      await journal.close();
      if (failure !== null) throw failure;
      log.info("recording_started", { room: roomId, recording: recording.id, what: "clip" });
      return recording.id;
    } catch (error) {
      await archive.discard(recording);
      throw error;
    }
  }

  async #files(
    { id, directory }: OpenRecording,
    lastMs: number,
  ): Promise<PlaneResult<"clip.write">["files"]> {
    const { plane, channel } = this.#deps;
    const seconds = Math.round(lastMs / 1000);
    const request = { kind: "clip.write", channel, recording: id, directory, seconds } as const;
    return (await plane.request(request)).files;
  }
}

const nothing = (): BotError =>
  new BotError("not_found", "nobody was heard who agrees", { say: { key: "clip.nothing" } });
