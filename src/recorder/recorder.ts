import type { Clock } from "../base/clock.ts";
import { clockTime } from "../base/duration.ts";
import { messageOf } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import { announcement } from "./announcement.ts";
import type { OpenRecording } from "./open-recording.ts";
import { everybodyAgrees, type RecordingConsent } from "./consent-port.ts";
import type { StopReason } from "./journal.ts";
import { DEFAULT_LIMITS, freeBytes, requireDisk, type RecordingLimits } from "./limits.ts";
import type { RecordingReport } from "./live-ports.ts";
import { LiveRecording } from "./live-recording.ts";
import type { RecorderStatus, RoomRecorderDeps, StartedBy } from "./recorder-ports.ts";
import { alreadyRecording, notPaused, notRecording, pausedAlready, tooManyNotes } from "./refusals.ts";
import type { Stood } from "./stood.ts";

export type { RecorderStatus, StartedBy } from "./recorder-ports.ts";
export type { ChannelPerson, PeopleFeed } from "./presence.ts";

interface Running {
  phase: "recording";
  live: LiveRecording;
  recording: OpenRecording;
  /** Somebody wants it deleted, and has to say so again. */
  discardAsked: { byUserId: string; atMs: number } | null;
}

/**
 *          start()                    stop(), limits, failure, the channel is lost
 *   idle ─────────► starting ─► recording ───────────────────────────► stopping ─► idle   (the archive exports and delivers)
 *    │                          ▲  │  │ ⇄ paused, gaps: see LiveRecording
 *    │ goOn(): the last run was │  │  └ discard(), twice ────────────► stopping ─► idle   (nothing is left)
 *    └──────────────────────────┘  └ close(): the bot ends ──────────► stopping         (the next start goes on with it)
 *       interrupted
 */
type State =
  | { phase: "idle" }
  | { phase: "starting"; done: Promise<void> }
  | Running
  | { phase: "stopping"; done: Promise<void> };

/** Within so long a second `discard` means it. */
export const DISCARD_WITHIN_MS = 30_000;

/** Records one room's channel: one recording at a time. */
export class RoomRecorder {
  readonly #deps: RoomRecorderDeps;
  readonly #limits: RecordingLimits;
  readonly #consent: RecordingConsent;
  #state: State = { phase: "idle" };
  #closed = false;

  constructor(deps: RoomRecorderDeps) {
    this.#deps = deps;
    this.#limits = { ...DEFAULT_LIMITS, ...deps.limits };
    this.#consent = deps.consent ?? everybodyAgrees;
  }

  status(): RecorderStatus {
    const { archive, roomId } = this.#deps;
    if (this.#state.phase === "recording") {
      const { id, title, automatic, paused, elapsedMs, tracks } = this.#state.live;
      return { phase: "recording", id, title, automatic, paused, elapsedMs, tracks };
    }
    if (this.#state.phase === "idle" && archive.interrupted(roomId)) return { phase: "interrupted" };
    const percent = archive.exporting(roomId);
    return percent === null ? { phase: "idle" } : { phase: "exporting", percent };
  }

  /** The recording that runs, with how everybody is heard; null when none does. */
  async report(): Promise<RecordingReport | null> {
    return this.#state.phase === "recording" ? this.#state.live.report() : null;
  }

  /**
   * Starts recording the channel, in which the bot is, and tells the room; or goes on with what the last run has left.
   * @throws BotError `already_recording`, `disk_full`, `media_plane_down`, …
   */
  async start(by: StartedBy, title: string | null = null): Promise<void> {
    if (this.#state.phase === "idle" && (await this.goOn())) return;
    await this.#starting(() => this.#start(by, title));
  }

  /**
   * The bot is in the channel: goes on with the recording that the last run has left, if there is one.
   * @returns whether there was. Never rejects.
   */
  async goOn(): Promise<boolean> {
    const { archive, roomId, log } = this.#deps;
    if (this.#state.phase !== "idle" || this.#closed || !archive.interrupted(roomId)) return false;
    try {
      await this.#starting(() => this.#goOn());
    } catch (error) {
      log.error("recording_failed", { room: roomId, error });
    }
    return this.#is("recording");
  }

  /**
   * Ends the recording and tells the room; resolves when its files are closed. Export and delivery follow by themselves.
   * @param byUserId who asked; null when nobody did
   * @throws BotError `not_recording`
   */
  async stop(reason: StopReason, byUserId: string | null = null): Promise<void> {
    const { archive, roomId, onEnd } = this.#deps;
    if (this.#state.phase === "idle" && archive.interrupted(roomId)) {
      // It is not to go on: it is delivered as it is.
      archive.release(roomId);
      this.#changed();
      return onEnd?.(reason, byUserId);
    }
    const { live } = this.#running();
    const key = reason === "alone" ? "record.stopped_empty" : "record.stopped";
    const say: Sentence = { key, params: { length: clockTime(live.elapsedMs) } };
    await this.#end(reason, byUserId, say);
  }

  /** Writes nothing until `unpause`. @throws BotError `not_recording`, `bad_command` when it is paused already */
  async pause(byUserId: string): Promise<void> {
    const { live } = this.#running();
    const paused = live.pause(byUserId);
    this.#changed();
    if (!(await paused)) throw pausedAlready();
    const params = { length: clockTime(live.elapsedMs), prefix: this.#deps.prefix };
    this.#deps.tell({ key: "record.paused", params });
  }

  /** Goes on after a pause. @throws BotError `not_recording`, `bad_command` when it is not paused */
  unpause(byUserId: string): void {
    const { live } = this.#running();
    if (!live.unpause(byUserId)) throw notPaused();
    this.#changed();
    this.#deps.tell({ key: "record.unpaused" });
  }

  /** Keeps a note with the time. @returns that time, ms of what is recorded. @throws BotError `not_recording`, `queue_full` */
  note(text: string, byUserId: string): number {
    const { live } = this.#running();
    const { elapsedMs } = live;
    if (!live.note(text, byUserId, this.#deps.displayName(byUserId))) throw tooManyNotes();
    return elapsedMs;
  }

  /**
   * Deletes the recording that runs, when the same person asks for it twice within 30 s.
   * @returns whether that was the second time. @throws BotError `not_recording`
   */
  async discard(byUserId: string): Promise<boolean> {
    const running = this.#running();
    const { clock, archive, tell, log, roomId } = this.#deps;
    const asked = running.discardAsked;
    if (asked?.byUserId !== byUserId || clock.now() - asked.atMs > DISCARD_WITHIN_MS) {
      running.discardAsked = { byUserId, atMs: clock.now() };
      return false;
    }
    const { live, recording } = running;
    const length = clockTime(live.elapsedMs);
    const discarded = live.end("command", byUserId).then(() => archive.discard(recording));
    await this.#stopping(discarded, { how: "discarded", byUserId });
    log.info("recording_discarded", { room: roomId, recording: recording.id, by: byUserId });
    tell({ key: "record.discarded", params: { length, by: this.#deps.displayName(byUserId) } });
    return true;
  }

  /** The channel was closed on the media plane, for now. */
  channelClosed(): void {
    if (this.#state.phase === "recording") this.#state.live.channelClosed();
  }

  /** Closes the files; the next start goes on with it, or finishes it. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#state.phase === "starting") await this.#state.done;
    if (this.#state.phase === "recording") {
      const { live } = this.#state;
      await this.#stopping(live.leave(), null);
      this.#deps.archive.leave(live.id);
    } else if (this.#state.phase === "stopping") await this.#state.done;
  }

  async #starting(begin: () => Promise<Running | null>): Promise<void> {
    if (this.#state.phase !== "idle") {
      throw alreadyRecording(this.#state.phase === "recording" ? this.#state.live.elapsedMs : 0);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#state = { phase: "starting", done: promise };
    try {
      const running = await begin();
      this.#state = running ?? { phase: "idle" };
    } finally {
      if (this.#is("starting")) this.#state = { phase: "idle" };
      resolve();
      this.#changed();
    }
  }

  async #start({ userId, automatic }: StartedBy, title: string | null): Promise<Running> {
    const { archive, displayName, roomId, log, clock, prefix } = this.#deps;
    const consent = this.#consent.mode;
    const name = displayName(userId);
    const recording = await archive.create(
      { roomId, userId, name, title, consent, automatic: automatic !== undefined },
      (error) => this.#failed(messageOf(error)),
    );
    try {
      this.#consent.began({ ...recording, entries: [] });
      requireDisk(this.#limits, await this.#free(recording.directory));
      const named = { title, byName: name, automatic: automatic !== undefined };
      const live = this.#live(recording, clock, clock.now(), null, named);
      await live.begin(announcement({ ...named, mode: consent, prefix, people: automatic?.people ?? 0 }));
      log.info("recording_started", { room: roomId, recording: recording.id });
      return { phase: "recording", live, recording, discardAsked: null };
    } catch (error) {
      this.#consent.ended("discarded");
      await archive.discard(recording);
      throw error;
    }
  }

  async #goOn(): Promise<Running | null> {
    const { archive, roomId, prefix } = this.#deps;
    const reopened = await archive.reopen(roomId, (error) => this.#failed(messageOf(error)));
    if (reopened === null) return null;
    const { recording, stood, entries, clock, startMs } = reopened;
    this.#consent.began({ ...recording, entries });
    const live = this.#live(recording, clock, startMs, stood, stood);
    const people = this.#deps.people.list().length;
    live.goOn(announcement({ ...stood, mode: this.#consent.mode, prefix, people }));
    return { phase: "recording", live, recording, discardAsked: null };
  }

  #live(
    recording: OpenRecording,
    clock: Clock,
    startMs: number,
    before: Stood | null,
    { title, byName, automatic }: Pick<LiveRecording, "title" | "byName" | "automatic">,
  ): LiveRecording {
    const { roomId, channel, plane, people, prefix, log, tell, say, onNotice } = this.#deps;
    const deps = {
      ...{ roomId, channel, recording, before, plane, people, prefix, clock, log, tell, say },
      ...{ title, byName, automatic, ...(onNotice ? { onNotice } : {}) },
      consent: this.#consent,
      limits: this.#limits,
      free: () => this.#free(recording.directory),
      onOver: (reason: StopReason, sentence: Sentence) => void this.#end(reason, null, sentence),
    };
    return new LiveRecording(deps, startMs);
  }

  async #end(reason: StopReason, byUserId: string | null, say: Sentence): Promise<void> {
    if (this.#state.phase !== "recording") return;
    const { live, recording } = this.#state;
    await this.#stopping(live.end(reason, byUserId), { how: reason, byUserId });
    this.#deps.tell(say);
    void this.#deps.archive.finish(recording.id);
  }

  /** @param ended null: it is not over, the next start goes on with it */
  async #stopping(
    work: Promise<unknown>,
    ended: { how: StopReason | "discarded"; byUserId: string | null } | null,
  ): Promise<void> {
    const done = work.then(
      () => undefined,
      (error: unknown) => this.#deps.log.error("recording_failed", { room: this.#deps.roomId, error }),
    );
    this.#state = { phase: "stopping", done };
    await done;
    if (ended?.how === "discarded") this.#consent.ended("discarded");
    else this.#consent.ended();
    this.#state = { phase: "idle" };
    this.#changed();
    if (ended) this.#deps.onEnd?.(ended.how, ended.byUserId);
  }

  /** The journal cannot be written. */
  #failed(detail: string): void {
    if (this.#state.phase === "recording") this.#state.live.failed(detail);
  }

  #changed(): void {
    this.#deps.onChange?.(this.status());
  }

  #is(phase: State["phase"]): boolean {
    return this.#state.phase === phase;
  }

  #running(): Running {
    if (this.#state.phase === "recording") return this.#state;
    throw notRecording();
  }

  /** A disk that does not say counts as roomy: writing will tell. */
  async #free(directory: string): Promise<number> {
    const read = this.#deps.freeBytes ?? freeBytes;
    return read(directory).catch(() => Infinity);
  }
}
