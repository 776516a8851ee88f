import { clockTime } from "../base/duration.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { BotError, messageOf, toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { MediaPlane, PlaneEvent, PlaneState } from "../media/plane.ts";
import type { OpenRecording, RecordingArchive } from "./archive.ts";
import type { StopReason } from "./journal.ts";
import { DEFAULT_LIMITS, freeBytes, overLimit, requireDisk, type RecordingLimits } from "./limits.ts";
import { Presence, type PeopleFeed } from "./presence.ts";

export type { ChannelPerson, PeopleFeed } from "./presence.ts";

export interface RoomRecorderDeps {
  roomId: string;
  /** The media plane's name of the room's channel. */
  channel: string;
  prefix: string;
  plane: Pick<MediaPlane, "state" | "request" | "onEvent" | "onState">;
  people: PeopleFeed;
  archive: Pick<RecordingArchive, "create" | "discard" | "finish" | "leave" | "exporting">;
  displayName: (userId: string) => string;
  clock: Clock;
  log: Log;
  /** Says something in the room that nobody asked for. Must not throw. */
  tell: (sentence: Sentence) => void;
  /** A recording is over, however it came to that. */
  onEnd?: () => void;
  limits?: Partial<RecordingLimits>;
  /** Bytes free on the disk of a folder. */
  freeBytes?: (directory: string) => Promise<number>;
}

export type RecorderStatus =
  | { phase: "idle" }
  | { phase: "recording"; elapsedMs: number; tracks: number }
  | { phase: "exporting"; percent: number };

interface Running {
  phase: "recording";
  recording: OpenRecording;
  startedMs: number;
  tracks: Set<string>;
  presence: Presence;
  /** Set while nothing is written. */
  gapSinceMs: number | null;
  check: Timer;
  retry: Timer | null;
}

/**
 *          start()                    stop(), limits, failure, close()
 *   idle ─────────► starting ─► recording ─────────► stopping ─► idle   (the archive exports and delivers meanwhile)
 *                                │  ▲ plane up: record.start in the same folder
 *                     plane down └──┘ gap in the journal
 */
type State =
  | { phase: "idle" }
  | { phase: "starting"; early: PlaneEvent[] }
  | Running
  | { phase: "stopping"; done: Promise<void> };

const RETRY_MS = 500;
/** As the media plane takes at most. */
const MAX_SPEAKERS = 1_000;

/** Records one room's channel: the consent, the journal, the limits. The media plane writes the sound. */
export class RoomRecorder {
  readonly #deps: RoomRecorderDeps;
  readonly #limits: RecordingLimits;
  readonly #unsubscribe: (() => void)[];
  #state: State = { phase: "idle" };
  #closed = false;

  constructor(deps: RoomRecorderDeps) {
    this.#deps = deps;
    this.#limits = { ...DEFAULT_LIMITS, ...deps.limits };
    this.#unsubscribe = [
      deps.plane.onEvent((event) => this.#onEvent(event)),
      deps.plane.onState((state) => this.#onPlane(state)),
      deps.people.onChange(() => this.#onPeople()),
    ];
  }

  status(): RecorderStatus {
    if (this.#state.phase === "recording") {
      const { startedMs, tracks } = this.#state;
      return { phase: "recording", elapsedMs: this.#deps.clock.now() - startedMs, tracks: tracks.size };
    }
    const percent = this.#deps.archive.exporting(this.#deps.roomId);
    return percent === null ? { phase: "idle" } : { phase: "exporting", percent };
  }

  /**
   * Starts recording the channel, in which the bot is, and tells the room.
   * @throws BotError `already_recording`, `disk_full`, `media_plane_down`, …
   */
  async start(byUserId: string): Promise<void> {
    const { archive, clock, plane, channel, displayName, roomId, log } = this.#deps;
    if (this.#state.phase !== "idle") throw this.#already();
    const early: PlaneEvent[] = [];
    this.#state = { phase: "starting", early };
    try {
      const by = { roomId, userId: byUserId, name: displayName(byUserId) };
      const recording = await archive.create(by, (error) => this.#onFailed(messageOf(error)));
      let speakers: string[] = [];
      try {
        requireDisk(this.#limits, await this.#free(recording.directory));
        const { id, directory } = recording;
        speakers = this.#speakers();
        await plane.request({ kind: "record.start", channel, recording: id, directory, speakers });
      } catch (error) {
        await archive.discard(recording);
        throw error;
      }
      log.info("recording_started", { room: roomId, recording: recording.id });
      this.#deps.tell({ key: "record.started", params: { by: by.name, prefix: this.#deps.prefix } });
      const { tell, people } = this.#deps;
      this.#state = {
        ...{ phase: "recording", recording, startedMs: clock.now(), gapSinceMs: null, retry: null },
        tracks: new Set(),
        presence: new Presence(recording.journal, clock, tell, people.list()),
        check: clock.timer(this.#limits.checkEveryMs, () => void this.#check()),
      };
      for (const event of early) this.#onEvent(event);
      // Who came or went while it started.
      if (this.#speakers().join("\n") !== speakers.join("\n")) this.#allow();
    } catch (error) {
      if (this.#state.phase === "starting") this.#state = { phase: "idle" };
      throw error;
    }
  }

  /**
   * Ends the recording and tells the room; resolves when its files are closed. Export and delivery follow by themselves.
   * @param byUserId who asked; null when the bot has lost the channel
   * @throws BotError `not_recording`
   */
  async stop(byUserId: string | null): Promise<void> {
    if (this.#state.phase !== "recording") {
      throw new BotError("not_recording", "not recording", { say: { key: "record.none" } });
    }
    const elapsed = this.#deps.clock.now() - this.#state.startedMs;
    const say: Sentence = { key: "record.stopped", params: { length: clockTime(elapsed) } };
    await this.#end(byUserId === null ? "left" : "command", byUserId, say);
  }

  /** Closes the files; export and delivery are for the next start. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      for (const unsubscribe of this.#unsubscribe) unsubscribe();
    }
    if (this.#state.phase === "recording") await this.#end("shutdown", null, null);
    else if (this.#state.phase === "stopping") await this.#state.done;
  }

  async #end(reason: StopReason, byUserId: string | null, say: Sentence | null): Promise<void> {
    const running = this.#state;
    if (running.phase !== "recording") return;
    running.check.cancel();
    running.retry?.cancel();
    running.presence.close();
    const done = this.#closeFiles(running, reason, byUserId);
    this.#state = { phase: "stopping", done };
    await done;
    this.#state = { phase: "idle" };
    if (say) this.#deps.tell(say);
    this.#deps.onEnd?.();
    const { archive } = this.#deps;
    if (reason === "shutdown") archive.leave(running.recording.id);
    else void archive.finish(running.recording.id);
  }

  async #closeFiles({ recording }: Running, reason: StopReason, byUserId: string | null): Promise<void> {
    const { plane, channel, log, roomId } = this.#deps;
    // The end is when it was asked for, not when the disk was done.
    recording.journal.add({ kind: "stop", reason, byUserId });
    try {
      if (plane.state === "up") await plane.request({ kind: "record.stop", channel });
    } catch (error) {
      // What was written stays readable; the export takes what is there.
      log.warn("recording_failed", { room: roomId, recording: recording.id, reason: messageOf(error) });
    }
    await recording.journal.close();
  }

  #onEvent(event: PlaneEvent): void {
    if (event.kind !== "record.track" && event.kind !== "record.failed") return;
    if (event.channel !== this.#deps.channel) return;
    // The first packets may be there before the answer to record.start.
    if (this.#state.phase === "starting") this.#state.early.push(event);
    if (this.#state.phase !== "recording") return;
    const { recording, tracks } = this.#state;
    if (event.kind === "record.track" && event.recording === recording.id) {
      tracks.add(`${event.what} ${event.speaker}`);
      const { speaker, file, what, hasClock } = event;
      recording.journal.add({
        kind: "track",
        speaker,
        file,
        what,
        ...(hasClock === false ? { hasClock } : {}),
      });
    } else if (event.kind === "record.failed" && event.recording === recording.id) {
      this.#onFailed(event.detail);
    }
  }

  #onFailed(detail: string): void {
    const reason = detail.slice(0, 160);
    this.#deps.log.error("recording_failed", { room: this.#deps.roomId, reason });
    void this.#end("failed", null, { key: "record.stopped_failed", params: { reason } });
  }

  #onPlane(state: PlaneState): void {
    if (this.#state.phase !== "recording") return;
    if (state === "up") void this.#goOn(this.#state);
    else this.#gap(this.#state, state);
  }

  #gap(running: Running, reason: string): void {
    if (running.gapSinceMs !== null) return;
    running.gapSinceMs = this.#deps.clock.now();
    running.recording.journal.add({ kind: "gap", reason });
    this.#deps.log.warn("recording_gap", {
      room: this.#deps.roomId,
      recording: running.recording.id,
      reason,
    });
  }

  /** Goes on in the same folder, as soon as the channel is open in the new media child. */
  async #goOn(running: Running): Promise<void> {
    this.#gap(running, "restarted");
    running.retry?.cancel();
    running.retry = null;
    const { plane, channel, clock, tell } = this.#deps;
    const { id, directory, journal } = running.recording;
    try {
      const speakers = this.#speakers();
      await plane.request({ kind: "record.start", channel, recording: id, directory, speakers });
    } catch (error) {
      const { code, message } = toBotError(error);
      if (this.#state !== running) return;
      if (code === "not_found" || code === "timeout" || code === "media_plane_down") {
        running.retry = clock.timer(RETRY_MS, () => {
          if (this.#state === running && plane.state === "up") void this.#goOn(running);
        });
      } else this.#onFailed(message);
      return;
    }
    if (this.#state !== running || running.gapSinceMs === null) return;
    const seconds = Math.max(1, Math.round((clock.now() - running.gapSinceMs) / 1000));
    running.gapSinceMs = null;
    journal.add({ kind: "resumed" });
    tell({ key: "record.gap", params: { seconds } });
  }

  #onPeople(): void {
    if (this.#state.phase !== "recording") return;
    this.#state.presence.update(this.#deps.people.list());
    this.#allow();
  }

  /** Nobody is written whom the media plane was not told to write. */
  #allow(): void {
    const { plane, channel } = this.#deps;
    if (plane.state !== "up") return;
    // While it is away there is nothing to allow; `#goOn` names everybody again.
    plane
      .request({ kind: "record.allow", channel, speakers: this.#speakers() })
      .catch((error: unknown) =>
        this.#deps.log.debug("recording_failed", { room: this.#deps.roomId, reason: messageOf(error) }),
      );
  }

  #speakers(): string[] {
    const keys = this.#deps.people.list().map(({ key }) => key);
    return keys.slice(0, MAX_SPEAKERS);
  }

  async #check(): Promise<void> {
    const running = this.#state;
    if (running.phase !== "recording") return;
    const { clock } = this.#deps;
    const freeBytes = await this.#free(running.recording.directory);
    const now = clock.now();
    const aloneForMs = now - (running.presence.aloneSinceMs ?? now);
    const over = overLimit(this.#limits, { elapsedMs: now - running.startedMs, aloneForMs, freeBytes });
    if (this.#state !== running) return;
    if (over) await this.#end(over.reason, null, over.say);
    else running.check = clock.timer(this.#limits.checkEveryMs, () => void this.#check());
  }

  /** A disk that does not say counts as roomy: writing will tell. */
  async #free(directory: string): Promise<number> {
    const read = this.#deps.freeBytes ?? freeBytes;
    return read(directory).catch(() => Infinity);
  }

  #already(): BotError {
    const status = this.status();
    const length = clockTime(status.phase === "recording" ? status.elapsedMs : 0);
    return new BotError("already_recording", "already recording", {
      say: { key: "record.already", params: { length } },
    });
  }
}
